import type { ChatPlatform, Target } from "#core/chat.ts";
import type { Clock } from "#core/clock.ts";
import type { TaskEvent } from "#core/task.ts";

/** Shows that a task is being worked, and what there is of its answer; all of it may be lost. */
export interface Live {
  onEvent(event: TaskEvent): void;
  /** Shows nothing more; resolves when nothing is under way, so that no draft comes after the answer. */
  end(): Promise<void>;
}

/** An answer that comes sooner than this needs no sign of life. */
const patienceMs = 400;
/** A draft at most this often: Telegram counts them. */
const draftEveryMs = 800;
/** A sign lasts five seconds on Telegram. */
const typingEveryMs = 4000;
const failureLimit = 3;
/** A sign of life that outlives its task would lie. */
const longestMs = 30 * 60_000;

/** Follows one task for the chat that it belongs to. */
export function createLive(
  platform: ChatPlatform,
  target: Target,
  { clock, draftId }: { readonly clock: Clock; readonly draftId: string },
): Live {
  const ending = new AbortController();
  const { signal } = ending;
  const state = { text: "", shown: "", typedAt: 0, failures: 0 };

  async function show(now: number): Promise<void> {
    const { text } = state;
    if (platform.draft !== undefined && text !== state.shown && text.trim() !== "") {
      state.shown = text;
      state.typedAt = now;
      await platform.draft(target, draftId, text);
    } else if (now - state.typedAt >= typingEveryMs) {
      state.typedAt = now;
      await platform.typing(target.address);
    }
  }

  async function follow(): Promise<void> {
    await clock.sleep(patienceMs, signal);
    const until = clock.now() + longestMs;
    while (!signal.aborted && state.failures < failureLimit && clock.now() < until) {
      try {
        await show(clock.now());
        state.failures = 0;
      } catch {
        state.failures += 1;
      }
      await clock.sleep(draftEveryMs, signal);
    }
  }

  const following: { done: Promise<void> | undefined } = { done: undefined };
  return {
    onEvent(event) {
      if (event.type === "start") following.done ??= follow();
      else if (event.type === "chosen") state.text = "";
      else if (event.type === "text") state.text += event.text;
    },
    async end() {
      ending.abort();
      await following.done;
    },
  };
}
