import type { IncomingMessage } from "#core/chat.ts";
import type { Chat, ChatStore } from "#core/chat-store.ts";
import { AppError } from "#core/errors.ts";
import type { Spending } from "#core/ledger.ts";
import type { People } from "#core/people.ts";
import type { PrivacyDesk } from "#core/privacy.ts";
import type { QuestionStore } from "#core/question-store.ts";
import type { Question } from "#core/question.ts";
import { tierNamed } from "#core/route.ts";
import type { NewTask, Store } from "#core/store.ts";

import type { Attachments } from "./attachments.ts";
import { askAgain } from "./again.ts";
import { requestWords } from "./attached-words.ts";
import type { Command, CommandPlace } from "./command.ts";
import { agentCommands, commandOf } from "./commands.ts";
import { cardParts } from "./parts.ts";
import type { Receipts } from "./receipts.ts";
import type { Sender } from "./sender.ts";
import type { Work, WorkDeps } from "./work.ts";

/** What the chats work with. */
export interface ChatsDeps extends Omit<WorkDeps, "receipts"> {
  readonly store: Store & ChatStore & QuestionStore;
  readonly people: People;
  readonly privacy: PrivacyDesk;
  /** What was spent of every cap. */
  readonly spending: () => Promise<readonly Spending[]>;
  /** The names of the agents. */
  readonly agents: readonly string[];
  readonly attachments: Attachments;
}

/** What answering is done through. */
export interface Hands {
  readonly work: Work;
  readonly sender: Sender;
  readonly commands: readonly Command[];
  readonly receipts: Receipts;
}

/** A message of one of our people. */
export interface Said extends CommandPlace {
  readonly message: IncomingMessage;
  readonly seq: number;
  /** True where the rest of its album follows at once: its task begins with the last of it. */
  readonly goesOn: boolean;
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
    // The files of a task are made ready when it begins.
    if (message.replyTo === null || message.attachments.length > 0) return false;
    const task = await store.taskOfMessage(chat.id, message.replyTo);
    if (task?.state !== "running" || task.personId !== personId) return false;
    const { messageId } = message;
    if (!(await store.steerTask(task.id, { seq, messageId, text: words }))) return false;
    work.steer(task.id);
    return true;
  };
}

/** The agent whose command or `@name` is all that a message says; undefined where it says anything else. */
function agentAlone(message: IncomingMessage, agents: readonly string[]): string | undefined {
  if (message.forwarded || message.attachments.length > 0) return undefined;
  const call = commandOf(message);
  if (call !== undefined) return call.words === "" ? agentCommands.get(call.name) : undefined;
  const name = message.text.trim().toLowerCase();
  return agents.find((agent) => name === `@${agent}`);
}

/** A reply to what was answered that names an agent alone has it asked again there; what the owner says is kept as a correction. */
function createCorrections({ store, runner, agents }: ChatsDeps, { work }: Hands) {
  return async ({ chat, personId, role, message, seq }: Said): Promise<boolean> => {
    const agent = agentAlone(message, agents);
    if (agent === undefined || message.replyTo === null) return false;
    const task = await store.taskOfMessage(chat.id, message.replyTo);
    if (task === undefined || task.finishedAt === null) return false;
    if (role === "owner") await runner.correct({ text: task.input, agent });
    const again = { chatId: chat.id, personId, update: seq, agent, avoid: null };
    await askAgain({ store, runner, work }, task, again);
    return true;
  };
}

/** True where the words ask for no agent or tier of their own. */
function saysNothingElse({ chosenBy, tier }: NewTask, chat: Chat): boolean {
  const usual = chat.tier === null ? null : tierNamed(chat.tier);
  return chosenBy !== "mention" && tier === usual;
}

/** Says a line of ours to a message, which is done with it: said in two commits a crash in between would say it twice. */
function createSay({ store }: ChatsDeps, { sender }: Hands) {
  return async ({ platform, chat, message, seq }: Said, text: string): Promise<true> => {
    const to = { chatId: chat.id, taskId: null, replyTo: message.messageId };
    await store.addParts(cardParts(platform, { text }, to), seq);
    sender.wake(chat.id);
    return true;
  };
}

/** Answers commands at once and makes everything else a task. */
export function createReplies(deps: ChatsDeps, hands: Hands) {
  const { work } = hands;
  const say = createSay(deps, hands);
  const isForOpen = createOpenMatters(deps, hands);
  const isCorrection = createCorrections(deps, hands);
  const { store, runner } = deps;
  const commands = new Map(hands.commands.map((command) => [command.name, command]));

  /** Resolves with true, since the update is done in the commit that takes its words. */
  async function ask(said: Said, words: string, agent: string | null): Promise<boolean> {
    const { chat, personId, message, seq, platform } = said;
    const { messageId } = message;
    if (words.trim() === "") throw new AppError("usage.empty");
    await deps.attachments.note({ chatId: chat.id, messageId }, message.attachments);
    if (agent === chat.agent && (await isForOpen(said, words))) return true;
    const request = await runner.choose({
      chatId: chat.id,
      personId,
      words,
      quoted: message.forwarded,
      ...(agent === null ? {} : { agent }),
      ...(chat.tier === null ? {} : { tier: chat.tier }),
    });
    const mayJoin = agent === chat.agent && saysNothingElse(request, chat);
    const begins = !said.goesOn && runner.isFree(chat.id);
    const taken = { seq, messageId, request: { ...request, begins }, mayJoin };
    const { task, joined } = await store.takeMessage(taken);
    const isWaiting = joined && message.album === undefined;
    if (isWaiting) hands.receipts(platform, chat, messageId);
    else if (!said.goesOn) work.begin(task);
    return true;
  }

  async function reply(said: Said): Promise<boolean> {
    if (await isCorrection(said)) return true;
    const call = commandOf(said.message);
    if (call === undefined) return ask(said, requestWords(said.message), said.chat.agent);
    const agent = agentCommands.get(call.name);
    if (agent !== undefined && call.words !== "") return ask(said, call.words, agent);
    const unknown = `There is no /${call.name}: /help lists what there is.`;
    const text = await (commands.get(call.name)?.run(call, said) ?? unknown);
    return text === "" ? false : say(said, text);
  }

  return async (said: Said): Promise<boolean> => {
    try {
      return await reply(said);
    } catch (error) {
      if (!(error instanceof AppError) || error.code.startsWith("store.")) throw error;
      return await say(said, error.message);
    }
  };
}
