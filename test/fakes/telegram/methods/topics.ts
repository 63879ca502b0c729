import { bad } from "../refusal.ts";
import { bot, changed, type Chat, plainLook, show, type Topic, type World } from "../world.ts";

import { chatFor } from "./checks.ts";
import { type Context, type Handler, type Input, on, type Result } from "./context.ts";

const colour = 7_322_096;

/** A topic as the Bot API writes one. */
function drawTopic({ id, name, implicit }: Topic): object {
  return {
    message_thread_id: id,
    name,
    icon_color: colour,
    ...(implicit ? { is_name_implicit: true } : {}),
  };
}

/** A chat in which the bot may change topics. */
function forumFor(world: World, id: number | string): Chat {
  const chat = chatFor(world, id);
  if (!chat.forum && !(chat.type === "private" && world.settings.topics)) {
    throw bad("the chat is not a forum");
  }
  const isAllowed = chat.type === "private" || chat.bot === "administrator";
  if (!isAllowed) throw bad("not enough rights to manage topics");
  return chat;
}

/** A new topic; its number is that of the note that tells of it. */
export function makeTopic(
  world: World,
  chat: Chat,
  made: { readonly by: number; readonly name: string; readonly implicit: boolean },
): Topic {
  const { by, name, implicit } = made;
  const created = { name, icon_color: colour, ...(implicit ? { is_name_implicit: true } : {}) };
  const service = { forum_topic_created: created };
  const note = show(world, chat, { by, look: plainLook(""), service });
  const topic: Topic = { id: note.messageId, name, implicit, state: "open" };
  chat.topics.set(topic.id, topic);
  changed(world, chat.id);
  return topic;
}

function topicIn(chat: Chat, id: number): Topic {
  const topic = chat.topics.get(id);
  if (topic === undefined || topic.state === "deleted") throw bad("TOPIC_ID_INVALID");
  return topic;
}

function createForumTopic({ world }: Context, input: Input<"createForumTopic">): Result {
  const chat = forumFor(world, input.chat_id);
  return drawTopic(makeTopic(world, chat, { by: bot.id, name: input.name, implicit: false }));
}

function editForumTopic({ world }: Context, input: Input<"editForumTopic">): Result {
  const chat = forumFor(world, input.chat_id);
  const topic = topicIn(chat, input.message_thread_id);
  const { name = "" } = input;
  if (name === "" || name === topic.name) throw bad("TOPIC_NOT_MODIFIED");
  Object.assign(topic, { name, implicit: false });
  changed(world, chat.id);
  return true;
}

function turn(
  world: World,
  asked: { chat_id: number | string; message_thread_id: number },
  state: "open" | "closed",
): Result {
  const chat = forumFor(world, asked.chat_id);
  const topic = topicIn(chat, asked.message_thread_id);
  if (topic.state === state) throw bad("TOPIC_NOT_MODIFIED");
  topic.state = state;
  changed(world, chat.id);
  return true;
}

/** A topic goes away, and its messages with it. */
export function dropTopic(world: World, chat: Chat, id: number): void {
  topicIn(chat, id).state = "deleted";
  for (const seen of chat.messages.values()) {
    if (seen.topic === id || seen.messageId === id) seen.gone = true;
  }
  changed(world, chat.id);
}

function deleteForumTopic({ world }: Context, input: Input<"deleteForumTopic">): Result {
  dropTopic(world, forumFor(world, input.chat_id), input.message_thread_id);
  return true;
}

/** Topics of forums and of private chats. */
export const topicMethods: readonly Handler[] = [
  on("createForumTopic", createForumTopic),
  on("editForumTopic", editForumTopic),
  on("closeForumTopic", ({ world }, input) => turn(world, input, "closed")),
  on("reopenForumTopic", ({ world }, input) => turn(world, input, "open")),
  on("deleteForumTopic", deleteForumTopic),
];
