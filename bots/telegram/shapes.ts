import { z } from "zod";

/** A field that is left out where Telegram sends something else in it: a message is not lost for a detail. */
function maybe<Shape extends z.ZodType>(shape: Shape) {
  return shape.optional().catch(undefined);
}

const words = maybe(z.string());
const count = maybe(z.int());
const flag = maybe(z.boolean());

const user = z.object({ id: z.int(), is_bot: flag, first_name: words, last_name: words });

const chat = z.object({
  id: z.int(),
  type: z.enum(["private", "group", "supergroup", "channel"]),
  is_direct_messages: flag,
});

const entities = maybe(
  z.array(
    z.object({
      type: z.string(),
      offset: z.int(),
      length: z.int(),
      user: maybe(z.object({ id: z.int() })),
    }),
  ),
);

const file = z.object({
  file_id: z.string(),
  file_name: words,
  mime_type: words,
  file_size: count,
});

const location = z.object({ latitude: z.number(), longitude: z.number() });

/** What a message shows besides its words; read apart, since most messages are words alone. */
export const shownShape = z.object({
  animation: maybe(file),
  audio: maybe(file),
  document: maybe(file),
  photo: maybe(
    z.array(z.object({ file_id: z.string(), width: z.int(), height: z.int(), file_size: count })),
  ),
  video: maybe(file),
  video_note: maybe(file),
  voice: maybe(file),
  sticker: maybe(z.object({ emoji: words })),
  location: maybe(location),
  venue: maybe(z.object({ location, title: z.string(), address: words })),
  contact: maybe(z.object({ phone_number: z.string(), first_name: words, last_name: words })),
  poll: maybe(
    z.object({ question: z.string(), options: maybe(z.array(z.object({ text: z.string() }))) }),
  ),
  dice: maybe(z.object({ emoji: z.string(), value: z.int() })),
  game: maybe(z.object({ title: z.string() })),
  checklist: maybe(
    z.object({
      title: z.string(),
      tasks: maybe(z.array(z.object({ text: z.string(), completion_date: count }))),
    }),
  ),
  story: maybe(z.object({})),
});

/** A message; loose, since what it is besides its known fields decides whether it says anything. */
const message = z.looseObject({
  message_id: z.int(),
  chat,
  from: maybe(user),
  sender_chat: maybe(z.object({})),
  message_thread_id: count,
  is_topic_message: flag,
  text: words,
  entities,
  caption: words,
  caption_entities: entities,
  reply_to_message: maybe(
    z.looseObject({ message_id: z.int(), from: maybe(z.object({ id: z.int() })) }),
  ),
  forward_origin: maybe(z.object({})),
  via_bot: maybe(z.object({ id: z.int() })),
  media_group_id: words,
  guest_query_id: words,
  business_connection_id: words,
  forum_topic_created: maybe(z.object({ is_name_implicit: flag })),
  migrate_to_chat_id: count,
  migrate_from_chat_id: count,
  rich_message: maybe(z.looseObject({ blocks: z.array(z.unknown()) })),
});

const press = z.object({
  id: z.string(),
  from: user,
  data: words,
  message: maybe(message),
});

const reaction = z.object({
  chat,
  message_id: z.int(),
  user: maybe(user),
  new_reaction: z.array(
    z.object({ type: z.string(), emoji: words, custom_emoji_id: words }).catch({ type: "unknown" }),
  ),
});

const membership = z.object({ status: z.string(), is_member: flag });

/** What is read of an update; a kind that has another shape is left out, and the update then means nothing. */
export const updateShape = z.object({
  update_id: count,
  message: maybe(message),
  edited_message: maybe(message),
  callback_query: maybe(press),
  message_reaction: maybe(reaction),
  my_chat_member: maybe(
    z.object({
      chat,
      from: user,
      old_chat_member: maybe(membership),
      new_chat_member: membership,
    }),
  ),
  stopped_message_generation: maybe(
    z.object({
      chat: chat.extend({ first_name: words, last_name: words }),
      message_thread_id: count,
    }),
  ),
});

/** An update as it is read. */
export type UpdateShape = z.infer<typeof updateShape>;

/** A message as it is read. */
export type MessageShape = z.infer<typeof message>;

/** What a message shows, as it is read. */
export type ShownShape = z.infer<typeof shownShape>;

/** A chat as it is read. */
export type ChatShape = z.infer<typeof chat>;

/** A person or a bot as it is read. */
export type UserShape = z.infer<typeof user>;

/** Bot, or change of its rights in a chat, as it is read. */
export type MembershipShape = z.infer<typeof membership>;
