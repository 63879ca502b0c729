import type { Clock } from "#core/clock.ts";

import { createDeliver, type Delivery, type SenderDeps } from "./deliver.ts";

/** The one that sends what is in the outbox, and the only one that tries again. */
export interface Sender {
  /** There may be something to send in this chat. */
  wake(chatId: string): void;
  /** Sends what an earlier process left open. */
  recover(platform: string): Promise<void>;
  /** Ends when all is sent, or after so many milliseconds; what is not sent stays in the outbox. */
  stop(graceMs: number): Promise<void>;
}

/** How long a chat rests after a bug. */
const restMs = 60_000;

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
    async settled(): Promise<void> {
      while (going.size > 0) await Promise.all([...going.values()].map(({ end }) => end));
    },
  };
}

/** A pause that holds for all. */
function createPause(clock: Clock) {
  const state = { until: 0 };
  return {
    extend: (ms: number) => void (state.until = Math.max(state.until, clock.now() + ms)),
    leftMs: () => Math.max(0, state.until - clock.now()),
  };
}

/** The sender of every chat: the rows of one chat in order, different chats side by side. */
export function createSender(deps: SenderDeps): Sender {
  const { store, platforms, clock, log } = deps;
  const deliver = createDeliver(deps);
  const pause = createPause(clock);
  const ending = new AbortController();
  const { signal } = ending;

  async function next(chatId: string): Promise<Delivery | undefined> {
    const [row] = await store.openParts(chatId);
    const chat = row === undefined ? undefined : await store.chat(chatId);
    const platform = chat === undefined ? undefined : platforms.get(chat.platform);
    if (row === undefined || chat === undefined || platform === undefined) return undefined;
    return { platform, chat, row, target: { address: chat.address, replyTo: row.replyTo } };
  }

  async function sendOpen(chatId: string): Promise<void> {
    while (!signal.aborted) {
      const delivery = await next(chatId);
      if (delivery === undefined) return;
      if (pause.leftMs() > 0) await clock.sleep(pause.leftMs(), signal);
      if (signal.aborted) return;
      const wait = await deliver(delivery);
      if (wait.everywhere) pause.extend(wait.ms);
      else if (wait.ms > 0) await clock.sleep(wait.ms, signal);
    }
  }

  const workers = createWorkers(
    async (chatId) => {
      try {
        await sendOpen(chatId);
      } catch (error) {
        log.bug(error, { chat: chatId });
        await clock.sleep(restMs, signal);
        workers.wake(chatId);
      }
    },
    () => signal.aborted,
  );

  return {
    wake: (chatId) => workers.wake(chatId),
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
