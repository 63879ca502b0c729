import {
  bot,
  type Chat,
  type Look,
  lookOf,
  type Person,
  type Seen,
  type StoredFile,
  type World,
} from "./world.ts";

/** The bot as a sender. */
export const botUser = {
  id: bot.id,
  is_bot: true,
  first_name: bot.name,
  username: bot.username,
} as const;

/** A person as the Bot API writes one. */
export function userOf({ id, name, isBot }: Person): object {
  return { id, is_bot: isBot, first_name: name };
}

/** A chat as the Bot API writes one. */
export function chatOf(world: World, chat: Chat): object {
  const { id, type, title, forum } = chat;
  if (type === "private") {
    return { id, type, first_name: world.people.get(id)?.name ?? "Ann" };
  }
  return { id, type, title, ...(forum ? { is_forum: true } : {}) };
}

/** A file as the Bot API writes one in a message. */
function fileOf(file: StoredFile): object {
  const { id, kind, name, mime, size } = file;
  const common = { file_id: id, file_unique_id: `u${id}`, file_size: size };
  if (kind === "photo") {
    const small = { ...common, file_id: `${id}-small`, file_size: Math.ceil(size / 10) };
    return {
      photo: [
        { ...small, width: 90, height: 90 },
        { ...common, width: 900, height: 900 },
      ],
    };
  }
  const named = { ...common, mime_type: mime };
  if (kind === "voice") return { voice: { ...named, duration: 3 } };
  if (kind === "audio") return { audio: { ...named, file_name: name, duration: 3 } };
  const picture = { width: 320, height: 240, duration: 3 };
  if (kind === "video") return { video: { ...named, file_name: name, ...picture } };
  return { document: { ...named, file_name: name } };
}

function senderOf(world: World, chat: Chat, by: number): object {
  if (by === bot.id) return { from: botUser };
  if (by === chat.id && chat.type === "channel") return { sender_chat: chatOf(world, chat) };
  if (by === chat.id && chat.type !== "private") {
    const anonymous = { id: 1_087_968_824, is_bot: true, first_name: "Group" };
    return {
      from: { ...anonymous, username: "GroupAnonymousBot" },
      sender_chat: chatOf(world, chat),
    };
  }
  const person = world.people.get(by);
  return person === undefined ? {} : { from: userOf(person) };
}

/** In a forum whatever is written in a topic replies to the note that made the topic. */
function replyOf(world: World, chat: Chat, { topic, replyTo }: Seen): object {
  const id = replyTo ?? (chat.type === "supergroup" ? topic : undefined);
  if (id === undefined) return {};
  const replied = chat.messages.get(id);
  const bare = { message_id: id, date: 0, chat: chatOf(world, chat) };
  return {
    reply_to_message:
      replied === undefined || replied.gone ? bare : messageOf(world, chat, replied, false),
  };
}

/** The note of a topic is in it. Outside of topics a supergroup's replies bear a thread's number that is no topic. */
function threadOf(chat: Chat, { messageId, replyTo, ...seen }: Seen): object {
  const topic = chat.topics.has(messageId) ? messageId : seen.topic;
  if (topic !== undefined) return { message_thread_id: topic, is_topic_message: true };
  if (chat.type !== "supergroup" || replyTo === undefined) return {};
  return { message_thread_id: replyTo };
}

function wordsOf({ text, entities, file, rich }: Look): object {
  if (rich !== undefined) return { rich_message: { blocks: [{ type: "paragraph", text }] } };
  if (text === "") return {};
  const [words, marks] =
    file === undefined ? ["text", "entities"] : ["caption", "caption_entities"];
  return { [words]: text, ...(entities.length === 0 ? {} : { [marks]: entities }) };
}

/** A message as the Bot API writes it, as it is now. */
export function messageOf(world: World, chat: Chat, seen: Seen, withReply = true): object {
  const look = lookOf(seen);
  const { buttons, file } = look;
  return {
    message_id: seen.messageId,
    ...senderOf(world, chat, seen.by),
    chat: chatOf(world, chat),
    date: seen.date,
    ...threadOf(chat, seen),
    ...(withReply ? replyOf(world, chat, seen) : {}),
    ...(seen.origin === undefined ? {} : { forward_origin: seen.origin }),
    ...seen.service,
    ...(file === undefined ? {} : fileOf(file)),
    ...wordsOf(look),
    ...(buttons.length === 0 ? {} : { reply_markup: { inline_keyboard: buttons } }),
  };
}
