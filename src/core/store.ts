import type { NewPart } from "./chat.ts";
import type { Departure } from "./departures.ts";
import type { Failure } from "./errors.ts";
import type { Receipt } from "./http.ts";
import type { PersonSettings } from "./person.ts";
import type { TierName } from "./route.ts";
import type {
  ChoiceStage,
  Done,
  RouteRow,
  Step,
  Summary,
  Task,
  TaskState,
  Turn,
  UsageRow,
} from "./task.ts";
import type { Source } from "./trust.ts";

/** A new task as it is asked for; ids and conversation are the store's to give. */
export interface NewTask {
  /** Absent: a new one. A task that has this id already is left as it is and given back. */
  readonly id?: string | undefined;
  readonly chatId: string;
  readonly personId: string;
  readonly agent: string;
  readonly chosenBy: ChoiceStage;
  readonly tier: TierName | null;
  readonly input: string;
  /** Begins a new conversation in the chat with this task. */
  readonly newConversation: boolean;
  /** True where nothing may go to a cloud for it. */
  readonly localOnly?: boolean;
  /** The message that the answer goes to. */
  readonly replyTo?: string | null;
  /** The deployment that is to be tried last. */
  readonly avoid?: string | null;
  /** The update that asked for it, done in the same commit. */
  readonly update?: number;
  /** True where its work begins at once: it is running from the start. */
  readonly begins?: boolean;
}

/** How a task ends. The last that was done, the answer's message and the state commit together. */
export interface TaskEnd extends Done {
  readonly taskId: string;
  readonly state: Extract<TaskState, "done" | "failed" | "cancelled">;
  /** The answer; with "cancelled" what there was of it. */
  readonly output: string | null;
  readonly failure: Failure | null;
  /** Where the answer comes from. */
  readonly sources: readonly Source[];
  /** The visible parts of the answer; none where nobody is sent one. */
  readonly parts?: readonly NewPart[];
}

/** What a task looks like in a list. */
export interface TaskQuery {
  /** Most rows; newest first. */
  readonly limit: number;
  /** Words that input or output must hold (all of them, any order, prefixes match); absent is every task. */
  readonly search?: string | undefined;
  /** Only tasks of this person. */
  readonly personId?: string | undefined;
  /** Only tasks of this chat, whoever asked. */
  readonly chatId?: string | undefined;
  /** Leaves this task out. */
  readonly except?: string;
  /** Leaves out what was asked to stay at home: tasks of that kind, and all of a chat that is local-only and is not this one. */
  readonly toldIn?: string;
}

/** Totals over a span of days. */
export interface UsageTotal {
  /** The deployment, or the tier. */
  readonly name: string;
  readonly calls: number;
  readonly failures: number;
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly durationMs: number;
  /** US dollars of the calls whose cost is known. */
  readonly costUsd: number;
  /** Calls whose cost is not known. */
  readonly unpriced: number;
}

/** Totals over tasks created since a moment. */
export interface Stats {
  readonly tasks: Readonly<Record<TaskState, number>>;
  /** By deployment, most calls first. */
  readonly models: readonly UsageTotal[];
  /** By tier, most calls first. */
  readonly tiers: readonly UsageTotal[];
  /** Tasks of each day that has any, by the machine's time zone, oldest first; `date` as 2026-11-24. */
  readonly perDay: readonly { readonly date: string; readonly tasks: number }[];
}

/**
 * The one writer of the database. Every promise resolves only after the commit that carries its write, and rejects with an
 * AppError `store.*` when it could not be stored; writes asked for in the same turn of the event loop share a commit, each behind
 * its own savepoint. What must commit together is one call.
 */
export interface Store {
  /** Makes sure that the person and the chat exist; changes nothing where they do. */
  ensureChat(chat: {
    readonly id: string;
    readonly platform: string;
    readonly personId: string;
  }): Promise<void>;
  person(personId: string): Promise<PersonSettings>;
  /** Makes sure that the person exists, and changes what is given; undefined stays as it is. */
  setPerson(
    personId: string,
    settings: { readonly [Key in keyof PersonSettings]?: PersonSettings[Key] | undefined },
  ): Promise<void>;
  /** Stores the request, its message and, if asked, the chat's new conversation; the task is `queued`. */
  createTask(task: NewTask): Promise<Task>;
  /** Moves a queued task to running; gives it as it is then, and undefined when it is neither queued nor running. */
  startTask(taskId: string): Promise<Task | undefined>;
  /** Remembers what was done for a running task; a step that is stored already is left as it is. */
  addSteps(taskId: string, done: Done): Promise<void>;
  /**
   * Ends a task once. "over", and nothing changed, when it had ended before. "steered" when a person has said something for a task
   * that would be done or has failed: its steps and usage are stored then, and it goes on.
   */
  finishTask(end: TaskEnd): Promise<"ended" | "over" | "steered">;
  /** What persons said to a running task since its last step, stored as its next steps from `seq` on; none is the usual case. */
  takeSteers(taskId: string, seq: number): Promise<Step[]>;
  /** Queued and running tasks, oldest first. */
  openTasks(): Promise<Task[]>;
  task(taskId: string): Promise<Task | undefined>;
  /** Tasks whose id ends with these characters (case is ignored), at most ten, newest first. */
  tasksEnding(ending: string): Promise<Task[]>;
  tasks(query: TaskQuery): Promise<Task[]>;
  /** Where the requests and answers of these tasks come from; also from others, where somebody else was answered in their conversations. */
  sourcesOf(taskIds: readonly string[]): Promise<Source[]>;
  /** Tasks in the order of their ids, oldest first, those after this one; null is from the beginning. */
  tasksAfter(taskId: string | null, limit: number): Promise<Task[]>;
  /** In order. */
  steps(taskId: string): Promise<Step[]>;
  usage(taskId: string): Promise<UsageRow[]>;
  routes(taskId: string): Promise<RouteRow[]>;
  /** The newest attempts that were answered, newest first, so that speeds are known from the start. */
  lastAttempts(limit: number): Promise<UsageRow[]>;
  receipts(taskId: string): Promise<Receipt[]>;
  /** The conversation's last turns before the task, oldest first; only of tasks that ended with an answer. */
  turnsBefore(task: Task, limit: number): Promise<Turn[]>;
  /** True where somebody else has been answered in the task's conversation: its turns and its summary may hold those words. */
  holdsOthers(task: Task): Promise<boolean>;
  /** The newest summary of the task's conversation. */
  summaryFor(task: Pick<Task, "chatId" | "conversation">): Promise<Summary | undefined>;
  /** Stores a summary with what it used. */
  addSummary(summary: Summary, used: Pick<Done, "usage" | "routes">): Promise<void>;
  /** Begins a new conversation in the chat. */
  newConversation(chatId: string): Promise<void>;
  /** Inserts the receipt, or replaces the one of the same id. */
  putReceipt(receipt: Receipt): Promise<void>;
  /** Totals since a moment (milliseconds since 1970). */
  stats(since: number): Promise<Stats>;
  /** What left this machine since a moment, by host and purpose, most bytes first. */
  departures(since: number): Promise<Departure[]>;
  /** Waits for what is being written, closes the database and gives the lock back; a second call does nothing. */
  close(): Promise<void>;
}
