import { messageOf } from "../draw.ts";
import { bad } from "../refusal.ts";
import {
  bot,
  changed,
  type Chat,
  type Look,
  lookOf,
  type Seen,
  seconds,
  show,
  type World,
} from "../world.ts";

import {
  buttonsOf,
  chatFor,
  messageFor,
  ownMessage,
  redraw,
  replyFor,
  richFor,
  tell,
  topicFor,
  wordsFor,
  writableChat,
} from "./checks.ts";
import { type Context, type Handler, type Input, on, type Result } from "./context.ts";
import { endDrafts } from "./drafts.ts";

interface Sending {
  readonly chat_id: number | string;
  readonly message_thread_id?: number;
  readonly reply_parameters?: Parameters<typeof replyFor>[1];
  readonly reply_markup?: unknown;
}

/** Puts a message of the bot's where people see it. */
export function send(world: World, input: Sending, look: Look): Result {
  const buttons = buttonsOf(world, input.reply_markup);
  const chat = writableChat(world, input.chat_id);
  const topic = topicFor(chat, input.message_thread_id);
  const replyTo = replyFor(chat, input.reply_parameters);
  const seen = show(world, chat, { by: bot.id, replyTo, topic, look: { ...look, buttons } });
  endDrafts(chat, topic, "message");
  tell(world, seen);
  return messageOf(world, chat, seen);
}

async function sendMessage(context: Context, input: Input<"sendMessage">): Promise<Result> {
  const { text, entities, parse_mode: mode, link_preview_options: preview } = input;
  const look = await wordsFor(context, { text, entities, mode, preview });
  if (look.text === "") throw bad("message text is empty");
  return send(context.world, input, look);
}

function inlineOnly(input: object): { chat_id: number | string; message_id: number } {
  if (!("chat_id" in input) || !("message_id" in input))
    throw bad("message identifier is not specified");
  const { chat_id: chatId, message_id: messageId } = input;
  if (typeof messageId !== "number") throw bad("message identifier is not specified");
  if (typeof chatId !== "number" && typeof chatId !== "string") throw bad("chat_id is empty");
  return { chat_id: chatId, message_id: messageId };
}

/** The bot's message that an edit is about. */
export function edited(world: World, input: object): { readonly chat: Chat; readonly seen: Seen } {
  const { chat_id: chatId, message_id: messageId } = inlineOnly(input);
  const chat = chatFor(world, chatId);
  return { chat, seen: ownMessage(chat, messageId) };
}

/** An edited message as the Bot API gives it back. */
export function drawn(world: World, chat: Chat, seen: Seen): Result {
  return { ...messageOf(world, chat, seen), edit_date: seconds(world) };
}

async function editMessageText(context: Context, input: Input<"editMessageText">): Promise<Result> {
  const { world } = context;
  const {
    text,
    rich_message: rich,
    entities,
    parse_mode: mode,
    link_preview_options: preview,
  } = input;
  if ((text === undefined) === (rich === undefined)) throw bad("message text is empty");
  const look =
    rich === undefined
      ? await wordsFor(context, { text: text ?? "", entities, mode, preview })
      : richFor(world, rich);
  if (look.text === "" && rich === undefined) throw bad("message text is empty");
  const buttons = buttonsOf(world, input.reply_markup);
  const { chat, seen } = edited(world, input);
  if (lookOf(seen).file !== undefined) throw bad("there is no text in the message to edit");
  redraw(world, seen, { ...look, buttons });
  return drawn(world, chat, seen);
}

async function editMessageCaption(
  context: Context,
  input: Input<"editMessageCaption">,
): Promise<Result> {
  const { world } = context;
  const { caption: text = "", caption_entities: entities, parse_mode: mode } = input;
  const look = await wordsFor(context, { text, entities, mode, preview: { is_disabled: true } });
  const buttons = buttonsOf(world, input.reply_markup);
  const { chat, seen } = edited(world, input);
  const { file } = lookOf(seen);
  if (file === undefined) throw bad("there is no caption in the message to edit");
  redraw(world, seen, { ...look, buttons, file });
  return drawn(world, chat, seen);
}

function editMessageReplyMarkup(
  { world }: Context,
  input: Input<"editMessageReplyMarkup">,
): Result {
  const buttons = buttonsOf(world, input.reply_markup);
  const { chat, seen } = edited(world, input);
  redraw(world, seen, { ...lookOf(seen), buttons });
  return drawn(world, chat, seen);
}

function deleteMessage({ world }: Context, input: Input<"deleteMessage">): Result {
  const chat = chatFor(world, input.chat_id);
  const seen = messageFor(chat, input.message_id, "message to delete");
  const mayDelete = seen.by === bot.id || chat.type === "private" || chat.bot === "administrator";
  if (!mayDelete) throw bad("message can't be deleted");
  seen.gone = true;
  changed(world, chat.id);
  return true;
}

function setMessageReaction({ world }: Context, input: Input<"setMessageReaction">): Result {
  const { reaction = [] } = input;
  const chat = chatFor(world, input.chat_id);
  const seen = messageFor(chat, input.message_id, "message to react");
  if (reaction.length > 1) throw bad("REACTIONS_TOO_MANY");
  const marks = reaction.map((one) => {
    if (one.type !== "emoji") throw bad("REACTION_INVALID");
    return one.emoji;
  });
  seen.reactions.set(bot.id, marks);
  changed(world, chat.id);
  return true;
}

function sendChatAction({ world }: Context, input: Input<"sendChatAction">): Result {
  const chat = writableChat(world, input.chat_id);
  const topic = topicFor(chat, input.message_thread_id);
  world.actions.push({ chatId: chat.id, topic, at: world.clock.now() });
  changed(world, chat.id);
  return true;
}

/** A press may be answered for this long. */
const pressMs = 15_000;

function answerCallbackQuery({ world }: Context, input: Input<"answerCallbackQuery">): Result {
  const { callback_query_id: id, text = "", show_alert: alert = false, url } = input;
  const press = world.presses.get(id);
  const isOver = press === undefined || world.clock.now() - press.at > pressMs;
  if (isOver || press.answer !== undefined) {
    throw bad("query is too old and response timeout expired or query ID is invalid");
  }
  if (url !== undefined) world.violations.push("a press that is answered with an address");
  press.answer = { text, alert };
  return true;
}

/** What is sent, changed and taken away. */
export const messageMethods: readonly Handler[] = [
  on("sendMessage", sendMessage),
  on("sendRichMessage", ({ world }, input) =>
    send(world, input, richFor(world, input.rich_message)),
  ),
  on("editMessageText", editMessageText),
  on("editMessageCaption", editMessageCaption),
  on("editMessageReplyMarkup", editMessageReplyMarkup),
  on("deleteMessage", deleteMessage),
  on("setMessageReaction", setMessageReaction),
  on("sendChatAction", sendChatAction),
  on("answerCallbackQuery", answerCallbackQuery),
];
