/** The platforms whose messages only a service sends; a task that came over one of them waits for the service. */
export const servedPlatforms: readonly string[] = ["telegram"];

/** The platform of this machine's terminals: whoever can use the data directory is its owner. */
export const terminalPlatform = "terminal";

/** An account on a platform, by the number the platform gives it and never by a name, which anybody can take. */
export interface Account {
  readonly platform: string;
  readonly accountId: string;
}

/** Who sent something: the account, with what it calls itself. */
export interface Sender extends Account {
  readonly name: string;
  /** "person", another "bot", or somebody that cannot be told: an anonymous admin or a channel. */
  readonly kind: "person" | "bot" | "unknown";
}

/** A place where people talk, as its platform addresses it. */
export interface Place {
  readonly platform: string;
  /** The platform's own address: of Telegram the chat's number, and after a slash the topic's where there is one. */
  readonly address: string;
  readonly kind: "direct" | "group";
}

/** A file that came with a message; it is fetched later, by its platform. */
export interface Attachment {
  readonly kind: "document" | "photo" | "voice" | "audio" | "video";
  readonly name: string;
  readonly mediaType: string;
  /** Bytes, as the platform tells; null where it does not. */
  readonly size: number | null;
  /** What the platform fetches it by. */
  readonly reference: string;
}

/** A message of a person. */
export interface IncomingMessage {
  readonly type: "message";
  readonly place: Place;
  readonly from: Sender;
  readonly messageId: string;
  readonly text: string;
  /** The message that it replies to. */
  readonly replyTo: string | null;
  /** True where it is meant for us: in a direct chat, by a mention, by a reply to one of ours, by a command. */
  readonly addressed: boolean;
  /** True where somebody else wrote it first: a command in it is no command. */
  readonly forwarded: boolean;
  readonly attachments: readonly Attachment[];
  /**
   * Set where the words were a six-digit code, and were taken out before anything was stored: the code's id, or that it was wrong,
   * or one guess too many. No platform sets it.
   */
  readonly code?: number | "wrong" | "ignored";
  /** The same for messages that were sent as one, an album of photos for example; they come one right after the other. */
  readonly album?: string;
}

/** A message was changed. */
export interface IncomingEdit {
  readonly type: "edit";
  readonly place: Place;
  readonly from: Sender;
  readonly messageId: string;
  readonly text: string;
}

/** A button was pressed. */
export interface IncomingPress {
  readonly type: "press";
  readonly place: Place;
  readonly from: Sender;
  /** What the press is acknowledged by. */
  readonly pressId: string;
  readonly messageId: string;
  /** The button's id; "" where the platform sent something that is none of ours. */
  readonly button: string;
}

/** A person reacts to a message; none where a reaction was taken back. */
export interface IncomingReaction {
  readonly type: "reaction";
  readonly place: Place;
  readonly from: Sender;
  readonly messageId: string;
  readonly reactions: readonly string[];
}

/** A chat goes on under another address. */
export interface IncomingMove {
  readonly type: "move";
  readonly place: Place;
  readonly to: string;
}

/** Somebody brought us into a group that we were not in before. */
export interface IncomingJoin {
  readonly type: "join";
  readonly place: Place;
  readonly from: Sender;
}

/** A topic was opened, which is a chat of its own. */
export interface IncomingTopic {
  readonly type: "topic";
  readonly place: Place;
  readonly from: Sender;
  /** False where nobody gave it a name: it bears one that its platform made up. */
  readonly named: boolean;
}

/** A person stops the answer that is being written. */
export interface IncomingStop {
  readonly type: "stop";
  readonly place: Place;
  readonly from: Sender;
}

/** An update that means nothing to us; it is confirmed and forgotten. */
export interface IncomingNothing {
  readonly type: "nothing";
}

/** What happens on a platform, in the words of the house. */
export type ChatEvent =
  | IncomingMessage
  | IncomingEdit
  | IncomingPress
  | IncomingReaction
  | IncomingMove
  | IncomingJoin
  | IncomingTopic
  | IncomingStop
  | IncomingNothing;

/** An event as a platform hands it over; the same one may come again. */
export interface Update {
  /** Unique within platform and account; neither dense nor growing. */
  readonly updateId: string;
  readonly event: ChatEvent;
}

/** A time in which a platform was not heard, told with what it kept for us. */
export interface Away {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** How long the platform keeps what it cannot hand over, in milliseconds; what is older is lost. */
  readonly keptMs: number;
  /** True where more of that time is to come. */
  readonly more: boolean;
}

/** A button of a card; `id` is what a press brings back. */
export interface Button {
  readonly id: string;
  readonly label: string;
  readonly tone?: "good" | "bad";
}

/** Rows of buttons. */
export type Buttons = readonly (readonly Button[])[];

/** A file that goes out with a saying: a text of our own, or one that is stored under its content's hash. */
export type OutgoingFile = { readonly name: string } & (
  | { readonly text: string }
  | { readonly sha256: string; readonly mediaType: string }
);

/** A message that is not a model's: a title, a text, buttons and files, drawn by each platform in its own way. */
export interface Card {
  readonly title?: string;
  /** Plain words; nothing in them is markup. */
  readonly text: string;
  readonly buttons?: Buttons;
  readonly files?: readonly OutgoingFile[];
  /** True for a question that is answered in words: where a platform can, it opens an answer to this message. */
  readonly wantsWords?: boolean;
}

/** What a platform is asked to say: a model's Markdown with what stands small under it, or a card of ours. */
export type Saying =
  | {
      readonly type: "answer";
      readonly markdown: string;
      readonly buttons?: Buttons;
      /** Plain lines of ours under the answer. */
      readonly footer?: string;
    }
  | { readonly type: "card"; readonly card: Card };

/** One visible message in the form that its platform sends; only the platform reads `body`, which is JSON. */
export interface Part {
  readonly body: string;
}

/** What a press of one of our buttons does. */
export type ButtonAction =
  | { readonly do: "stop" | "details" | "again" | "wrong"; readonly taskId: string }
  | { readonly do: "reason"; readonly taskId: string; readonly reason: string }
  | { readonly do: "choose"; readonly questionId: string; readonly choice: number };

/** A button as it is stored, with the part that shows it. */
export interface NewButton {
  /** SHA-256 of its id, in hexadecimal: whoever reads the database cannot press it. */
  readonly hash: string;
  readonly action: ButtonAction;
  /** The only person who may press it; null is any of our people who talk in that chat. */
  readonly personId: string | null;
}

/** A visible message that is to be sent. */
export interface NewPart extends Part {
  readonly chatId: string;
  /** Null for what belongs to no task. */
  readonly taskId: string | null;
  /** The place within the task's answer, from 0. */
  readonly part: number;
  readonly replyTo: string | null;
  /** The message that it changes; absent is a new one. */
  readonly messageId?: string;
  /** Stored in the same commit. */
  readonly buttons?: readonly NewButton[];
}

/** Where a part goes. */
export interface Target {
  /** The platform's address of the chat. */
  readonly address: string;
  /** The message that it answers; frozen when the part was made. */
  readonly replyTo: string | null;
  /** The task to whose receipts the sending belongs; absent or null where it belongs to none. */
  readonly taskId?: string | null;
}

/** Why something was not sent. */
export type Unsent =
  /** The platform wants us to wait, in this chat or everywhere. */
  | { readonly type: "later"; readonly waitMs: number; readonly everywhere: boolean }
  /** It was certainly not taken: no connection, or the platform has a fault of its own. */
  | { readonly type: "unreached"; readonly reason: string }
  /** It may have been taken: the connection broke before the platform's answer. */
  | { readonly type: "unknown"; readonly reason: string }
  /** The platform refuses the form; a simpler one may pass. */
  | { readonly type: "unfit"; readonly reason: string }
  /** The message to be edited is there no more. */
  | { readonly type: "missing"; readonly reason: string }
  /** The chat has another address now. */
  | { readonly type: "moved"; readonly to: string }
  /** Nobody is there to see it: it is sent when the chat is woken. */
  | { readonly type: "absent" }
  /** Nothing can be sent to this chat: we were blocked or removed, or the chat is gone. */
  | { readonly type: "closed"; readonly reason: string };

/** What came of sending. */
export type Sent =
  | { readonly ok: true; readonly messageId: string }
  | { readonly ok: false; readonly why: Unsent };

/** Where a placeholder of unclear fate may be: newer than `floor`, and none of the messages that are known. */
export interface Ghosts {
  readonly floor: string;
  readonly known: ReadonlySet<string>;
}

/** What a chat's platform bears. */
export interface Manners {
  /** An unfinished answer is shown as a draft, or by edits of its message; at most once in so many milliseconds. */
  readonly live: "draft" | "edit";
  readonly liveEveryMs: number;
  /** So many messages may be sent at once to a chat that was idle; each further one after so many milliseconds. */
  readonly burst: number;
  readonly everyMs: number;
}

/** A file of a person, as it comes from its platform. */
export interface FetchedFile {
  readonly body: ReadableStream<Uint8Array>;
  /** Bytes, where the platform says so. */
  readonly size: number | null;
}

/**
 * The one port that a face implements. `render` and `simpler` are pure and never fail. What is sent rejects only with a bug: a
 * failure is a value. A placeholder is a short message that says work goes on, and becomes a part by `edit`, which may be repeated.
 */
export interface ChatPlatform {
  readonly name: string;
  /** The parts of an answer or a card, in order, at least one. */
  readonly render: (saying: Saying) => readonly Part[];
  /** Simpler forms of a part that was refused, until there is none: then undefined. */
  readonly simpler: (part: Part) => readonly Part[] | undefined;
  readonly place: (target: Target) => Promise<Sent>;
  readonly edit: (target: Target, messageId: string, part: Part) => Promise<Sent>;
  /** The placeholder that an unclear `place` left behind, if it can be found. */
  readonly findPlaced?: (target: Target, among: Ghosts) => Promise<string | undefined>;
  /** How what there is of an answer is shown in this chat while it is written, and how the chat's messages are paced. */
  readonly manners: (address: string) => Manners;
  /** Shows what there is of an answer as a draft; lossy, and never awaited by what sends. */
  readonly draft?: (target: Target, draftId: string, markdown: string) => Promise<void>;
  /** Says a line beside what is shown of an answer; lossy. Absent where such a line can only be shown in the answer's place. */
  readonly beside?: (address: string, line: string) => Promise<void>;
  /** Says that work goes on; lossy. */
  readonly typing: (address: string) => Promise<void>;
  /** A sign on a person's message that it was seen and has to wait; lossy. */
  readonly receipt: (address: string, messageId: string) => Promise<void>;
  /** Says a line to somebody who is none of our people; lossy. */
  readonly whisper: (address: string, line: string) => Promise<void>;
  /** Acknowledges a press, with a line that its person sees; "" only ends its waiting. Lossy. */
  readonly acknowledge: (pressId: string, line: string) => Promise<void>;
  /** What people must know of groups here, as far as it is known; undefined where there is nothing. */
  readonly groupHint?: () => string | undefined;
  /** Names a topic that bears a name which its platform made up; lossy. */
  readonly nameTopic?: (address: string, name: string) => Promise<void>;
  /**
   * Begins to fetch a file. Rejects with `chat.file-too-large` or `chat.file-gone`, which stay so, or with `chat.file-unreachable`,
   * which may pass. An end by the signal rejects with the signal's reason, also where the body is read. It is on the receipts of the
   * task that it is fetched for.
   */
  readonly fetchFile?: (
    attachment: Attachment,
    signal: AbortSignal,
    taskId: string,
  ) => Promise<FetchedFile>;
}
