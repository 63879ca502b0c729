import type { Clock } from "./clock.ts";
import { AppError } from "./errors.ts";

const firstPauseMs = 250;
const longestPauseMs = 5000;

/** True for a failure of the store that may pass, such as a full disk. */
export function mayPass(error: unknown): boolean {
  return (
    error instanceof AppError && error.code.startsWith("store.") && error.code !== "store.closed"
  );
}

/**
 * Does again what the store cannot take for now, until it can or the signal aborts. Any other failure, and the last one of the store
 * once the signal has aborted, is thrown on. `onTrouble` hears of the first.
 */
export async function insist<Result>(
  work: () => Promise<Result>,
  by: {
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly onTrouble: (error: unknown) => void;
  },
): Promise<Result> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (!mayPass(error) || by.signal.aborted) throw error;
      if (tries === 0) by.onTrouble(error);
      await by.clock.sleep(Math.min(firstPauseMs * 2 ** tries, longestPauseMs), by.signal);
      if (by.signal.aborted) throw error;
    }
  }
}
