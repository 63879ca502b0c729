import type { Clock } from "#core/clock.ts";

/** Thrown by a watched stream that was silent for too long. */
export class SilenceError extends Error {
  readonly seconds: number;

  constructor(ms: number) {
    super(`silent for ${ms} ms`);
    this.name = "SilenceError";
    this.seconds = Math.round(ms / 1000);
  }
}

/** Resolves as `work` does, or rejects with a SilenceError after `ms`; `work` itself goes on. */
export async function within<Result>(
  clock: Clock,
  ms: number,
  work: Promise<Result>,
): Promise<Result> {
  const done = new AbortController();
  const silence = clock.sleep(ms, done.signal).then(() => {
    if (!done.signal.aborted) throw new SilenceError(ms);
    return work;
  });
  try {
    return await Promise.race([work, silence]);
  } finally {
    done.abort();
  }
}

/** Resolves when `work` does, rejects as it does, and resolves when the signal aborts; `work` itself goes on. */
export async function untilAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  const abort = (): void => aborted.resolve();
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** The items of a stream; rejects with a SilenceError when the next one takes longer than its deadline. */
export async function* watched<Item>(
  clock: Clock,
  items: AsyncIterable<Item>,
  deadlines: { readonly firstMs: number; readonly idleMs: number },
): AsyncGenerator<Item> {
  const iterator = items[Symbol.asyncIterator]();
  let ms = deadlines.firstMs;
  try {
    for (;;) {
      const next = await within(clock, ms, iterator.next());
      if (next.done === true) return;
      yield next.value;
      ms = deadlines.idleMs;
    }
  } finally {
    // A hanging read never settles, so nobody may wait for it here.
    void iterator.return?.()?.catch(() => undefined);
  }
}
