import type { Clock } from "#core/clock.ts";
import type { Priority } from "#core/router.ts";

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
  release(): void;
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

interface Working {
  readonly startedAt: number;
  readonly workMs: number;
}

interface Waiting {
  readonly places: readonly Place[];
  readonly priority: Priority;
  readonly since: number;
  readonly seq: number;
  readonly grant: (place: Place, release: () => void) => void;
  readonly onWait: ((wait: Wait) => void) | undefined;
  told: number;
}

/** What is being done, by host. */
function createWorking(clock: Clock, parallelOf: (host: string) => number) {
  const hosts = new Map<string, Set<Working>>();
  const of = (host: string): ReadonlySet<Working> => hosts.get(host) ?? new Set();
  return {
    count: (host: string) => of(host).size,
    /** Background work leaves one slot of several free, since no work is broken off for other work. */
    isFree(host: string, priority: Priority): boolean {
      const slots = parallelOf(host);
      const kept = priority === "background" && slots > 1 ? 1 : 0;
      return of(host).size < slots - kept;
    },
    add(host: string, workMs: number): () => void {
      const work = { startedAt: clock.elapsed(), workMs };
      const there = hosts.get(host) ?? new Set();
      hosts.set(host, there.add(work));
      return () => there.delete(work);
    },
    /** Milliseconds until a slot is free, if all goes as expected. */
    freeInMs(host: string): number {
      if (of(host).size < parallelOf(host)) return 0;
      const now = clock.elapsed();
      // What is late is expected to be late for as long again.
      const left = [...of(host)].map((work) => Math.abs(work.startedAt + work.workMs - now));
      return Math.min(...left);
    },
  };
}

/** Slots of hosts that each do so many pieces of work at once. */
export function createSlots(clock: Clock, parallelOf: (host: string) => number): Slots {
  const working = createWorking(clock, parallelOf);
  const waiting = new Set<Waiting>();
  const state = { seq: 0, looking: false };

  function levelOf({ priority, since }: Waiting): number {
    return ranks[priority] - (clock.elapsed() - since) / ageMs;
  }

  function inOrder(): Waiting[] {
    const levels = new Map([...waiting].map((want) => [want, levelOf(want)]));
    const level = (want: Waiting): number => levels.get(want) ?? 0;
    return [...waiting].toSorted((a, b) => level(a) - level(b) || a.seq - b.seq);
  }

  const takes = (want: Waiting, host: string): boolean =>
    want.places.some((place) => place.host === host);

  /** Milliseconds of the work that is before `want` on this host, spread over its slots. */
  function queuedMs(host: string, before: readonly Waiting[]): number {
    const there = before.filter((other) => takes(other, host));
    const work = there.map(
      ({ places }) => places.find((place) => place.host === host)?.workMs ?? 0,
    );
    return work.reduce((sum, ms) => sum + ms, 0) / parallelOf(host);
  }

  const waitOn = (host: string, before: readonly Waiting[]): number =>
    working.freeInMs(host) + queuedMs(host, before);

  function free(places: readonly Place[], priority: Priority): Place | undefined {
    const ends = places.map(({ host, workMs }) => workMs + working.freeInMs(host));
    const limit = Math.min(...ends) * hopeless;
    return places
      .filter(({ host, workMs }) => working.isFree(host, priority) && workMs <= limit)
      .reduce<Place | undefined>(
        (best, place) => (best === undefined || place.workMs < best.workMs ? place : best),
        undefined,
      );
  }

  function tell(): void {
    inOrder().forEach((want, ahead, all) => {
      if (want.told === ahead) return;
      want.told = ahead;
      const before = all.slice(0, ahead);
      const waits = want.places.map(({ host }) => waitOn(host, before));
      want.onWait?.({ ahead, expectedMs: Math.min(...waits) });
    });
  }

  function begin(place: Place): () => void {
    const end = working.add(place.host, place.workMs);
    const held = { open: true };
    return () => {
      if (!held.open) return;
      held.open = false;
      end();
      dispatch();
    };
  }

  function dispatch(): void {
    for (const want of inOrder()) {
      const place = free(want.places, want.priority);
      if (place === undefined) continue;
      waiting.delete(want);
      want.grant(place, begin(place));
    }
    tell();
    lookAgain();
  }

  /** Nothing may end on a host that does not answer, and a free one that was no help is one then. */
  function lookAgain(): void {
    const passing = [...waiting].some(({ places, priority }) =>
      places.some(({ host }) => working.isFree(host, priority)),
    );
    if (!passing || state.looking) return;
    state.looking = true;
    void clock.sleep(lookAgainMs).then(() => {
      state.looking = false;
      dispatch();
    });
  }

  function wait(want: Want<Place>, grant: Waiting["grant"], fail: (why: unknown) => void): void {
    const { places, priority, signal, onWait } = want;
    state.seq += 1;
    const abort = (): void => {
      waiting.delete(entry);
      fail(signal.reason);
      tell();
    };
    const entry: Waiting = {
      places,
      priority,
      since: clock.elapsed(),
      seq: state.seq,
      onWait,
      told: -1,
      grant(place, release) {
        signal.removeEventListener("abort", abort);
        grant(place, release);
      },
    };
    signal.addEventListener("abort", abort, { once: true });
    waiting.add(entry);
    tell();
    lookAgain();
  }

  return {
    take: (want) =>
      new Promise((resolve, reject) => {
        if (want.signal.aborted) {
          reject(want.signal.reason);
          return;
        }
        const grant = (place: Place, release: () => void): void => {
          const mine = want.places.find((one) => one === place);
          if (mine !== undefined) resolve({ place: mine, release });
        };
        // Whoever waits could take none of the free slots, so nobody is passed by.
        const place = free(want.places, want.priority);
        if (place === undefined) wait(want, grant, reject);
        else grant(place, begin(place));
      }),
    load: (host) => ({
      working: working.count(host),
      waiting: [...waiting].filter((want) => takes(want, host)).length,
    }),
    waitMs: (host) => waitOn(host, [...waiting]),
  };
}
