import type { Clock } from "../../src/core/clock.ts";

/** A clock that stands until `pass` moves it; sleepers wake in the order of their times. */
export function createFakeClock(start = 1_000_000): Clock & { pass(ms: number): void } {
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
    pass(ms) {
      state.now += ms;
      const due = [...sleepers].filter((sleeper) => sleeper.at <= state.now);
      for (const sleeper of due.toSorted((a, b) => a.at - b.at)) sleeper.wake();
    },
  };
}
