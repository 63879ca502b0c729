import { defaultAgent } from "#core/agent.ts";
import type { IncomingMessage } from "#core/chat.ts";
import type { Chat, ChatStore } from "#core/chat-store.ts";
import type { Clock } from "#core/clock.ts";
import { callsText, costText, spendingText } from "#core/cost.ts";
import { AppError } from "#core/errors.ts";
import { type PrivacyDesk, shutText } from "#core/privacy.ts";
import { tierOf } from "#core/route.ts";
import type { Spending } from "#core/ledger.ts";
import type { Store } from "#core/store.ts";
import type { Task } from "#core/task.ts";

import type { Command, CommandCall, CommandPlace } from "./command.ts";
import { createPrivacyCommand } from "./privacy-command.ts";
import type { Work } from "./work.ts";

/** What commands work with. */
export interface CommandDeps {
  readonly store: ChatStore & Store;
  readonly work: Work;
  readonly clock: Clock;
  readonly privacy: PrivacyDesk;
  /** What was spent of every cap. */
  readonly spending: () => Promise<readonly Spending[]>;
  /** Commands of other files, listed after these. */
  readonly more: readonly Command[];
}

/** Commands whose words are a request to an agent, with the agent's name. */
export const agentCommands: ReadonlyMap<string, string> = new Map([
  ["ask", defaultAgent],
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
    shownTo: "all",
    async run({ words }, { chat }) {
      const open = await store.openTasksOf(chat.id);
      const running = open.filter(({ state }) => state === "running").map(({ id }) => id);
      const others = open.filter(({ state }) => state !== "running").map(({ id }) => id);
      const all = words.toLowerCase() === "all";
      if (all) await store.cancelTasks(others);
      // One that waited may have begun by now.
      const stopped = (all ? [...running, ...others] : running).filter((id) => work.stop(id));
      // Done only when it has taken effect: a crash in between must not forget that it was asked for.
      await Promise.all(stopped.map((id) => work.over(id)));
      // The same words whatever is left: after a crash the command is done again, and finds less than it did.
      if (all) return "All that was open here is stopped or cleared.";
      // The stopped answer says so itself, with what there was of it.
      if (stopped.length > 0) return "";
      const none = "Nothing is being answered here.";
      return others.length > 0 ? `${none} /stop all clears the ${others.length} that wait.` : none;
    },
  };
}

function tierCommand({ store, privacy }: CommandDeps): Command {
  return {
    name: "tier",
    about: "fast, smart or cloud for this chat",
    shownTo: "all",
    async run({ words }, { chat, role }) {
      const tier = words === "" ? null : tierOf(words);
      // What is kept for a group holds for the owner's words there too.
      if (tier === "cloud-smart" && role !== "owner") throw new AppError("people.not-owner");
      await store.setChat(chat.id, { tier });
      if (tier === null) return "The usual choice of tier again.";
      const shut = tier === "cloud-smart" ? shutText(await privacy.view(), chat.id) : "";
      return `From now on in this chat: ${tier}. /tier alone goes back to the usual choice.${shut}`;
    },
  };
}

/** Keeps an agent for what follows in this chat, or none: then it is chosen as usual. `undo` is the command that chooses none. */
async function keepAgent(
  { store }: CommandDeps,
  { chat, undo }: { readonly chat: Chat; readonly undo: string },
  agent: string | null,
): Promise<string> {
  await store.setChat(chat.id, { agent });
  return agent === null
    ? "The usual choice of agent again."
    : `From now on ${agent} answers here. ${undo} alone goes back to the usual choice.`;
}

function chooseAgentCommand(deps: CommandDeps, agents: readonly string[]): Command {
  return {
    name: "agent",
    about: "the agent for this chat, by its name",
    shownTo: "all",
    async run({ words }, { chat }) {
      const agent = agents.find((name) => name === words.toLowerCase());
      if (words !== "" && agent === undefined) {
        throw new AppError("usage.unknown-agent", { agent: words, known: agents.join(", ") });
      }
      return keepAgent(deps, { chat, undo: "/agent" }, agent ?? null);
    },
  };
}

function linesOf(tasks: readonly Task[]): string {
  return tasks.map(({ state, input }) => `${state}: ${input.slice(0, 80)}`).join("\n");
}

const dayMs = 86_400_000;

function statsCommand({ store, clock, spending }: CommandDeps): Command {
  return {
    name: "stats",
    about: "what was answered this week, by which model, at what cost",
    shownTo: "direct",
    async run(_, { role }) {
      const { tasks, models } = await store.stats(clock.now() - 7 * dayMs);
      const counts = Object.entries(tasks).filter(([, count]) => count > 0);
      const states = counts.map(([state, count]) => `${count} ${state}`).join(", ");
      const lines = models.map(({ name, calls, promptTokens, answerTokens, costUsd, unpriced }) => {
        const cost = costText(unpriced > 0 ? null : costUsd);
        return `${name}: ${callsText(calls)}, ${promptTokens} tokens read, ${answerTokens} written, ${cost}`;
      });
      // What is spent is the owner's money.
      const spent = role === "owner" ? (await spending()).map(spendingText) : [];
      return [`This week: ${states || "nothing yet"}.`, ...lines, ...spent].join("\n");
    },
  };
}

function lookingCommands({ store }: CommandDeps, agents: readonly string[]): readonly Command[] {
  return [
    {
      name: "status",
      about: "what is being worked on here",
      shownTo: "all",
      async run(_, { chat }) {
        const open = await store.openTasksOf(chat.id);
        return linesOf(open) || "Nothing is open in this chat.";
      },
    },
    {
      name: "history",
      about: "what you asked lately",
      shownTo: "direct",
      async run(_, { personId, chat }) {
        if (chat.kind === "group") return "Your history is shown in our private chat only.";
        return linesOf(await store.tasks({ limit: 10, personId })) || "Nothing yet.";
      },
    },
    {
      name: "agents",
      about: "which agents there are",
      shownTo: "all",
      run: () => Promise.resolve(`${agents.join(", ")}. Begin a message with @name to ask one.`),
    },
  ];
}

/** Commands that are a request to an agent; alone they keep it for the chat, and the default agent is the usual choice again. */
function agentCommand(deps: CommandDeps, name: string, about: string): Command {
  const agent = agentCommands.get(name) ?? defaultAgent;
  const kept = agent === defaultAgent ? null : agent;
  return {
    name,
    about,
    shownTo: "all",
    run: (_, { chat }) => keepAgent(deps, { chat, undo: "/ask" }, kept),
  };
}

function freshCommand({ store }: CommandDeps): Command {
  return {
    name: "new",
    about: "begin a new conversation",
    shownTo: "all",
    async run(_, { chat }) {
      await store.newConversation(chat.id);
      return "A new conversation: what was said before is no longer part of it.";
    },
  };
}

const howToWrite = `Write to me, and I answer. For one message alone, begin it with an agent's name, as @code, or with a tier, as @smart or @cloud.`;

const welcome = `I am your own agent. Write to me, and I answer; send a file, and I read what I can of it.
I work on the machine that I was installed on, and tell what leaves it: /privacy.`;

/** Every command, those used most first. */
export function createCommands(deps: CommandDeps, agents: readonly string[]): readonly Command[] {
  const list: Command[] = [
    freshCommand(deps),
    stopCommand(deps),
    agentCommand(deps, "code", "ask the agent for code"),
    agentCommand(deps, "research", "ask the agent for research"),
    agentCommand(deps, "files", "ask the agent for files"),
    agentCommand(deps, "ask", "ask the usual agent"),
    ...lookingCommands(deps, agents),
    tierCommand(deps),
    createPrivacyCommand(deps),
    statsCommand(deps),
    chooseAgentCommand(deps, agents),
    ...deps.more,
  ];
  const lines = (place: CommandPlace): string =>
    list
      .filter(({ shownTo }) => shownTo !== "owner" || place.role === "owner")
      .map(({ name, about }) => `/${name} - ${about}`)
      .join("\n");
  const help: Command = {
    name: "help",
    about: "this list",
    shownTo: "all",
    run: (_, place) => Promise.resolve(`${howToWrite}\n\n${lines(place)}`),
  };
  const start: Command = {
    name: "start",
    about: "how to begin",
    shownTo: "direct",
    run(_, place) {
      const hint = place.chat.kind === "group" ? place.platform.groupHint?.() : undefined;
      return Promise.resolve([welcome, hint, lines(place)].filter(Boolean).join("\n\n"));
    },
  };
  return [...list, help, start];
}
