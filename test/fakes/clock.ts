import type { Clock } from "../../src/core/clock.ts";

/** A clock that stands until it is moved; sleepers wake in the order of their times. */
export interface FakeClock extends Clock {
  pass(ms: number): void;
  /** Milliseconds until the next sleeper wakes; undefined where nobody sleeps. */
  next(): number | undefined;
}

/** A clock that stands until `pass` moves it. */
export function createFakeClock(start = 1_000_000): FakeClock {
  const sleepers = new Set<{ readonly at: number; readonly wake: () => void }>();
  const state = { now: start };
  return {
    now: () => state.now,
    elapsed: () => state.now,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const sleeper = { at: state.now + ms, wake };
        function wake(): void {
          sleepers.delete(sleeper);
          signal?.removeEventListener("abort", wake);
          resolve();
        }
        sleepers.add(sleeper);
        if (signal?.aborted) wake();
        else signal?.addEventListener("abort", wake, { once: true });
      }),
    next() {
      const times = [...sleepers].map(({ at }) => at);
      return times.length === 0 ? undefined : Math.max(0, Math.min(...times) - state.now);
    },
    pass(ms) {
      state.now += ms;
      const due = [...sleepers].filter((sleeper) => sleeper.at <= state.now);
      for (const sleeper of due.toSorted((a, b) => a.at - b.at)) sleeper.wake();
    },
  };
}

/** A clock on which short sleeps pass at once and move it on, and longer ones, which are deadlines, last until they are aborted. */
export function createHurriedClock(longestMs = 20_000, start = 1_000_000): Clock {
  const clock = createFakeClock(start);
  return {
    ...clock,
    async sleep(ms, signal) {
      if (ms > longestMs) await clock.sleep(ms, signal);
      else if (signal?.aborted !== true) clock.pass(ms);
    },
  };
}
