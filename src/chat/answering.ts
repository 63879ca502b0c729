import type {
  ChatPlatform,
  IncomingEdit,
  IncomingMessage,
  IncomingPress,
  IncomingReaction,
  IncomingStop,
} from "#core/chat.ts";
import type { ChatStore, Received } from "#core/chat-store.ts";
import { AppError } from "#core/errors.ts";
import type { People } from "#core/people.ts";
import type { Question } from "#core/question.ts";
import type { QuestionStore } from "#core/question-store.ts";
import type { Store } from "#core/store.ts";

import { agentCommands, commandOf, type CommandPlace, createCommands } from "./commands.ts";
import { cardParts } from "./parts.ts";
import { createPresses } from "./presses.ts";
import type { Sender } from "./sender.ts";
import type { Work, WorkDeps } from "./work.ts";

/** What the chats work with. */
export interface ChatsDeps extends WorkDeps {
  readonly store: Store & ChatStore & QuestionStore;
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

/** Strangers are given one hint each while this process lives; so many are remembered. */
const hintLimit = 1000;

const hint = "This agent is private: its owner can let you in.";

/** Tells a stranger once, in a private chat, what this is; groups hear nothing. */
function createHints() {
  const hinted = new Set<string>();
  return async (platform: ChatPlatform, { place, from }: IncomingMessage): Promise<void> => {
    if (place.kind !== "direct" || from.kind !== "person" || hinted.has(from.accountId)) return;
    if (hinted.size >= hintLimit) hinted.clear();
    hinted.add(from.accountId);
    await platform.whisper(place.address, hint);
  };
}

/** Finds out whether words are for something that is under way. */
function createOpenMatters({ store }: ChatsDeps, { work }: Hands) {
  /** The question that these words answer: the one they reply to, or the only thing that is open in a direct chat. */
  async function questionFor({ chat, personId, message }: Said): Promise<Question | undefined> {
    if (message.replyTo !== null) {
      const asked = await store.questionOfMessage(chat.id, message.replyTo);
      return asked?.personId === personId ? asked : undefined;
    }
    const [only, ...others] = await store.openQuestions({ chatId: chat.id });
    if (only === undefined || others.length > 0 || chat.kind !== "direct") return undefined;
    if (only.choices.length > 0 || only.personId !== personId) return undefined;
    return (await store.openTasksOf(chat.id)).length === 1 ? only : undefined;
  }

  /** True where the words are for something that is under way: an answer to its question, or more to a task that is worked. */
  return async (said: Said, words: string): Promise<boolean> => {
    const { chat, personId, message, seq } = said;
    const question = await questionFor(said);
    if (question !== undefined) {
      const answered = await store.answerQuestion(question.id, words, seq);
      if (answered !== undefined) work.begin(answered.task);
      return answered !== undefined;
    }
    if (message.replyTo === null) return false;
    const task = await store.taskOfMessage(chat.id, message.replyTo);
    if (task?.state !== "running" || task.personId !== personId) return false;
    const { messageId } = message;
    if (!(await store.steerTask(task.id, { seq, messageId, text: words }))) return false;
    work.steer(task.id);
    return true;
  };
}

/** Answers commands at once and makes everything else a task. */
function createReplies(deps: ChatsDeps, hands: Hands) {
  const { work, sender } = hands;
  const isForOpen = createOpenMatters(deps, hands);
  const { store, runner, agents } = deps;
  const all = createCommands({ store, work }, agents);
  const commands = new Map(all.map((command) => [command.name, command]));

  async function say({ platform, chat, message }: Said, text: string): Promise<void> {
    const to = { chatId: chat.id, taskId: null, replyTo: message.messageId };
    await store.addParts(cardParts(platform, { text }, to));
    sender.wake(chat.id);
  }

  /** Resolves with true, since the update is done in the commit that takes its words. */
  async function ask(said: Said, words: string, agent: string | null): Promise<boolean> {
    const { chat, personId, message, seq, platform } = said;
    if (words.trim() === "") throw new AppError("usage.empty");
    if (agent === chat.agent && (await isForOpen(said, words))) return true;
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
    else work.begin(taken.task);
    return true;
  }

  async function reply(said: Said): Promise<boolean> {
    const call = commandOf(said.message);
    if (call === undefined) return ask(said, said.message.text, said.chat.agent);
    const agent = agentCommands.get(call.name);
    if (agent !== undefined) return ask(said, call.words, agent);
    const unknown = `There is no /${call.name}: /help lists what there is.`;
    const text = await (commands.get(call.name)?.run(call, said) ?? unknown);
    if (text !== "") await say(said, text);
    return false;
  }

  return async (said: Said): Promise<boolean> => {
    try {
      return await reply(said);
    } catch (error) {
      if (!(error instanceof AppError) || error.code.startsWith("store.")) throw error;
      await say(said, error.message);
      return false;
    }
  };
}

/** What is done with everything but messages. */
function createOthers(deps: ChatsDeps, { work, sender }: Hands) {
  const { store, people } = deps;
  const press = createPresses({ ...deps, work, sender });

  async function placeOf(event: Pick<IncomingEdit, "place" | "from">) {
    const standing = await people.authorise(event.from);
    if (standing.role === "stranger") return undefined;
    return { ...standing, chat: await store.chatAt(event.place, standing.personId) };
  }

  async function onPress(platform: ChatPlatform, seq: number, event: IncomingPress): Promise<void> {
    const at = await placeOf(event);
    // What was decided is stored before it is acknowledged, and an acknowledgement that fails takes nothing back.
    const line =
      at === undefined
        ? "Only this agent's people can press this."
        : await press({ ...at, platform, press: event, seq });
    platform.acknowledge(event.pressId, line).catch(() => undefined);
  }

  async function onReaction(event: IncomingReaction): Promise<void> {
    const at = await placeOf(event);
    const task = at && (await store.taskOfMessage(at.chat.id, event.messageId));
    if (at === undefined || task === undefined) return;
    const value = event.reactions.join(" ");
    await store.addFeedback({ taskId: task.id, personId: at.personId, kind: "reaction", value });
  }

  async function onStop(event: IncomingStop): Promise<void> {
    const at = await placeOf(event);
    const open = at === undefined ? [] : await store.openTasksOf(at.chat.id);
    for (const { id } of open.filter(({ state }) => state === "running")) work.stop(id);
  }

  async function onEdit(event: IncomingEdit): Promise<void> {
    const at = await placeOf(event);
    if (at !== undefined) await store.amendMessage(at.chat.id, event.messageId, event.text);
  }

  return async (platform: ChatPlatform, { seq, event }: Received): Promise<void> => {
    if (event.type === "press") await onPress(platform, seq, event);
    else if (event.type === "edit") await onEdit(event);
    else if (event.type === "stop") await onStop(event);
    else if (event.type === "reaction") await onReaction(event);
    else if (event.type === "move") {
      await store.moveChat(platform.name, event.place.address, event.to);
    }
  };
}

/**
 * Answers each kind of event that a platform tells of; gives true where its update is marked as done already. Rejects where the
 * store does, and with bugs.
 */
export function createAnswering(
  deps: ChatsDeps,
  hands: Hands,
): (platform: ChatPlatform, received: Received) => Promise<boolean> {
  const { store, people } = deps;
  const refuse = createHints();
  const reply = createReplies(deps, hands);
  const other = createOthers(deps, hands);

  return async (platform, received) => {
    const { seq, event } = received;
    if (event.type !== "message") {
      await other(platform, received);
      return false;
    }
    const standing = await people.authorise(event.from);
    if (standing.role === "stranger") await refuse(platform, event);
    if (standing.role === "stranger" || !event.addressed) return false;
    const chat = await store.chatAt(event.place, standing.personId);
    return reply({ ...standing, chat, platform, message: event, seq });
  };
}
