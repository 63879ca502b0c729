import type { ChatPlatform } from "#core/chat.ts";
import { AppError } from "#core/errors.ts";
import type { Runner, Watch } from "#core/runner.ts";
import type { Store } from "#core/store.ts";
import type { Task } from "#core/task.ts";

import type { SenderDeps } from "./deliver.ts";
import { createLive } from "./live.ts";
import { platformOf } from "./parts.ts";
import type { Receipts } from "./receipts.ts";
import type { Sender } from "./sender.ts";

/** Works the tasks of chats, shows them as they go, and hands their answers to the sender. */
export interface Work {
  /** Works a task that has just been stored, or that goes on. */
  begin(task: Task): void;
  /** Works what an earlier process left open in the chats of a platform; resolves when all of it is in its place. */
  resume(platform: string): Promise<void>;
  /** Ends a task that is being worked or waits for its turn; false where it is neither. */
  stop(taskId: string): boolean;
  /** Resolves when a task that was stopped has ended; at once where nobody works it. */
  over(taskId: string): Promise<void>;
  /** Something was stored for a task that is being worked: it goes on with it. */
  steer(taskId: string): void;
  /** Resolves when no task of this chat is being worked. */
  quiet(chatId: string): Promise<void>;
  /** Resolves when no task is being worked. */
  settled(): Promise<void>;
}

/** What working the tasks of chats needs. */
export interface WorkDeps extends SenderDeps {
  readonly receipts: Receipts;
  readonly store: SenderDeps["store"] & Pick<Store, "openTasks">;
  readonly runner: Runner;
}

/** How a task is ended, and how it is interrupted. */
interface Reins {
  readonly over: PromiseWithResolvers<void>;
  readonly stop: AbortController;
  interrupt: AbortController;
}

function newReins(): Reins {
  return {
    over: Promise.withResolvers(),
    stop: new AbortController(),
    interrupt: new AbortController(),
  };
}

/** What goes on in chats. */
function createGoing() {
  const going = new Map<Promise<void>, string>();
  return {
    add(chatId: string, work: Promise<void>): void {
      going.set(work, chatId);
      void work.finally(() => going.delete(work));
    },
    async over(chatId: string | undefined): Promise<void> {
      for (;;) {
        const here = [...going].filter(([, place]) => chatId === undefined || place === chatId);
        if (here.length === 0) return;
        await Promise.all(here.map(([work]) => work));
      }
    },
  };
}

/** Follows tasks to their end, and knows how each is stopped. */
function createFollowing({ store, runner, receipts, clock, log }: WorkDeps, sender: Sender) {
  const reins = new Map<string, Reins>();
  const going = createGoing();
  const addressOf = async (chatId: string): Promise<string | undefined> =>
    (await store.chat(chatId))?.address;

  async function markWaiting(platform: ChatPlatform, { chatId, replyTo }: Task): Promise<void> {
    const chat = await store.chat(chatId);
    if (chat !== undefined && replyTo !== null) receipts(platform, chat, replyTo);
  }

  async function follow(task: Task, platform: ChatPlatform): Promise<void> {
    const mine = newReins();
    reins.set(task.id, mine);
    const live = createLive({ clock, sender, platform, addressOf }, task);
    const over = (): void => {
      live.end();
      sender.wake(task.chatId);
    };
    const watch: Watch = {
      persists: true,
      signal: mine.stop.signal,
      interrupted: () => mine.interrupt.signal,
      onEvent(event) {
        live.onEvent(event);
        if (event.type === "queued") markWaiting(platform, task).catch(() => undefined);
        if (event.type === "end" || event.type === "waiting") over();
      },
    };
    try {
      await runner.work(task, watch);
    } catch (error) {
      if (!(error instanceof AppError)) log.bug(error, { task: task.id });
    } finally {
      // A task whose question was answered at once is followed anew already.
      if (reins.get(task.id) === mine) reins.delete(task.id);
      mine.over.resolve();
      over();
    }
  }

  return {
    reins,
    add(task: Task, platform: ChatPlatform): void {
      going.add(task.chatId, follow(task, platform));
    },
    /** Resolves when no task is followed any more, of this chat or at all. */
    over: (chatId?: string) => going.over(chatId),
  };
}

/** The work of every chat. */
export function createWork(deps: WorkDeps, sender: Sender): Work {
  const { platforms, store } = deps;
  const following = createFollowing(deps, sender);
  const { reins } = following;

  function begin(task: Task): void {
    const platform = platforms.get(platformOf(task.chatId));
    if (platform !== undefined) following.add(task, platform);
  }

  return {
    begin,
    async resume(platform) {
      for (const task of await store.openTasks()) {
        // What answers no message was asked for by a command, and goes on without a chat.
        if (platformOf(task.chatId) === platform && task.replyTo !== null) begin(task);
      }
    },
    stop(taskId) {
      const mine = reins.get(taskId);
      mine?.stop.abort();
      return mine !== undefined;
    },
    async over(taskId) {
      await reins.get(taskId)?.over.promise;
    },
    steer(taskId) {
      const mine = reins.get(taskId);
      if (mine === undefined) return;
      // The calls that follow are broken off by the next thing that is said.
      const { interrupt } = mine;
      mine.interrupt = new AbortController();
      interrupt.abort();
    },
    quiet: (chatId) => following.over(chatId),
    settled: () => following.over(),
  };
}
