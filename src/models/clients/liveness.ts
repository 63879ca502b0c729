import type { Clock } from "#core/clock.ts";

import { within } from "./deadline.ts";

/** How a host that has said nothing yet is looked at. */
export interface Liveness {
  readonly clock: Clock;
  /** Asks the host something that it answers at once, whatever it works on; rejects where it does not. */
  readonly look: (signal: AbortSignal) => Promise<unknown>;
  /** What waiting for it ends with where it is gone. */
  readonly gone: () => Error;
}

/** Reading a long prompt takes its time; a host that is looked at before that has something else to do. */
const everyMs = 25_000;
const answerMs = 5000;
/** One answer may be lost, and may be late on a machine that has much to do. */
const mostMissed = 2;

/** Resolves and rejects as `work` does, and rejects before its deadline where the host that works on it answers nothing at all. */
export async function whileAlive<Result>(
  { clock, look, gone }: Liveness,
  work: Promise<Result>,
): Promise<Result> {
  const over = new AbortController();

  async function watch(): Promise<Result> {
    let missed = 0;
    let lookedAt = 0;
    let looks: readonly Promise<unknown>[] = [];
    while (missed < mostMissed) {
      // A network that is gone for a moment fails at once, and keeps what is under way: the second look is no part of the first.
      const pauseMs = missed === 0 ? everyMs : lookedAt + answerMs - clock.elapsed();
      if (pauseMs > 0) await clock.sleep(pauseMs, over.signal);
      if (over.signal.aborted) return work;
      lookedAt = clock.elapsed();
      // The answer to an earlier look counts too: where everything is late, it comes while the next one is waited for.
      looks = [...(missed === 0 ? [] : looks), look(over.signal)];
      const isHere = await within(clock, answerMs, Promise.any(looks)).then(
        () => true,
        () => false,
      );
      missed = isHere ? 0 : missed + 1;
    }
    if (over.signal.aborted) return work;
    throw gone();
  }

  try {
    return await Promise.race([work, watch()]);
  } finally {
    over.abort("over");
  }
}
