import type { AppError } from "#core/errors.ts";
import type { ModelEvent, ModelStop } from "#core/model.ts";

/**
 * A model's stream over `work`: what it throws becomes the last event by `explain`, and the signal it is handed aborts when the
 * caller aborts and also when the consumer stops iterating.
 */
export async function* answering(
  signal: AbortSignal,
  work: (signal: AbortSignal) => AsyncGenerator<ModelEvent, ModelStop>,
  explain: (error: unknown) => AppError,
): AsyncGenerator<ModelEvent> {
  const left = new AbortController();
  try {
    yield yield* work(AbortSignal.any([signal, left.signal]));
  } catch (error) {
    if (signal.aborted) yield { type: "stop", reason: "aborted" };
    else yield { type: "stop", reason: "error", failure: explain(error).failure };
  } finally {
    left.abort();
  }
}
