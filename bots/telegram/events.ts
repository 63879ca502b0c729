import type { Chat, Message, MessageEntity, Update as TelegramUpdate, User } from "grammy/types";

import type { ChatEvent, IncomingMessage, Place, Sender, Update } from "#core/chat.ts";

/** The bot itself, as getMe tells. */
export interface Me {
  readonly id: number;
  readonly username: string;
}

const platform = "telegram";
const nothing = { type: "nothing" } as const;

/** The address of a chat, and of a topic in it. A thread's id means a topic only where Telegram says so; General has none. */
function placeOf(chat: Chat, message?: Message): Place {
  const topic = message?.is_topic_message === true ? message.message_thread_id : undefined;
  const address = topic === undefined ? String(chat.id) : `${chat.id}/${topic}`;
  return { platform, address, kind: chat.type === "private" ? "direct" : "group" };
}

function senderOf(from: User | undefined, isOther: boolean): Sender {
  if (from === undefined || isOther) {
    return { platform, accountId: "0", name: "", kind: "unknown" };
  }
  const name = [from.first_name, from.last_name].filter(Boolean).join(" ");
  return { platform, accountId: String(from.id), name, kind: from.is_bot ? "bot" : "person" };
}

function wordsIn(message: Message): { text: string; entities: readonly MessageEntity[] } {
  const text = message.text ?? message.caption ?? "";
  return { text, entities: message.entities ?? message.caption_entities ?? [] };
}

/** True for a message that is meant for us: every one of a private chat; in a group a mention, a reply to us, or a command. */
function isAddressed(message: Message, me: Me): boolean {
  if (message.chat.type === "private") return true;
  if (message.reply_to_message?.from?.id === me.id) return true;
  const { text, entities } = wordsIn(message);
  return entities.some(({ type, offset, length }) => {
    const word = text.slice(offset, offset + length).toLowerCase();
    if (type === "mention") return word === `@${me.username.toLowerCase()}`;
    if (type !== "bot_command" || offset !== 0) return false;
    const [, named] = word.split("@");
    return named === undefined || named === me.username.toLowerCase();
  });
}

/** The words without the mention that only says whom they are for. */
function withoutMention(text: string, me: Me): string {
  const mention = `@${me.username}`.toLowerCase();
  return text.toLowerCase().startsWith(mention) ? text.slice(mention.length).trimStart() : text;
}

function messageEvent(message: Message, me: Me): IncomingMessage {
  return {
    type: "message",
    place: placeOf(message.chat, message),
    from: senderOf(message.from, message.sender_chat !== undefined),
    messageId: String(message.message_id),
    text: withoutMention(wordsIn(message).text, me),
    replyTo:
      message.reply_to_message === undefined ? null : String(message.reply_to_message.message_id),
    addressed: isAddressed(message, me),
    forwarded: message.forward_origin !== undefined,
    attachments: [],
  };
}

function eventOf(update: TelegramUpdate, me: Me): ChatEvent {
  const { message, edited_message: edited, callback_query: press } = update;
  if (message?.migrate_to_chat_id !== undefined) {
    return { type: "move", place: placeOf(message.chat), to: String(message.migrate_to_chat_id) };
  }
  if (message !== undefined) return messageEvent(message, me);
  if (edited !== undefined) {
    const { place, from, messageId, text } = messageEvent(edited, me);
    return { type: "edit", place, from, messageId, text };
  }
  if (press?.message !== undefined) {
    const { id: pressId, data: button = "", from } = press;
    const messageId = String(press.message.message_id);
    const place = placeOf(press.message.chat);
    return { type: "press", place, from: senderOf(from, false), pressId, messageId, button };
  }
  return nothing;
}

/** Telegram's update in the words of the house; one that means nothing to us is `nothing`. */
export function toUpdate(update: TelegramUpdate, me: Me): Update {
  return { updateId: String(update.update_id), event: eventOf(update, me) };
}
