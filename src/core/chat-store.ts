import type { ButtonAction, ChatEvent, NewPart, Part, Place, Update } from "./chat.ts";
import type { NewTask } from "./store.ts";
import type { Task } from "./task.ts";

/** An update in the inbox. */
export interface Received {
  /** Grows in the order of arrival. */
  readonly seq: number;
  readonly event: ChatEvent;
}

/** A chat as it is known by its id. */
export interface Chat {
  readonly id: string;
  readonly platform: string;
  readonly address: string;
  readonly kind: Place["kind"];
  /** What was chosen for this chat by command; null is the usual choice. */
  readonly agent: string | null;
  readonly tier: string | null;
}

/** A row of the outbox. */
export interface OutboxPart extends Omit<NewPart, "messageId" | "buttons"> {
  /** Grows in the order in which parts are to be seen. */
  readonly id: number;
  /** The message that it is, once there is a placeholder. */
  readonly messageId: string | null;
  /** True for the change of a message that was sent before. */
  readonly isChange: boolean;
  /** Tries so far. */
  readonly attempts: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** A message of a person, on its way to become a task or a part of one. */
export interface TakenMessage {
  /** The update that carried it; done with this call. */
  readonly seq: number;
  readonly messageId: string;
  readonly request: NewTask;
  /** False where the words choose an agent of their own, or begin a new conversation. */
  readonly mayJoin: boolean;
}

/** What a person thinks of an answer. */
export interface Feedback {
  readonly taskId: string;
  readonly personId: string;
  /** A reaction's emojis, a reason why it is wrong, or the task that tries again. */
  readonly kind: "reaction" | "wrong" | "again";
  readonly value: string;
}

/** Inbox, outbox and what belongs to chats. As with `Store`, a promise resolves only after the commit. */
export interface ChatStore {
  /**
   * Stores a batch of updates in one commit; gives those that were not known by their id, nor by chat and message, in order. After
   * this the platform may be told that they arrived.
   */
  receive(
    from: { readonly platform: string; readonly account: string },
    updates: readonly Update[],
  ): Promise<Received[]>;
  /** Updates that are not done, oldest first. */
  unhandled(platform: string): Promise<Received[]>;
  /** Marks an update as done. */
  handled(seq: number): Promise<void>;
  /** The chat of an address, made where it is missing. */
  chatAt(place: Place, personId: string): Promise<Chat>;
  chat(chatId: string): Promise<Chat | undefined>;
  /** The chat's own choice of agent and tier; undefined stays as it is. */
  setChat(
    chatId: string,
    choice: { readonly agent?: string | null; readonly tier?: string | null },
  ): Promise<void>;
  /** The chat goes on under another address; a chat that has it already is left as it is. */
  moveChat(platform: string, from: string, to: string): Promise<void>;
  /**
   * Makes a person's message a task, or a part of the one that person has queued in that chat while that is not too long, and marks
   * its update done, in one commit. The answer then goes to the last message.
   */
  takeMessage(message: TakenMessage): Promise<{ readonly task: Task; readonly joined: boolean }>;
  /**
   * Changes a message of a task that is still queued. Nothing is changed where the task has begun or is unknown ("over"), and where
   * the words before may have asked for a cloud ("refused").
   */
  amendMessage(
    chatId: string,
    messageId: string,
    text: string,
  ): Promise<"amended" | "refused" | "over">;
  /**
   * Gives a message to a task that is being worked, and marks its update done, in one commit; false, and nothing changed, when it
   * is not running.
   */
  steerTask(
    taskId: string,
    message: { readonly seq: number; readonly messageId: string; readonly text: string },
  ): Promise<boolean>;
  /**
   * The chat in which a message is known: the one at this address, or one of its topics, since some events do not tell a topic.
   * Undefined where no chat knows it.
   */
  chatOfMessage(place: Place, messageId: string): Promise<Chat | undefined>;
  /** The task that a message asked for, or that it is part of the answer of. */
  taskOfMessage(chatId: string, messageId: string): Promise<Task | undefined>;
  /** Open tasks of a chat, oldest first. */
  openTasksOf(chatId: string): Promise<Task[]>;
  /** Ends queued and waiting tasks as cancelled without an answer; gives those it ended. */
  cancelTasks(taskIds: readonly string[]): Promise<string[]>;
  /** Ends a task as cancelled whatever it does, so that nothing of it is sent; whoever works it is to stop it. */
  dropTask(taskId: string): Promise<void>;
  /** Stores parts that belong to no task, and marks the update that asked for them done, in one commit. */
  addParts(parts: readonly NewPart[], seq?: number): Promise<OutboxPart[]>;
  /**
   * Stores the first part of a task that is being worked, which its answer will replace; undefined, and nothing changed, where it is
   * not running.
   */
  beginAnswer(part: NewPart & { readonly taskId: string }): Promise<OutboxPart | undefined>;
  /** Parts of a chat that are not sent, in order. */
  openParts(chatId: string): Promise<OutboxPart[]>;
  /** Chats that have parts to be sent. */
  chatsToSend(platform: string): Promise<string[]>;
  /** The placeholder of a part is there. */
  placed(id: number, messageId: string | null): Promise<void>;
  /**
   * The part is to be seen with this body, which is kept no longer; where it has another by now, since its task ended while it was
   * being sent, it stays open. With "soon" it shares the commit of the next write, if there is one within a moment: a crash that
   * forgets it costs one edit that changes nothing.
   */
  sent(part: Pick<OutboxPart, "id" | "body">, when: "now" | "soon"): Promise<void>;
  /** The part was tried in vain. */
  tried(id: number): Promise<void>;
  /** The part will not be sent. */
  dead(id: number, reason: string): Promise<void>;
  /** Puts simpler parts in the place of one that was refused; the first keeps its message. */
  replacePart(id: number, parts: readonly Part[]): Promise<void>;
  /** The action of a button of this chat, by its hash; undefined where there is none, or it is not this person's to press. */
  buttonAction(
    chatId: string,
    button: { readonly hash: string; readonly personId: string },
  ): Promise<ButtonAction | undefined>;
  /**
   * Stores what a person thinks of an answer; a later reaction or judgement of that person replaces an earlier
   * one, and one without reactions takes it back.
   */
  addFeedback(feedback: Feedback & { readonly kind: "reaction" | "wrong" }): Promise<void>;
  /** Makes a task that asks for what another one asked, and stores that this person wants it so, in one commit. */
  askAgain(task: NewTask, wanted: Pick<Feedback, "taskId" | "personId">): Promise<Task>;
  /** What people think of a task's answer, oldest first. */
  feedback(taskId: string): Promise<Feedback[]>;
  /** Notes that a platform was heard; gives when it was heard before, in milliseconds since 1970. */
  heard(
    from: { readonly platform: string; readonly account: string },
    at: number,
  ): Promise<number | undefined>;
  /** Messages of a chat that are ours, and those of people in it, newer than this one. */
  knownMessages(
    chatId: string,
    floor: string,
  ): Promise<{
    readonly ids: ReadonlySet<string>;
    /** The last one that is ours: what is newer can only belong to a part that comes after it. */
    readonly last: string | null;
  }>;
  /** Forgets updates that were done before this moment, so that the inbox does not grow for ever. */
  forgetUpdates(before: number): Promise<void>;
}
