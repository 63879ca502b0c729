import type { IncomingMessage } from "#core/chat.ts";
import type { Chat, ChatStore } from "#core/chat-store.ts";
import { tierOf } from "#core/router.ts";
import type { Store } from "#core/store.ts";
import type { Task } from "#core/task.ts";

import type { Work } from "./work.ts";

/** A command as it was written. */
export interface CommandCall {
  readonly name: string;
  /** What follows the name. */
  readonly words: string;
}

/** Where a command was given, and by whom. */
export interface CommandPlace {
  readonly chat: Chat;
  readonly personId: string;
  readonly role: "owner" | "member";
}

/** What commands work with. */
export interface CommandDeps {
  readonly store: ChatStore & Pick<Store, "newConversation" | "tasks">;
  readonly work: Work;
  /** Commands of other files, listed after these. */
  readonly more: readonly Command[];
}

/** A command: what it is for, and what it says. */
export interface Command {
  readonly name: string;
  readonly about: string;
  readonly run: (call: CommandCall, place: CommandPlace) => Promise<string>;
}

/** Commands that are a request to an agent, by the agent's name. */
export const agentCommands: ReadonlyMap<string, string> = new Map([
  ["ask", "assistant"],
  ["code", "code"],
  ["research", "research"],
  ["files", "fileops"],
]);

/** The command in a message; undefined where it has none of its own. */
export function commandOf(message: IncomingMessage): CommandCall | undefined {
  if (message.forwarded) return undefined;
  const found = /^\/([a-z0-9_]{1,32})(?:@\w+)?(?:\s+([\s\S]*))?$/i.exec(message.text.trim());
  if (found?.[1] === undefined) return undefined;
  return { name: found[1].toLowerCase(), words: (found[2] ?? "").trim() };
}

function stopCommand({ store, work }: CommandDeps): Command {
  return {
    name: "stop",
    about: "stop what is being answered; /stop all also clears what waits",
    async run({ words }, { chat }) {
      const open = await store.openTasksOf(chat.id);
      const running = open.filter(({ state }) => state === "running");
      const others = open.filter(({ state }) => state !== "running").map(({ id }) => id);
      const cleared = words.toLowerCase() === "all" ? await store.cancelTasks(others) : [];
      const stopped = running.filter(({ id }) => work.stop(id));
      if (cleared.length > 0) return `Stopped, and ${cleared.length} waiting cleared.`;
      // The stopped answer says so itself, with what there was of it.
      return stopped.length > 0 ? "" : "Nothing is being answered here.";
    },
  };
}

function tierCommand({ store }: CommandDeps): Command {
  return {
    name: "tier",
    about: "fast, smart or cloud for this chat",
    async run({ words }, { chat }) {
      const tier = words === "" ? null : tierOf(words);
      await store.setChat(chat.id, { tier });
      return tier === null
        ? "The usual choice of tier again."
        : `From now on in this chat: ${tier}. /tier alone goes back to the usual choice.`;
    },
  };
}

function linesOf(tasks: readonly Task[]): string {
  return tasks.map(({ state, input }) => `${state}: ${input.slice(0, 80)}`).join("\n");
}

function lookingCommands({ store }: CommandDeps, agents: readonly string[]): readonly Command[] {
  return [
    {
      name: "status",
      about: "what is being worked on here",
      async run(_, { chat }) {
        const open = await store.openTasksOf(chat.id);
        return linesOf(open) || "Nothing is open in this chat.";
      },
    },
    {
      name: "history",
      about: "what you asked lately",
      async run(_, { personId, chat }) {
        if (chat.kind === "group") return "Your history is shown in our private chat only.";
        return linesOf(await store.tasks({ limit: 10, personId })) || "Nothing yet.";
      },
    },
    {
      name: "agents",
      about: "which agents there are",
      run: () => Promise.resolve(`${agents.join(", ")}. Begin a message with @name to ask one.`),
    },
  ];
}

/** Every command that is answered at once, in the order in which they are listed. */
export function createCommands(deps: CommandDeps, agents: readonly string[]): readonly Command[] {
  const fresh: Command = {
    name: "new",
    about: "begin a new conversation",
    async run(_, { chat }) {
      await deps.store.newConversation(chat.id);
      return "A new conversation: what was said before is no longer part of it.";
    },
  };
  const list = [
    fresh,
    stopCommand(deps),
    tierCommand(deps),
    ...lookingCommands(deps, agents),
    ...deps.more,
    { name: "help", about: "this list" },
  ];
  const lines = list.map(({ name, about }) => `/${name} - ${about}`).join("\n");
  const run = (): Promise<string> => Promise.resolve(`Write to me, and I answer.\n\n${lines}`);
  return [
    ...list.map((command) => ({ run, ...command })),
    { name: "start", about: "how to begin", run },
  ];
}
