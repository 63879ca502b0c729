import type { Clock } from "#core/clock.ts";

/** Why something is left alone for a while. */
export interface Rest {
  /** What went wrong last, as a person reads it. */
  readonly why: string;
  /** Milliseconds until it is tried again; 0 while one request tries it. */
  readonly leftMs: number;
}

/** How a try went, as far as the next one is concerned. */
export interface Trouble {
  readonly why: string;
  /** What the service asked to wait for, in milliseconds; absent where it did not say. */
  readonly retryMs?: number | undefined;
  /** Milliseconds since 1970 until which it is not tried at all, for example the end of a spending limit. */
  readonly until?: number | undefined;
}

/** Circuit breakers. They keep requests from what failed just now, also where there is nothing else: to be told at once is better. */
export interface Circuits {
  /** Undefined where requests may pass. */
  resting(name: string): Rest | undefined;
  /**
   * A request passes. Undefined where nothing failed; where a time of rest is over it is one that tries, and one that does so `alone`
   * keeps the others off until the given function is called, at the latest when it has ended, however it did.
   */
  enter(name: string, alone: boolean): (() => void) | undefined;
  /** Resolves when the request that tries alone keeps the others off no more; undefined where there is none. */
  tried(name: string): Promise<void> | undefined;
  failed(name: string, trouble: Trouble): void;
  succeeded(name: string): void;
}

const firstRestMs = 2000;
const longestRestMs = 30_000;
/** What a service asks to wait for is believed this far. */
const longestAskedMs = 10 * 60_000;

interface State {
  failures: number;
  why: string;
  /** By `elapsed`. */
  restsUntil: number;
  /** By `now`. */
  shutUntil: number;
  /** The request that tries alone. */
  alone: PromiseWithResolvers<void> | undefined;
}

/** Circuit breakers by name; each opens with the first failure, and half opens when its time of rest is over. */
export function createCircuits(clock: Clock): Circuits {
  const states = new Map<string, State>();

  function leftMs({ restsUntil, shutUntil }: State): number {
    return Math.max(restsUntil - clock.elapsed(), shutUntil - clock.now(), 0);
  }

  return {
    resting(name) {
      const state = states.get(name);
      if (state === undefined) return undefined;
      const left = leftMs(state);
      const isShut = left > 0 || state.alone !== undefined;
      return isShut ? { why: state.why, leftMs: left } : undefined;
    },
    enter(name, alone) {
      const state = states.get(name);
      if (state === undefined) return undefined;
      const mine = Promise.withResolvers<void>();
      if (alone) state.alone = mine;
      return () => {
        if (state.alone === mine) state.alone = undefined;
        mine.resolve();
      };
    },
    tried: (name) => states.get(name)?.alone?.promise,
    failed(name, { why, retryMs, until = 0 }) {
      const before = states.get(name);
      // What was under way when it failed tells of the same outage.
      const isSame = before !== undefined && leftMs(before) > 0;
      const failures = (before?.failures ?? 0) + (isSame ? 0 : 1);
      const rest = Math.min(firstRestMs * 2 ** (failures - 1), longestRestMs);
      const asked = Math.min(retryMs ?? 0, longestAskedMs);
      const restsUntil = clock.elapsed() + Math.max(rest, asked);
      const shutUntil = Math.max(until, before?.shutUntil ?? 0);
      states.set(name, { failures, why, restsUntil, shutUntil, alone: undefined });
    },
    succeeded: (name) => void states.delete(name),
  };
}

/** The moment at which the month of `now` ends, where services count their limits: midnight UTC. */
export function monthEnd(now: number): number {
  const date = new Date(now);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}
