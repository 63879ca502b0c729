import type { Corrected, GoldLabel, StageVote } from "./choice.ts";
import type { NewTask } from "./store.ts";
import type { Task, TaskEvent } from "./task.ts";

/** A request as it comes from a person. */
export interface Request {
  /** The id that the task gets; asked again with the same one, nothing is done twice. */
  readonly taskId?: string | undefined;
  readonly chatId: string;
  readonly personId: string;
  readonly words: string;
  /** An agent's name; an `@name` in the words goes before it, and one of a tier before the tier. */
  readonly agent?: string | undefined;
  /** A tier or a word that means one. */
  readonly tier?: string | undefined;
  readonly newConversation?: boolean | undefined;
  /** Nothing goes to a cloud for it. */
  readonly localOnly?: boolean | undefined;
  /** True for words that somebody else wrote, such as a forwarded message: no `@name` in them is an order. */
  readonly quoted?: boolean | undefined;
}

/** Who watches a task, and how it is stopped. */
export interface Watch {
  readonly onEvent?: (event: TaskEvent) => void;
  /** A store that takes nothing for now is waited for, in the task's turn; else the task stays open and whoever waits is told. */
  readonly persists?: boolean;
  /** Ends the task as cancelled. */
  readonly signal?: AbortSignal;
  /** The signal that breaks off the model call under way, because its person has said more; asked for at each call. */
  readonly interrupted?: () => AbortSignal;
}

/** Turns requests into tasks and works them: those of one chat in order, those of different chats side by side. */
export interface Runner {
  /** The task that a request would become; rejects with `usage.unknown-agent` and `usage.unknown-tier`. */
  choose(request: Request): Promise<NewTask>;
  /**
   * What every stage says of whose these words are, in the order in which they are asked, as soon as the classifier is ready; nothing
   * is stored.
   */
  votes(words: string, signal: AbortSignal): Promise<StageVote[]>;
  /**
   * Takes the owner's word of whose a text is, without the `@name` that it may begin with: from now on it goes there. Resolves after
   * the commit; rejects with `usage.unknown-agent`.
   */
  correct(label: GoldLabel): Promise<Corrected>;
  /** True where a task of this chat would be worked at once. */
  isFree(chatId: string): boolean;
  /**
   * Works a stored task in its turn; one that is being worked already is waited for. Resolves with the task when it has ended, or
   * waits for a person.
   */
  work(task: Task, watch?: Watch): Promise<Task>;
  /** Stores the request, then works it; resolves with the task when it has ended, or waits for a person. Rejects with an AppError when it cannot be stored. */
  run(request: Request, watch?: Watch): Promise<Task>;
  /**
   * Takes nothing new from now on, and parks what is not done after so many milliseconds: it stays open in the store, and whoever
   * waits for it gets `task.parked`. Resolves when nothing runs any more.
   */
  stop(graceMs: number): Promise<void>;
  /**
   * Works what an earlier process left open, oldest first; resolves with the ended tasks. A task without a watch is left as it is.
   */
  resume(watchOf?: (task: Task) => Watch | undefined): Promise<Task[]>;
}
