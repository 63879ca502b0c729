import type { Update as TelegramUpdate } from "grammy/types";

import type { ChatEvent, IncomingMessage, Place, Sender, Update } from "#core/chat.ts";

import { isService, shownIn, writtenIn } from "./content.ts";
import {
  type ChatShape,
  type MembershipShape,
  type MessageShape,
  type UpdateShape,
  updateShape,
  type UserShape,
} from "./shapes.ts";

/** The bot itself, as getMe tells. */
export interface Me {
  readonly id: number;
  readonly username: string;
  /** False in privacy mode: in groups Telegram then hands over only what is clearly meant for the bot. */
  readonly readsGroups: boolean;
}

const platform = "telegram";
const nothing = { type: "nothing" } as const;

/** Telegram's number of a forum's General topic, which cannot be written to by it; a private chat has none. */
const general = 1;

function placeOf(chat: ChatShape, topic?: number): Place {
  const isPrivate = chat.type === "private";
  const isTopic = topic !== undefined && (isPrivate || topic !== general);
  const address = isTopic ? `${chat.id}/${topic}` : String(chat.id);
  return { platform, address, kind: isPrivate ? "direct" : "group" };
}

/** Where a message is. A thread's number means a topic only where Telegram says so; General has none. */
function placeOfMessage(message: MessageShape): Place {
  const topic = message.is_topic_message === true ? message.message_thread_id : undefined;
  return placeOf(message.chat, topic);
}

/** Who sent it. Who speaks as a group or a channel cannot be told: the account that Telegram then gives is a stand-in. */
function senderOf(from: UserShape | undefined, isHidden = false): Sender {
  if (from === undefined || isHidden) {
    return { platform, accountId: "0", name: "", kind: "unknown" };
  }
  const name = [from.first_name, from.last_name].filter(Boolean).join(" ");
  const kind = from.is_bot === true ? "bot" : "person";
  return { platform, accountId: String(from.id), name, kind };
}

/** The message that it replies to. In a topic Telegram makes every message a reply to the topic's first, which nobody meant. */
function repliedTo(message: MessageShape) {
  const { reply_to_message: replied } = message;
  if (replied === undefined || replied["forum_topic_created"] !== undefined) return undefined;
  const isHead = message.is_topic_message === true && message.message_thread_id;
  return isHead === replied.message_id ? undefined : replied;
}

type Written = ReturnType<typeof writtenIn>;
type Mark = Written["marks"][number];

function markedWord({ text }: Written, { offset, length }: Mark): string {
  return text.slice(offset, offset + length).toLowerCase();
}

/** The bot's name that follows a command at the beginning; "" where there is none, undefined where there is no command. */
function commandFor(written: Written): string | undefined {
  const command = written.marks.find(({ type, offset }) => type === "bot_command" && offset === 0);
  return command === undefined ? undefined : (markedWord(written, command).split("@")[1] ?? "");
}

function isMention(written: Written, mark: Mark, me: Me): boolean {
  if (mark.type === "text_mention") return mark.user?.id === me.id;
  return mark.type === "mention" && markedWord(written, mark) === `@${me.username.toLowerCase()}`;
}

/** Rich messages have no marks. */
function namesMe({ text, marks }: Written, me: Me): boolean {
  if (marks.length > 0) return false;
  return text
    .toLowerCase()
    .split(/[^\w@]+/)
    .includes(`@${me.username.toLowerCase()}`);
}

/** True for a message that is meant for us: every one of a private chat; in a group a mention, a reply to us, or a command. */
function isAddressed(message: MessageShape, me: Me): boolean {
  if (message.chat.type === "private") return true;
  const written = writtenIn(message);
  const named = commandFor(written);
  if (named !== undefined && named !== "") return named === me.username.toLowerCase();
  if (named === "" || repliedTo(message)?.from?.id === me.id) return true;
  return written.marks.some((mark) => isMention(written, mark, me)) || namesMe(written, me);
}

/** The words without the mention at their beginning, which only says whom they are for. */
function withoutMention(written: Written, me: Me): string {
  const { text, marks } = written;
  const lead = text.length - text.trimStart().length;
  const first = marks.find(({ type, offset }) => type === "mention" && offset === lead);
  if (first === undefined || !isMention(written, first, me)) return text;
  return text.slice(lead + first.length).replace(/^[\s,:]+/, "");
}

/**
 * True for what is not said to us in a chat of ours: a message to a business account or to a guest, a channel's own inbox, a post of
 * a channel, and one that only its receiver sees, which has no number to answer to.
 */
function isElsewhere({ chat, message_id: id, ...message }: MessageShape): boolean {
  return (
    id === 0 ||
    chat.type === "channel" ||
    chat.is_direct_messages === true ||
    message.guest_query_id !== undefined ||
    message.business_connection_id !== undefined
  );
}

function saidIn(message: MessageShape, me: Me): IncomingMessage {
  const { lines, attachments } = shownIn(message);
  const words = [withoutMention(writtenIn(message), me), ...lines];
  const replied = repliedTo(message);
  // What another bot put into a person's mouth is not the person's command either.
  const isOthers = message.via_bot !== undefined && message.via_bot.id !== me.id;
  return {
    type: "message",
    place: placeOfMessage(message),
    from: senderOf(message.from, message.sender_chat !== undefined),
    messageId: String(message.message_id),
    text: words.filter((line) => line !== "").join("\n"),
    replyTo: replied === undefined ? null : String(replied.message_id),
    addressed: isAddressed(message, me),
    forwarded: message.forward_origin !== undefined || isOthers,
    attachments,
    ...(message.media_group_id === undefined ? {} : { album: message.media_group_id }),
  };
}

function messageEvent(message: MessageShape, me: Me): ChatEvent {
  const { migrate_to_chat_id: to, migrate_from_chat_id: from, chat } = message;
  // Telegram tells of a move twice: in the old group, and in the new one.
  if (to !== undefined) return { type: "move", place: placeOf(chat), to: String(to) };
  if (from !== undefined) {
    return { type: "move", place: placeOf({ ...chat, id: from }), to: String(chat.id) };
  }
  if (isElsewhere(message)) return nothing;
  const { forum_topic_created: topic } = message;
  if (topic !== undefined) {
    const opened = { place: placeOfMessage(message), from: senderOf(message.from) };
    return { type: "topic", ...opened, named: topic.is_name_implicit !== true };
  }
  return isService(message) ? nothing : saidIn(message, me);
}

function editEvent(message: MessageShape, me: Me): ChatEvent {
  if (isElsewhere(message) || isService(message)) return nothing;
  const { place, from, messageId, text } = saidIn(message, me);
  return { type: "edit", place, from, messageId, text };
}

/**
 * A press is acknowledged whatever it is of. That of a message which Telegram no longer shows us names no topic, and one without a
 * message comes from another chat: neither button is ours any more.
 */
function pressEvent({ id, from, data = "", message }: NonNullable<UpdateShape["callback_query"]>) {
  const place = message && placeOfMessage(message);
  return {
    type: "press",
    place: place ?? placeOf({ id: from.id, type: "private" }),
    from: senderOf(from),
    pressId: id,
    messageId: String(message?.message_id ?? 0),
    button: message === undefined ? "" : data,
  } as const;
}

/** Telegram does not tell the topic of a reaction; a message's number is unique in the whole chat. */
function reactionEvent(reaction: NonNullable<UpdateShape["message_reaction"]>): ChatEvent {
  return {
    type: "reaction",
    place: placeOf(reaction.chat),
    from: senderOf(reaction.user),
    messageId: String(reaction.message_id),
    reactions: reaction.new_reaction.map(
      ({ type, emoji, custom_emoji_id: custom }) =>
        emoji ?? (custom === undefined ? type : `custom:${custom}`),
    ),
  };
}

function isIn({ status, is_member: member }: MembershipShape): boolean {
  return status === "restricted" ? member === true : !["left", "kicked"].includes(status);
}

/** Of what the bot may do, only that it came into a group; that it may write no more is told by every call that is refused. */
function joinEvent(change: NonNullable<UpdateShape["my_chat_member"]>): ChatEvent {
  const { chat, from, old_chat_member: before, new_chat_member: now } = change;
  const isGroup = chat.type === "group" || chat.type === "supergroup";
  if (!isGroup || before === undefined || isIn(before) || !isIn(now)) return nothing;
  return { type: "join", place: placeOf(chat), from: senderOf(from) };
}

/** The stop button of a draft, which only private chats have, so that the chat is the person. */
function stopEvent(stopped: NonNullable<UpdateShape["stopped_message_generation"]>): ChatEvent {
  const { chat, message_thread_id: topic } = stopped;
  if (chat.type !== "private") return nothing;
  return { type: "stop", place: placeOf(chat, topic), from: senderOf(chat) };
}

function eventOf(update: UpdateShape, me: Me): ChatEvent {
  if (update.message !== undefined) return messageEvent(update.message, me);
  if (update.edited_message !== undefined) return editEvent(update.edited_message, me);
  if (update.callback_query !== undefined) return pressEvent(update.callback_query);
  if (update.message_reaction !== undefined) return reactionEvent(update.message_reaction);
  if (update.my_chat_member !== undefined) return joinEvent(update.my_chat_member);
  const { stopped_message_generation: stopped } = update;
  return stopped === undefined ? nothing : stopEvent(stopped);
}

/** Telegram's update in the words of the house; one that means nothing to us, or has no shape that we know, is `nothing`. */
export function toUpdate(update: TelegramUpdate, me: Me): Update {
  const read = updateShape.safeParse(update);
  if (!read.success) return { updateId: "", event: nothing };
  return { updateId: String(read.data.update_id ?? ""), event: eventOf(read.data, me) };
}
