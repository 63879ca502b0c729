import type { Clock } from "#core/clock.ts";
import { reasonOf } from "#core/errors.ts";
import { mayPass } from "#core/insist.ts";
import type { Task } from "#core/task.ts";

import { createDeliver, type Delivery, type SenderDeps, type Wait } from "./deliver.ts";
import { createPace } from "./pace.ts";
import { createShowing, type Piece } from "./showing.ts";

/** The one that sends what is in the outbox, and the only one that tries again. */
export interface Sender {
  /** There may be something to send in this chat. */
  wake(chatId: string): void;
  /** Shows what there is of a task's answer, when nothing else is to be sent in its chat; it may be lost. */
  show(task: Task, markdown: string): void;
  /** Nothing more of this task is to be shown. */
  hush(taskId: string): void;
  /** Resolves when nothing is being sent in this chat. */
  quiet(chatId: string): Promise<void>;
  /** Sends what an earlier process left open. */
  recover(platform: string): Promise<void>;
  /** Ends when all is sent, or after so many milliseconds; what is not sent stays in the outbox. */
  stop(graceMs: number): Promise<void>;
}

/** How long a chat rests after a bug, and where the store takes nothing for now. */
const restMs = 60_000;
const storeRestMs = 1000;

/** Works keys one at a time each; a key that is woken while it is worked is worked once more. */
function createWorkers(work: (key: string) => Promise<void>, isEnding: () => boolean) {
  const going = new Map<string, { again: boolean; readonly end: Promise<void> }>();

  async function workOn(key: string): Promise<void> {
    for (;;) {
      await work(key);
      const mine = going.get(key);
      if (mine?.again !== true || isEnding()) break;
      mine.again = false;
    }
    going.delete(key);
  }

  return {
    wake(key: string): void {
      const mine = going.get(key);
      if (mine !== undefined) mine.again = true;
      else if (!isEnding()) {
        going.set(key, { again: false, end: Promise.resolve().then(() => workOn(key)) });
      }
    },
    async quiet(key: string): Promise<void> {
      while (going.has(key)) await going.get(key)?.end;
    },
    async settled(): Promise<void> {
      while (going.size > 0) await Promise.all([...going.values()].map(({ end }) => end));
    },
  };
}

/** A pause that holds for all. */
function createPause(clock: Clock) {
  const state = { until: 0 };
  return {
    extend: (ms: number) => void (state.until = Math.max(state.until, clock.elapsed() + ms)),
    leftMs: () => Math.max(0, state.until - clock.elapsed()),
  };
}

/** What is to be sent next in a chat. */
async function nextOf(
  { store, platforms }: SenderDeps,
  chatId: string,
): Promise<Delivery | undefined> {
  const [row, ...others] = await store.openParts(chatId);
  const chat = row === undefined ? undefined : await store.chat(chatId);
  const platform = chat === undefined ? undefined : platforms.get(chat.platform);
  if (row === undefined || chat === undefined || platform === undefined) return undefined;
  const target = { address: chat.address, replyTo: row.replyTo, taskId: row.taskId };
  return { platform, chat, row, target, isLast: others.length === 0 };
}

/** Sends the rows of one chat in order and, where there are none, what is to be shown. */
function createSending(deps: SenderDeps, signal: AbortSignal) {
  const { store, platforms, clock } = deps;
  const deliver = createDeliver(deps);
  const showing = createShowing(deps);
  const pause = createPause(clock);
  const pace = createPace(clock);

  async function obey(chatId: string, wait: Wait): Promise<void> {
    if (wait.asked === true) pace.slowDown(chatId);
    if (wait.everywhere) pause.extend(wait.ms);
    else if (wait.ms > 0) await clock.sleep(wait.ms, signal);
  }

  /** False where nobody is there to see it. */
  async function send(delivery: Delivery): Promise<boolean> {
    const { chat, platform, row } = delivery;
    const waitMs = pace.take(chat.id, platform.manners(chat.address));
    if (waitMs > 0) await clock.sleep(waitMs, signal);
    if (pause.leftMs() > 0) await clock.sleep(pause.leftMs(), signal);
    if (signal.aborted) return true;
    const wait = await deliver(delivery);
    if (wait.messageId !== undefined) showing.sent(row, wait.messageId);
    await obey(chat.id, wait);
    return wait.absent !== true;
  }

  async function show(chatId: string, piece: Piece): Promise<void> {
    const chat = await store.chat(chatId);
    const platform = chat === undefined ? undefined : platforms.get(chat.platform);
    if (chat === undefined || platform === undefined || pause.leftMs() > 0) return;
    // What may be lost is not sent at the cost of what may not.
    if (pace.take(chatId, platform.manners(chat.address)) > 0) return;
    await obey(chatId, await showing.show(piece, { chat, platform }));
  }

  return {
    showing,
    async all(chatId: string): Promise<void> {
      while (!signal.aborted) {
        const delivery = await nextOf(deps, chatId);
        if (delivery !== undefined) {
          if (!(await send(delivery))) return;
        } else {
          const piece = showing.take(chatId);
          if (piece === undefined) return;
          await show(chatId, piece);
        }
      }
    },
  };
}

/** The sender of every chat: the rows of one chat in order, different chats side by side. */
export function createSender(deps: SenderDeps): Sender {
  const { store, clock, log } = deps;
  const ending = new AbortController();
  const { signal } = ending;
  const sending = createSending(deps, signal);
  const { showing } = sending;

  const workers = createWorkers(
    async (chatId) => {
      try {
        await sending.all(chatId);
      } catch (error) {
        const passes = mayPass(error);
        if (passes) log.warn("message is sent later", { chat: chatId, reason: reasonOf(error) });
        else log.bug(error, { chat: chatId });
        await clock.sleep(passes ? storeRestMs : restMs, signal);
        workers.wake(chatId);
      }
    },
    () => signal.aborted,
  );

  return {
    wake: (chatId) => workers.wake(chatId),
    show(task, markdown) {
      showing.put(task, markdown);
      workers.wake(task.chatId);
    },
    hush: (taskId) => showing.hush(taskId),
    quiet: (chatId) => workers.quiet(chatId),
    async recover(platform) {
      for (const chatId of await store.chatsToSend(platform)) workers.wake(chatId);
    },
    async stop(graceMs) {
      const waiting = new AbortController();
      void clock.sleep(graceMs, waiting.signal).then(() => ending.abort());
      await workers.settled();
      waiting.abort();
      ending.abort();
    },
  };
}
