import type { AppError } from "#core/errors.ts";
import type { ModelEvent, ModelStop } from "#core/model.ts";

const aborted: ModelStop = { type: "stop", reason: "aborted" };

/** The stop of a failure. */
export function failedStop({ failure, retryMs }: AppError): ModelStop {
  const stop = { type: "stop", reason: "error", failure } as const;
  return retryMs === undefined ? stop : { ...stop, retryMs };
}

/**
 * A model's stream over `work`: what it throws becomes the last event by `explain`, and the signal it is handed aborts when the
 * caller aborts and also when the consumer stops iterating. After an abort nothing comes but the stop.
 */
export async function* answering(
  signal: AbortSignal,
  work: (signal: AbortSignal) => AsyncGenerator<ModelEvent, ModelStop>,
  explain: (error: unknown) => AppError,
): AsyncGenerator<ModelEvent> {
  const left = new AbortController();
  const events = work(AbortSignal.any([signal, left.signal]));
  try {
    for (;;) {
      const next = await events.next();
      // What had come already may be whole, and is still not wanted any more.
      signal.throwIfAborted();
      yield next.value;
      if (next.done === true) return;
    }
  } catch (error) {
    if (signal.aborted) yield aborted;
    else yield failedStop(explain(error));
  } finally {
    left.abort();
    // A hanging read never settles, so nobody may wait for it here.
    void events.return(aborted).catch(() => undefined);
  }
}
