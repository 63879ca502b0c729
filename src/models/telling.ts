import { createMailbox } from "#core/mailbox.ts";
import type { ModelEvent } from "#core/model.ts";
import type { RoutedEvent } from "#core/router.ts";

/** How the work on one request tells its caller what happens. */
export interface Voice {
  /** Tells an event, after all that was told before. */
  say(event: RoutedEvent): void;
  /**
   * Hands over a model's own events, which then go to the caller without a way through the work: resolves when the caller has had them
   * all, or has left. What they throw goes to the caller, who has then left.
   */
  hand(events: AsyncIterable<ModelEvent>): Promise<void>;
}

interface Handed {
  readonly type: "handed";
  readonly events: AsyncIterable<ModelEvent>;
  readonly done: () => void;
}

/** A signal of one's own that aborts with another one, until that is let go. */
export interface Following {
  readonly signal: AbortSignal;
  readonly abort: (reason: string) => void;
  readonly letGo: () => void;
}

/** Makes a signal that follows this one. */
export function following(signal: AbortSignal): Following {
  const controller = new AbortController();
  // A reason is given each time, since to make the usual one takes longer than all else here.
  const pass = (): void => controller.abort(signal.reason);
  if (signal.aborted) pass();
  else signal.addEventListener("abort", pass);
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    letGo: () => signal.removeEventListener("abort", pass),
  };
}

/**
 * The events of work, as it tells them; rejects as it does. Its signal aborts with the given one, and when the iteration is left, which waits
 * for the work's end.
 */
export async function* telling(
  signal: AbortSignal,
  work: (voice: Voice, signal: AbortSignal) => Promise<void>,
): AsyncGenerator<RoutedEvent> {
  const box = createMailbox<RoutedEvent | Handed>();
  const own = following(signal);
  /** Lets the work go on whose model nobody listens to any more. */
  const state = { left: false, release: () => {} };
  const voice: Voice = {
    say: (event) => box.put(event),
    hand: (events) =>
      new Promise((done) => {
        if (state.left) done();
        state.release = done;
        box.put({ type: "handed", events, done });
      }),
  };
  async function toItsEnd(): Promise<void> {
    try {
      await work(voice, own.signal);
    } finally {
      box.close();
    }
  }
  const worked = toItsEnd();
  // It is awaited below, when all that was told has been heard.
  worked.catch(() => {});
  try {
    for (let told = await box.next(); told !== undefined; told = await box.next()) {
      if (told.type !== "handed") {
        yield told;
        continue;
      }
      yield* told.events;
      told.done();
    }
  } finally {
    state.left = true;
    state.release();
    own.abort("left");
    own.letGo();
    await worked;
  }
}
