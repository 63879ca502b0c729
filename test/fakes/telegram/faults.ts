import type { Clock } from "../../../src/core/clock.ts";

import { Refusal, tooMany } from "./refusal.ts";

/** What goes wrong with a method's next calls. */
export interface Fault {
  /** A method's name, or `*` for every one. */
  readonly method: string;
  /**
   * `lost`: taken, but the connection breaks before its response. `silent`: taken, and its response never comes.
   * `slow`: the response comes late. `slowDown`: refused with 429. `broken`: refused with 502. `reset`: the connection
   * breaks before it is taken. `refused`: refused with words of your own.
   */
  readonly kind: "lost" | "silent" | "slow" | "slowDown" | "broken" | "reset" | "refused";
  /** How often; once when it is not said. */
  readonly times?: number;
  /** It goes on until this says true; it is asked at each call. */
  readonly until?: () => boolean;
  /** Only calls that this takes. */
  readonly when?: (input: Readonly<Record<string, unknown>>) => boolean;
  /** Seconds of a 429; 1 when it is not said. */
  readonly retryAfter?: number;
  /** How late a slow response comes. */
  readonly delayMs?: number;
  /** The words of a refusal, and its number. */
  readonly words?: string;
  readonly code?: number;
}

/** The connection ends without a response. */
export class Broken extends Error {}

/** What is to happen to a call that was taken. */
export type After = "lost" | "silent" | undefined;

/** Faults that wait for their calls. */
export interface Faults {
  add(fault: Fault): void;
  /** Throws what refuses a call. */
  before(method: string, input: Readonly<Record<string, unknown>>): Promise<After>;
  clear(): void;
}

interface Waiting {
  readonly fault: Fault;
  left: number;
}

/** No faults yet. */
export function createFaults(clock: Clock): Faults {
  const waiting: Waiting[] = [];

  function next(method: string, input: Readonly<Record<string, unknown>>): Fault | undefined {
    for (const [i, one] of waiting.entries()) {
      const { fault } = one;
      if (fault.method !== method && fault.method !== "*") continue;
      if (fault.when?.(input) === false) continue;
      if (fault.until?.() === true) {
        waiting.splice(i, 1);
        return next(method, input);
      }
      one.left -= 1;
      if (one.left <= 0) waiting.splice(i, 1);
      return fault;
    }
    return undefined;
  }

  function refuse({ kind, retryAfter = 1, words = "Bad Request", code = 400 }: Fault): void {
    if (kind === "slowDown") throw tooMany(retryAfter);
    if (kind === "broken") throw new Refusal(502, "Bad Gateway");
    if (kind === "refused") throw new Refusal(code, words);
    if (kind === "reset") throw new Broken("reset");
  }

  return {
    add(fault) {
      const once = fault.until === undefined ? 1 : Infinity;
      waiting.push({ fault, left: fault.times ?? once });
    },
    async before(method, input) {
      if (waiting.length === 0) return undefined;
      const fault = next(method, input);
      if (fault === undefined) return undefined;
      refuse(fault);
      if (fault.kind === "slow") await clock.sleep(fault.delayMs ?? 1000);
      return fault.kind === "lost" || fault.kind === "silent" ? fault.kind : undefined;
    },
    clear: () => void waiting.splice(0),
  };
}
