import { chatOf, messageOf, userOf } from "./draw.ts";
import { liveDraft } from "./methods/drafts.ts";
import { keepFile } from "./methods/files.ts";
import {
  bot,
  changed,
  type Chat,
  chatIn,
  type Entity,
  type FileKind,
  lookOf,
  personIn,
  plainLook,
  type Seen,
  seconds,
  show,
  type World,
} from "./world.ts";

/** A file that a person sends. */
export interface Attachment {
  readonly kind: FileKind;
  readonly name: string;
  readonly mime?: string;
  /** What is in it; a number is only its size, of a file that is too large to be fetched. */
  readonly bytes: Uint8Array | number;
}

/** Who writes to the bot; private chats have the person's number. */
export interface Writing {
  readonly from: number;
  readonly text: string;
  /** A group's number (below zero); absent is the private chat. */
  readonly group?: number;
  readonly topic?: number;
  readonly replyTo?: number;
  readonly forwarded?: boolean;
  /** As the group itself (an anonymous admin), or as a bot. */
  readonly as?: "anonymous" | "bot";
  readonly file?: Attachment;
  /** Further fields of the message, such as a sticker or an album's number. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** What people do with messages. */
export interface Writers {
  /** A person writes; gives the message's number. */
  write(writing: Writing): number;
  /** A person changes a message. */
  change(writing: Writing & { readonly messageId: number }): void;
  /** A channel's post; gives its number. */
  post(channel: number, text: string): number;
  /** Presses a button of the newest look, by its label or its data; throws when there is none. Gives the press's number. */
  press(chatId: number, messageId: number, button: string, from?: number): string;
  /** A press that no button stands behind, as of a client that is old or made up. */
  forgePress(press: {
    readonly chatId: number;
    readonly messageId: number;
    readonly data: string;
    readonly from?: number;
  }): string;
  /** The labels of the buttons under a message, as it looks now. */
  buttons(chatId: number, messageId: number): readonly string[];
  /** What the bot said to a press; undefined before it has. */
  answered(pressId: string): { readonly text: string; readonly alert: boolean } | undefined;
  /** Presses Stop on the draft that is there; throws when none is, or it has no such button. */
  pressStop(chatId: number, topic?: number): void;
  /** Puts marks under a message; none takes them away. */
  react(chatId: number, messageId: number, marks: readonly string[], from?: number): void;
  /** Takes a message away. The bot is not told. */
  remove(chatId: number, messageId: number): void;
}

function entitiesOf(text: string): Entity[] {
  const found = [
    ...Array.from(
      text.matchAll(/(?<![\w/])\/\w+(?:@\w+)?/g),
      (match) => ["bot_command", match] as const,
    ),
    ...Array.from(text.matchAll(/(?<![\w/])@\w{4,}/g), (match) => ["mention", match] as const),
  ];
  const entities = found.map(([type, { 0: word, index: offset }]) => ({
    type,
    offset,
    length: word.length,
  }));
  return entities.toSorted((a, b) => a.offset - b.offset);
}

function chatOfPerson(world: World, { from, group }: Pick<Writing, "from" | "group">): Chat {
  const chat = chatIn(world, group ?? from);
  if (chat.movedTo !== undefined) throw new Error(`chat ${chat.id} became ${chat.movedTo}`);
  if (chat.type === "private" && chat.bot !== "member") {
    throw new Error(`${from} has blocked the bot`);
  }
  chat.members.add(from);
  return chat;
}

/** With privacy mode a group's bot hears what is meant for it, and nothing else. */
function isHeard(world: World, chat: Chat, seen: Seen): boolean {
  if (chat.bot === "kicked" || chat.bot === "left") return false;
  if (!world.settings.privacy || chat.type === "private") return true;
  if (chat.bot === "administrator" || seen.service !== undefined) return true;
  const text = seen.texts.at(-1) ?? "";
  const replied = seen.replyTo === undefined ? undefined : chat.messages.get(seen.replyTo);
  return text.startsWith("/") || text.includes(`@${bot.username}`) || replied?.by === bot.id;
}

/** Puts a person's message up, and tells the bot. */
export function announce(world: World, chat: Chat, seen: Seen, more: object = {}): Seen {
  if (isHeard(world, chat, seen)) {
    const kind = chat.type === "channel" ? "channel_post" : "message";
    world.put({ [kind]: { ...messageOf(world, chat, seen), ...more } });
  }
  return seen;
}

function fileOf(world: World, { kind, name, mime, bytes }: Attachment) {
  const described = { kind, name, mime: mime ?? "application/octet-stream" };
  return keepFile(
    world,
    typeof bytes === "number" ? { ...described, size: bytes } : { ...described, bytes },
  );
}

function existing(chat: Chat, messageId: number): Seen {
  const seen = chat.messages.get(messageId);
  if (seen === undefined || seen.gone) {
    throw new Error(`there is no message ${messageId} in chat ${chat.id}`);
  }
  return seen;
}

function write(world: World, writing: Writing): number {
  const { from, text, as, replyTo, topic, file, forwarded } = writing;
  const person = personIn(world, from);
  if (as === "bot") person.isBot = true;
  const chat = chatOfPerson(world, writing);
  const origin = { type: "hidden_user", sender_user_name: "Somebody", date: seconds(world) };
  const seen = show(world, chat, {
    by: as === "anonymous" ? chat.id : from,
    replyTo,
    topic,
    origin: forwarded === true ? origin : undefined,
    look: plainLook(text, {
      entities: entitiesOf(text),
      ...(file === undefined ? {} : { file: fileOf(world, file) }),
    }),
  });
  return announce(world, chat, seen, writing.more).messageId;
}

function change(world: World, writing: Writing & { readonly messageId: number }): void {
  const { from, group, text, messageId } = writing;
  const chat = chatIn(world, group ?? from);
  const seen = existing(chat, messageId);
  seen.looks.push({ ...lookOf(seen), text, entities: entitiesOf(text) });
  seen.texts.push(text);
  changed(world, chat.id);
  if (!isHeard(world, chat, seen)) return;
  world.put({ edited_message: { ...messageOf(world, chat, seen), edit_date: seconds(world) } });
}

function pressed(
  world: World,
  chat: Chat,
  made: { readonly message: object; readonly data: string; readonly from: number },
): string {
  const id = String(7_000_000 + ++world.lastPress);
  const { message, data, from } = made;
  world.presses.set(id, { at: world.clock.now(), answer: undefined });
  const user = userOf(personIn(world, from));
  world.put({ callback_query: { id, from: user, message, chat_instance: `c${chat.id}`, data } });
  return id;
}

function press(
  world: World,
  chat: Chat,
  asked: { readonly messageId: number; readonly button: string; readonly from: number },
): string {
  const seen = existing(chat, asked.messageId);
  const buttons = lookOf(seen).buttons.flat();
  const button = buttons.find(
    ({ text, callback_data: data }) => text === asked.button || data === asked.button,
  );
  if (button?.callback_data === undefined) {
    const there = buttons.map(({ text }) => text).join(", ") || "none";
    throw new Error(`message ${asked.messageId} has no button "${asked.button}"; it has: ${there}`);
  }
  const message = messageOf(world, chat, seen);
  return pressed(world, chat, { message, data: button.callback_data, from: asked.from });
}

function pressStop(world: World, chat: Chat, topic: number | undefined): void {
  const draft = liveDraft(world, chat, topic);
  if (draft?.canStop !== true)
    throw new Error(`chat ${chat.id} shows no draft that can be stopped`);
  draft.ended = "stopped";
  changed(world, chat.id);
  const stopped = { chat: chatOf(world, chat), draft_id: draft.draftId };
  const place = topic === undefined ? {} : { message_thread_id: topic };
  world.put({ stopped_message_generation: { ...stopped, ...place } });
}

function react(
  world: World,
  chat: Chat,
  reaction: {
    readonly messageId: number;
    readonly marks: readonly string[];
    readonly from: number;
  },
): void {
  const { messageId, marks, from } = reaction;
  const seen = existing(chat, messageId);
  const typed = (emojis: readonly string[]) => emojis.map((emoji) => ({ type: "emoji", emoji }));
  const old = seen.reactions.get(from) ?? [];
  seen.reactions.set(from, marks);
  changed(world, chat.id);
  // In groups only an administrator is told.
  if (chat.type !== "private" && chat.bot !== "administrator") return;
  world.put({
    message_reaction: {
      chat: chatOf(world, chat),
      message_id: messageId,
      user: userOf(personIn(world, from)),
      date: seconds(world),
      old_reaction: typed(old),
      new_reaction: typed(marks),
    },
  });
}

/** People who write, press and react. */
export function createWriters(world: World): Writers {
  return {
    write: (writing) => write(world, writing),
    change: (writing) => change(world, writing),
    post(channel, text) {
      const chat = chatIn(world, channel, { type: "channel" });
      const look = plainLook(text, { entities: entitiesOf(text) });
      return announce(world, chat, show(world, chat, { by: channel, look })).messageId;
    },
    press: (chatId, messageId, button, from = chatId) =>
      press(world, chatIn(world, chatId), { messageId, button, from }),
    forgePress({ chatId, messageId, data, from = chatId }) {
      const chat = chatIn(world, chatId);
      const seen = chat.messages.get(messageId);
      const inaccessible = { chat: chatOf(world, chat), message_id: messageId, date: 0 };
      const message = seen === undefined || seen.gone ? inaccessible : messageOf(world, chat, seen);
      return pressed(world, chat, { message, data, from });
    },
    buttons: (chatId, messageId) =>
      lookOf(existing(chatIn(world, chatId), messageId))
        .buttons.flat()
        .map(({ text }) => text),
    answered: (pressId) => world.presses.get(pressId)?.answer,
    pressStop: (chatId, topic) => pressStop(world, chatIn(world, chatId), topic),
    react: (chatId, messageId, marks, from = chatId) =>
      react(world, chatIn(world, chatId), { messageId, marks, from }),
    remove(chatId, messageId) {
      existing(chatIn(world, chatId), messageId).gone = true;
      changed(world, chatId);
    },
  };
}
