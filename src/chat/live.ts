import type { ChatPlatform, Manners } from "#core/chat.ts";
import type { Clock } from "#core/clock.ts";
import { anewNotice, loadingText, type Task, type TaskEvent, waitText } from "#core/task.ts";

import type { Sender } from "./sender.ts";

/** Shows that a task is being worked, and what there is of its answer; all of it may be lost. */
export interface Live {
  onEvent(event: TaskEvent): void;
  /** Shows nothing more. */
  end(): void;
}

/** An answer that comes sooner than this needs no sign of life, unless its chat bears one more often. */
const patienceMs = 400;
/** Thought of longer than this it is shown, so that it can be stopped. */
const silenceMs = 1600;
/** A draft lives for 30 seconds on Telegram. */
const renewMs = 20_000;
/** A sign lasts five seconds on Telegram. */
const typingEveryMs = 4000;
const failureLimit = 3;
/** A sign of life that outlives its task would lie. */
const longestMs = 30 * 60_000;

/** What following a task works with. */
export interface LiveDeps {
  readonly clock: Clock;
  readonly sender: Sender;
  readonly platform: ChatPlatform;
  /** Where the chat is now. */
  readonly addressOf: (chatId: string) => Promise<string | undefined>;
}

/** The moment of what has not happened yet. */
const never = Number.NEGATIVE_INFINITY;

/** What has been shown of an answer, and when by the clock's `elapsed`. */
interface ShownSoFar {
  readonly text: string;
  readonly shown: string;
  readonly shownAt: number;
  readonly startedAt: number;
  readonly now: number;
}

function isDue({ text, shown, shownAt, startedAt, now }: ShownSoFar, manners: Manners): boolean {
  if (text !== shown) return now - shownAt >= manners.liveEveryMs;
  if (shownAt === never) return now - startedAt >= silenceMs;
  return manners.live === "draft" && now - shownAt >= renewMs;
}

/** How long it is between two looks at what there is. */
async function paceOf(
  { platform, addressOf }: Pick<LiveDeps, "platform" | "addressOf">,
  { chatId }: Task,
): Promise<number> {
  const address = await addressOf(chatId).catch(() => undefined);
  if (address === undefined) return patienceMs;
  return Math.min(patienceMs, platform.manners(address).liveEveryMs);
}

/** Shows what there is of an answer where that is due, and else that work goes on. */
function createShow({ clock, sender, platform }: LiveDeps, task: Task) {
  const startedAt = clock.elapsed();
  const state = { shown: "", shownAt: never, typedAt: never };
  return async (address: string, text: string): Promise<void> => {
    const now = clock.elapsed();
    if (isDue({ ...state, text, now, startedAt }, platform.manners(address))) {
      state.shown = text;
      state.shownAt = now;
      sender.show(task, text);
    } else if (now - state.typedAt >= typingEveryMs) {
      state.typedAt = now;
      await platform.typing(address);
    }
  };
}

/** Says a line beside an answer; it may be lost. */
async function besideAnswer(
  { platform, addressOf }: LiveDeps,
  { chatId }: Task,
  line: string,
): Promise<void> {
  try {
    const address = await addressOf(chatId);
    if (address !== undefined) await platform.beside?.(address, line);
  } catch {
    // The answer itself comes all the same.
  }
}

/** What there is of an answer, and the line that stands in its place until it begins. */
function createAnswer(deps: LiveDeps, task: Task) {
  const state = { text: "", aside: "", unfinished: false };
  const isBeside = deps.platform.beside !== undefined;

  function say(line: string): void {
    if (isBeside) void besideAnswer(deps, task, line);
    else state.aside = line;
  }

  return {
    shown: (): string => state.text || state.aside,
    take(event: TaskEvent): void {
      if (event.type === "chosen") {
        // Where the answer is redrawn in its own place, that it begins anew is to be seen.
        if (state.unfinished && isBeside) say(anewNotice);
        Object.assign(state, { text: "", aside: "", unfinished: false });
      } else if (event.type === "text") {
        state.text += event.text;
        state.unfinished = true;
      } else if (event.type === "tool") state.unfinished = false;
      else if (event.type === "loading") state.aside = loadingText;
      else if (event.type === "wait") {
        const line = waitText(event);
        if (line !== undefined) say(line);
      }
    },
  };
}

/** Follows one task for the chat that it belongs to. */
export function createLive(deps: LiveDeps, task: Task): Live {
  const { clock, sender, addressOf } = deps;
  const ending = new AbortController();
  const { signal } = ending;
  const show = createShow(deps, task);
  const answer = createAnswer(deps, task);
  const state = { failures: 0, following: false };

  async function follow(): Promise<void> {
    const paceMs = await paceOf(deps, task);
    await clock.sleep(paceMs, signal);
    const until = clock.elapsed() + longestMs;
    while (!signal.aborted && state.failures < failureLimit && clock.elapsed() < until) {
      try {
        const address = await addressOf(task.chatId);
        if (address !== undefined && !signal.aborted) await show(address, answer.shown());
        state.failures = 0;
      } catch {
        state.failures += 1;
      }
      await clock.sleep(paceMs, signal);
    }
  }

  return {
    onEvent(event) {
      answer.take(event);
      if (event.type === "start" && !state.following) {
        state.following = true;
        void follow();
      }
    },
    end() {
      ending.abort();
      sender.hush(task.id);
    },
  };
}
