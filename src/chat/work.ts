import type { ChatPlatform } from "#core/chat.ts";
import { AppError } from "#core/errors.ts";
import type { Runner, Watch } from "#core/runner.ts";
import type { Task } from "#core/task.ts";

import type { SenderDeps } from "./deliver.ts";
import { createLive } from "./live.ts";
import { platformOf } from "./parts.ts";
import type { Sender } from "./sender.ts";

/** Works the tasks of chats, shows them as they go, and hands their answers to the sender. */
export interface Work {
  /** Works a task that has just been stored. */
  begin(task: Task, address: string): void;
  /** Works what an earlier process left open in these chats. */
  resume(): Promise<void>;
  /** Ends a task that is being worked or waits for its turn; false where it is neither. */
  stop(taskId: string): boolean;
  /** Resolves when no task is being worked. */
  settled(): Promise<void>;
}

/** What working the tasks of chats needs. */
export interface WorkDeps extends SenderDeps {
  readonly runner: Runner;
}

/** Follows tasks to their end, and knows how each is stopped. */
function createFollowing({ clock, log }: WorkDeps, sender: Sender) {
  const stops = new Map<string, AbortController>();
  const going = new Set<Promise<void>>();

  async function follow(task: Task, worked: Promise<unknown>): Promise<void> {
    try {
      await worked;
    } catch (error) {
      if (!(error instanceof AppError)) log.bug(error, { task: task.id });
    } finally {
      stops.delete(task.id);
      sender.wake(task.chatId);
    }
  }

  return {
    stops,
    going,
    watch(task: Task, platform: ChatPlatform, address: string): Watch {
      const controller = new AbortController();
      stops.set(task.id, controller);
      const target = { address, replyTo: task.replyTo };
      const live = createLive(platform, target, { clock, draftId: task.id });
      return {
        signal: controller.signal,
        onEvent(event) {
          live.onEvent(event);
          if (event.type === "queued" && task.replyTo !== null)
            platform.receipt(address, task.replyTo).catch(() => undefined);
          if (event.type === "end") void live.end().then(() => sender.wake(task.chatId));
        },
      };
    },
    add(task: Task, worked: Promise<unknown>): void {
      const followed = follow(task, worked);
      going.add(followed);
      void followed.finally(() => going.delete(followed));
    },
  };
}

/** The work of every chat. */
export function createWork(deps: WorkDeps, sender: Sender): Work {
  const { platforms, runner } = deps;
  const following = createFollowing(deps, sender);
  const { stops, going } = following;
  return {
    begin(task, address) {
      const platform = platforms.get(platformOf(task.chatId));
      if (platform !== undefined) {
        const watch = following.watch(task, platform, address);
        following.add(task, runner.work(task, watch));
      }
    },
    async resume() {
      await runner.resume((task) => {
        const platform = platforms.get(platformOf(task.chatId));
        const address = task.chatId.slice(task.chatId.indexOf(":") + 1);
        return platform === undefined ? undefined : following.watch(task, platform, address);
      });
    },
    stop(taskId) {
      const controller = stops.get(taskId);
      controller?.abort();
      return controller !== undefined;
    },
    async settled() {
      while (going.size > 0) await Promise.all(going);
    },
  };
}
