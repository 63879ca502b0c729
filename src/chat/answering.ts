import type { ChatPlatform, IncomingEdit, IncomingMessage, Place } from "#core/chat.ts";
import type { Chat, Received } from "#core/chat-store.ts";
import { AppError } from "#core/errors.ts";
import type { People } from "#core/people.ts";
import type { Store } from "#core/store.ts";

import { agentCommands, commandOf, type CommandPlace, createCommands } from "./commands.ts";
import { partsFor } from "./parts.ts";
import { createPeopleCommands } from "./people-commands.ts";
import type { Sender } from "./sender.ts";
import type { Work, WorkDeps } from "./work.ts";

/** What the chats work with. */
export interface ChatsDeps extends WorkDeps {
  readonly store: WorkDeps["store"] & Pick<Store, "newConversation" | "tasks">;
  readonly people: People;
  /** The names of the agents. */
  readonly agents: readonly string[];
}

/** What answering is done through. */
interface Hands {
  readonly work: Work;
  readonly sender: Sender;
}

/** A message of one of our people. */
interface Said extends CommandPlace {
  readonly platform: ChatPlatform;
  readonly message: IncomingMessage;
  readonly seq: number;
}

/** Answers commands at once and makes everything else a task. */
function createReplies(deps: ChatsDeps, { work, sender }: Hands) {
  const { store, runner, agents } = deps;
  const all = createCommands({ store, work, more: createPeopleCommands(deps) }, agents);
  const commands = new Map(all.map((command) => [command.name, command]));

  async function say({ platform, chat, message }: Said, text: string): Promise<void> {
    const to = { chatId: chat.id, taskId: null, replyTo: message.messageId };
    await store.addParts(partsFor(platform, { type: "card", card: { text } }, to));
    sender.wake(chat.id);
  }

  async function ask(said: Said, words: string, agent: string | null): Promise<void> {
    const { chat, personId, message, seq, platform } = said;
    if (words.trim() === "") throw new AppError("usage.empty");
    const request = runner.choose({
      chatId: chat.id,
      personId,
      words,
      ...(agent === null ? {} : { agent }),
      ...(chat.tier === null ? {} : { tier: chat.tier }),
    });
    const mayJoin = request.chosenBy !== "mention" && agent === chat.agent;
    const taken = await store.takeMessage({ seq, messageId: message.messageId, request, mayJoin });
    if (taken.joined) platform.receipt(chat.address, message.messageId).catch(() => undefined);
    else work.begin(taken.task, chat.address);
  }

  async function reply(said: Said): Promise<void> {
    const call = commandOf(said.message);
    if (call === undefined) return ask(said, said.message.text, said.chat.agent);
    const agent = agentCommands.get(call.name);
    if (agent !== undefined) return ask(said, call.words, agent);
    const unknown = `There is no /${call.name}: /help lists what there is.`;
    const text = await (commands.get(call.name)?.run(call, said) ?? unknown);
    if (text !== "") await say(said, text);
  }

  return async (said: Said): Promise<void> => {
    try {
      await reply(said);
    } catch (error) {
      if (!(error instanceof AppError) || error.code.startsWith("store.")) throw error;
      await say(said, error.message);
    }
  };
}

/** Answers each kind of event that a platform tells of. Rejects where the store does, and with bugs. */
export function createAnswering(
  deps: ChatsDeps,
  hands: Hands,
): (platform: ChatPlatform, received: Received) => Promise<void> {
  const { store, people } = deps;
  const reply = createReplies(deps, hands);

  /** Whoever was removed while a message was being stored has no task of it either. */
  async function drop(chatId: string, messageId: string): Promise<void> {
    const task = await store.taskOfMessage(chatId, messageId);
    if (task === undefined) return;
    await store.cancelTasks([task.id]);
    hands.work.stop(task.id);
  }

  async function onMessage(platform: ChatPlatform, seq: number, message: IncomingMessage) {
    const admitted = await people.admit(platform, message);
    if (admitted === undefined) return;
    const chat = await store.chatAt(message.place, admitted.personId);
    await reply({ ...admitted, chat, platform, message, seq });
    const after = await people.authorise(message.from);
    if (after.role === "stranger") await drop(chat.id, message.messageId);
  }

  async function chatOf(event: {
    readonly place: Place;
    readonly from: IncomingEdit["from"];
  }): Promise<Chat | undefined> {
    const standing = await people.authorise(event.from, event.place);
    return standing.role === "stranger" ? undefined : store.chatAt(event.place, standing.personId);
  }

  return async (platform, { seq, event }) => {
    if (event.type === "message") await onMessage(platform, seq, event);
    else if (event.type === "edit") {
      const chat = await chatOf(event);
      if (chat !== undefined) await store.amendMessage(chat.id, event.messageId, event.text);
    } else if (event.type === "stop") {
      const chat = await chatOf(event);
      const open = chat === undefined ? [] : await store.openTasksOf(chat.id);
      for (const { id } of open) hands.work.stop(id);
    } else if (event.type === "press") {
      await platform.acknowledge(event.pressId, "This button does nothing any more.");
    } else if (event.type === "move") {
      await store.moveChat(platform.name, event.place.address, event.to);
    }
  };
}
