import type { Clock } from "../../../src/core/clock.ts";
import type { RichLook } from "./rich.ts";

/** A button under a message. */
export interface Button {
  readonly text: string;
  readonly callback_data?: string;
  readonly style?: string;
  readonly disabled?: object;
}

/** An entity as the Bot API has it. */
export interface Entity {
  readonly type: string;
  readonly offset: number;
  readonly length: number;
  readonly url?: string;
  readonly language?: string;
}

/** How a message looked at one time. */
export interface Look {
  /** What is read, without marks: the plain text, or the words of a rich message. */
  readonly text: string;
  readonly entities: readonly Entity[];
  /** A rich message: its source, and what is in it. */
  readonly rich?: RichLook;
  readonly buttons: readonly (readonly Button[])[];
  readonly file?: StoredFile;
}

/** A file that Telegram holds. */
export interface StoredFile {
  readonly id: string;
  readonly kind: FileKind;
  readonly name: string;
  readonly mime: string;
  readonly size: number;
  /** Absent for a file so large that nobody may fetch it. */
  readonly bytes?: Uint8Array;
  readonly path: string;
}

/** How a file is sent. */
export type FileKind = "document" | "photo" | "voice" | "audio" | "video";

/** A message that a person sees, with every look it has had. */
export interface Seen {
  readonly chatId: number;
  readonly messageId: number;
  readonly replyTo: number | undefined;
  /** Every text it has had. */
  readonly texts: string[];
  readonly looks: Look[];
  readonly topic: number | undefined;
  /** The number of who wrote it; of the chat for an anonymous admin or a channel. */
  readonly by: number;
  /** What everybody put under it. */
  readonly reactions: Map<number, readonly string[]>;
  /** A note of Telegram's own, such as a new topic. */
  readonly service: Readonly<Record<string, unknown>> | undefined;
  /** Where a forwarded message comes from. */
  readonly origin: object | undefined;
  readonly date: number;
  /** True when it is not there any more. */
  gone: boolean;
}

/** What streams into a private chat before the message is there. */
export interface Draft {
  readonly draftId: number;
  readonly topic: number | undefined;
  readonly looks: Look[];
  canStop: boolean;
  keepOnStop: boolean;
  /** When it goes away by itself, in milliseconds. */
  until: number;
  ended: "message" | "stopped" | "replaced" | undefined;
}

/** A topic of a forum, or of a private chat. */
export interface Topic {
  readonly id: number;
  name: string;
  implicit: boolean;
  state: "open" | "closed" | "deleted";
}

/** A place where people write. */
export interface Chat {
  readonly id: number;
  readonly type: "private" | "group" | "supergroup" | "channel";
  title: string;
  forum: boolean;
  /** What the bot is here; `left` was kicked, or blocked in a private chat. */
  bot: "member" | "administrator" | "kicked" | "left";
  /** The bot may not write here. */
  muted: boolean;
  /** Where it went when it became a supergroup. */
  movedTo: number | undefined;
  /** The chat is gone, or its person has deleted the account. */
  deleted: boolean;
  readonly members: Set<number>;
  readonly messages: Map<number, Seen>;
  readonly drafts: Draft[];
  readonly topics: Map<number, Topic>;
  /** The newest message's number, where the chat counts for itself. */
  lastMessage: number;
}

/** A person, or another bot. */
export interface Person {
  readonly id: number;
  name: string;
  isBot: boolean;
}

/** A press that waits for its answer. */
export interface Press {
  readonly at: number;
  answer: { readonly text: string; readonly alert: boolean } | undefined;
}

/** An update, as it is given out. */
export type Update = { readonly update_id: number } & Readonly<Record<string, unknown>>;

/** The commands of a scope and a language. */
export type Commands = readonly { readonly command: string; readonly description: string }[];

/** How the bot was made, and what it was allowed. */
export interface BotSettings {
  readonly topics: boolean;
  /** True when it does not hear what is not meant for it in groups. */
  readonly privacy: boolean;
}

/** All that the stand-in knows. */
export interface World {
  readonly clock: Clock;
  readonly settings: BotSettings;
  readonly chats: Map<number, Chat>;
  readonly people: Map<number, Person>;
  readonly files: Map<string, StoredFile>;
  readonly presses: Map<string, Press>;
  readonly commands: Map<string, Commands>;
  /** "Is typing", each time it was said. */
  readonly actions: {
    readonly chatId: number;
    readonly topic: number | undefined;
    readonly at: number;
  }[];
  readonly violations: string[];
  readonly listeners: Set<(message: Seen) => void>;
  /** Hears of everything that changes what is to be seen. */
  readonly watchers: Set<(chatId: number) => void>;
  /** The newest message's number of all chats that do not count for themselves. */
  lastMessage: number;
  lastFile: number;
  lastPress: number;
  /** Gives out an update. */
  put(update: Readonly<Record<string, unknown>>): void;
}

/** The bot's own number and name. */
export const bot = { id: 4242, name: "Heron", username: "heron_bot" } as const;

/** Makes a world in which nobody has written yet. */
export function createWorld(
  clock: Clock,
  settings: BotSettings,
  put: (update: Readonly<Record<string, unknown>>) => void,
): World {
  return {
    clock,
    settings,
    chats: new Map(),
    people: new Map(),
    files: new Map(),
    presses: new Map(),
    commands: new Map(),
    actions: [],
    violations: [],
    listeners: new Set(),
    watchers: new Set(),
    lastMessage: 0,
    lastFile: 0,
    lastPress: 0,
    put,
  };
}

/** Numbers below this are supergroups and channels, which count their messages for themselves. */
export const firstSupergroup = -1_000_000_000_000;

function typeOf(id: number): Chat["type"] {
  if (id > 0) return "private";
  return id <= firstSupergroup ? "supergroup" : "group";
}

/** A chat, made when it is not there. */
export function chatIn(world: World, id: number, made: Partial<Pick<Chat, "type">> = {}): Chat {
  const known = world.chats.get(id);
  if (known !== undefined) return known;
  const chat: Chat = {
    id,
    type: made.type ?? typeOf(id),
    title: "Group",
    forum: false,
    bot: "member",
    muted: false,
    movedTo: undefined,
    deleted: false,
    members: new Set(),
    messages: new Map(),
    drafts: [],
    topics: new Map(),
    lastMessage: 0,
  };
  world.chats.set(id, chat);
  return chat;
}

/** A person, made when nobody knows the number. */
export function personIn(world: World, id: number): Person {
  const known = world.people.get(id);
  if (known !== undefined) return known;
  const person = { id, name: "Ann", isBot: false };
  world.people.set(id, person);
  return person;
}

/** The number of a chat's next message. Private chats and plain groups count together, as they do for a bot. */
function nextMessage(world: World, chat: Chat): number {
  if (chat.type === "supergroup" || chat.type === "channel") return ++chat.lastMessage;
  return ++world.lastMessage;
}

/** Seconds since 1970, as Telegram counts. */
export function seconds(world: World): number {
  return Math.floor(world.clock.now() / 1000);
}

/** Tells everybody who looks that a chat has changed. */
export function changed(world: World, chatId: number): void {
  for (const watcher of world.watchers) watcher(chatId);
}

/** Puts a message where people see it. */
export function show(
  world: World,
  chat: Chat,
  message: Pick<Seen, "by"> &
    Partial<Pick<Seen, "replyTo" | "topic" | "service" | "origin">> & { readonly look: Look },
): Seen {
  const { by, replyTo, topic, look, service, origin } = message;
  const seen: Seen = {
    chatId: chat.id,
    messageId: nextMessage(world, chat),
    replyTo,
    texts: [look.text],
    looks: [look],
    topic,
    by,
    reactions: new Map(),
    service,
    origin,
    date: seconds(world),
    gone: false,
  };
  chat.messages.set(seen.messageId, seen);
  changed(world, chat.id);
  return seen;
}

/** A look of words alone. */
export function plainLook(text: string, more: Partial<Look> = {}): Look {
  return { text, entities: [], buttons: [], ...more };
}

/** How a message looks now. */
export function lookOf({ looks }: Seen): Look {
  return looks.at(-1) ?? plainLook("");
}
