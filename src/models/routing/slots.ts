import type { Clock } from "#core/clock.ts";
import type { Priority } from "#core/route.ts";

import { createWorking, type Working } from "./working.ts";

/** A way to do a piece of work: the host that would do it, and how long it is expected to take there. */
export interface Place {
  readonly host: string;
  /** Milliseconds from beginning to end. */
  readonly workMs: number;
}

/** How long a piece of work waits. */
export interface Wait {
  /** Pieces of work that go before it. */
  readonly ahead: number;
  /** Milliseconds until it begins, as far as can be told. */
  readonly expectedMs: number;
}

/** A slot of a host, held until `release` is called, once. */
export interface Slot<P extends Place> {
  readonly place: P;
  readonly release: () => void;
}

/** What waits for a slot. */
export interface Want<P extends Place> {
  /** Where it may be done, the one that is preferred first; at least one. */
  readonly places: readonly P[];
  readonly priority: Priority;
  readonly signal: AbortSignal;
  /** Told when it begins to wait, and whenever less is before it. */
  readonly onWait?: (wait: Wait) => void;
}

/** What a host is doing. */
export interface Load {
  readonly working: number;
  /** Pieces of work that wait and could be done here. */
  readonly waiting: number;
}

/** The slots of all hosts. */
export interface Slots {
  /**
   * Resolves with a slot of one of the places: at once where one is free, by expected end, else in the order of priority and
   * waiting time, whichever host is free first. Rejects with the signal's reason when it aborts before that.
   */
  take<P extends Place>(want: Want<P>): Promise<Slot<P>>;
  /** A slot of the place that ends soonest, if one is free now. */
  takeNow<P extends Place>(places: readonly P[], priority: Priority): Slot<P> | undefined;
  load(host: string): Load;
  /** Milliseconds until work that comes now would begin there. */
  waitMs(host: string): number;
}

/** Work of a lower priority waits this long for the place of the next higher one, so that it is done some time. */
const ageMs = 20_000;
/** A free host that would end so many times later than a busy one is no help, unless that one turns out to be later still. */
const hopeless = 6;
const lookAgainMs = 1000;

const ranks: Readonly<Record<Priority, number>> = { interactive: 0, followUp: 1, background: 2 };

/** No work is broken off for other work, so what nobody waits for spares one slot of several, until it has waited itself. */
const spares = (level: number): boolean => level > ranks.followUp;

interface Waiting {
  readonly places: readonly Place[];
  readonly priority: Priority;
  /** By the clock's `elapsed`. */
  readonly since: number;
  readonly seq: number;
  readonly grant: (place: Place) => void;
  readonly onWait: ((wait: Wait) => void) | undefined;
  /** How many were before it when that was last said. */
  told: number;
}

const takes = ({ places }: Waiting, host: string): boolean =>
  places.some((place) => place.host === host);

/** Where a piece of work is done now, and what it would wait for elsewhere. */
function createChoice(working: Working, parallelOf: (host: string) => number) {
  /** Milliseconds of the work of these on this host, spread over its slots. */
  function queuedMs(host: string, before: readonly Waiting[]): number {
    const there = before.flatMap(({ places }) => places.filter((place) => place.host === host));
    return there.reduce((sum, { workMs }) => sum + workMs, 0) / parallelOf(host);
  }

  return {
    /** Milliseconds until a host is free for who comes after these. */
    waitMs: (host: string, before: readonly Waiting[]): number =>
      working.freeInMs(host) + queuedMs(host, before),
    /** The free place that ends soonest, unless waiting for a busy one would end far sooner. */
    free<P extends Place>(places: readonly P[], spared: boolean): P | undefined {
      let soonest = Number.POSITIVE_INFINITY;
      let best: P | undefined;
      for (const place of places) {
        const { host, workMs } = place;
        const isFree = working.isFree(host, spared);
        if (isFree && (best === undefined || workMs < best.workMs)) best = place;
        const waitMs = isFree ? 0 : working.freeInMs(host);
        soonest = Math.min(soonest, workMs + waitMs);
      }
      return best !== undefined && best.workMs <= soonest * hopeless ? best : undefined;
    },
  };
}

/** Who waits, in the order of their turns. `waitMs` is how long a host keeps who comes after these. */
function createLine(clock: Clock, waitMs: (host: string, before: readonly Waiting[]) => number) {
  const waiting = new Set<Waiting>();
  const level = ({ priority, since }: Waiting, now: number): number =>
    ranks[priority] - (now - since) / ageMs;

  function inOrder(): Waiting[] {
    const now = clock.elapsed();
    return [...waiting].toSorted((a, b) => level(a, now) - level(b, now) || a.seq - b.seq);
  }

  return {
    inOrder,
    spares: (want: Waiting) => spares(level(want, clock.elapsed())),
    add: (want: Waiting) => void waiting.add(want),
    leave: (want: Waiting) => void waiting.delete(want),
    countFor: (host: string) => [...waiting].filter((want) => takes(want, host)).length,
    /** Says to each how long it waits, where that has changed. */
    tell(): void {
      inOrder().forEach((want, ahead, all) => {
        if (want.told === ahead) return;
        want.told = ahead;
        const waits = want.places.map(({ host }) => waitMs(host, all.slice(0, ahead)));
        want.onWait?.({ ahead, expectedMs: Math.min(...waits) });
      });
    },
  };
}

/** Waits in the line until a slot is granted, or the signal aborts. */
function waitInLine<P extends Place>(
  line: ReturnType<typeof createLine>,
  want: Want<P> &
    Pick<Waiting, "seq" | "since"> & {
      readonly begin: (place: P) => Slot<P>;
      /** Called when somebody came or left. */
      readonly changed: () => void;
    },
): Promise<Slot<P>> {
  const { places, priority, signal, onWait, seq, since, begin, changed } = want;
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      line.leave(entry);
      reject(signal.reason);
      changed();
    };
    const grant = (granted: Place): void => {
      signal.removeEventListener("abort", abort);
      const mine = places.find((place) => place === granted);
      if (mine !== undefined) resolve(begin(mine));
    };
    const entry: Waiting = { places, priority, since, seq, grant, onWait, told: -1 };
    signal.addEventListener("abort", abort, { once: true });
    line.add(entry);
    changed();
  });
}

/** Slots of hosts that each do so many pieces of work at once. */
export function createSlots(clock: Clock, parallelOf: (host: string) => number): Slots {
  const working = createWorking(clock, parallelOf);
  const choice = createChoice(working, parallelOf);
  const line = createLine(clock, choice.waitMs);
  const state = { seq: 0, looking: false };

  function begin<P extends Place>(place: P): Slot<P> {
    const end = working.add(place.host, place.workMs);
    const release = (): void => void (end() && dispatch());
    return { place, release };
  }

  function dispatch(): void {
    for (const want of line.inOrder()) {
      const place = choice.free(want.places, line.spares(want));
      if (place === undefined) continue;
      line.leave(want);
      want.grant(place);
    }
    lookAgain();
  }

  /** Nothing may end on a host that does not answer, and a free one that was no help is one then. */
  function lookAgain(): void {
    line.tell();
    const isPassedBy = ({ places }: Waiting): boolean =>
      places.some(({ host }) => working.isFree(host, false));
    if (state.looking || !line.inOrder().some(isPassedBy)) return;
    state.looking = true;
    void clock.sleep(lookAgainMs).then(() => {
      state.looking = false;
      dispatch();
    });
  }

  function takeNow<P extends Place>(places: readonly P[], priority: Priority): Slot<P> | undefined {
    // Whoever waits could take none of the free slots, so nobody is passed by.
    const free = choice.free(places, spares(ranks[priority]));
    return free === undefined ? undefined : begin(free);
  }

  return {
    takeNow,
    async take(want) {
      want.signal.throwIfAborted();
      const now = takeNow(want.places, want.priority);
      if (now !== undefined) return now;
      state.seq += 1;
      const at = { seq: state.seq, since: clock.elapsed() };
      return waitInLine(line, { ...want, ...at, changed: lookAgain, begin });
    },
    load: (host) => ({ working: working.count(host), waiting: line.countFor(host) }),
    waitMs: (host) => choice.waitMs(host, line.inOrder()),
  };
}
