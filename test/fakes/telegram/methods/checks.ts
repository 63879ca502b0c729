import { bad, forbidden, Refusal } from "../refusal.ts";
import { isShown, readRich, type RichInput, type RichLook } from "../rich.ts";
import {
  bot,
  type Button,
  changed,
  type Chat,
  type Entity,
  type Look,
  plainLook,
  type Seen,
  type World,
} from "../world.ts";

import type { Context } from "./context.ts";

const kinds = { private: "", group: "group", supergroup: "supergroup", channel: "channel" };

function refuseUnable(chat: Chat): void {
  if (chat.movedTo !== undefined) {
    throw new Refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", {
      migrate_to_chat_id: chat.movedTo,
    });
  }
  if (chat.type === "private") {
    if (chat.deleted) throw forbidden("user is deactivated");
    if (chat.bot !== "member") throw forbidden("bot was blocked by the user");
    return;
  }
  if (chat.deleted) throw forbidden("the group chat was deleted");
  if (chat.bot === "kicked") throw forbidden(`bot was kicked from the ${kinds[chat.type]} chat`);
  if (chat.bot === "left") throw forbidden(`bot is not a member of the ${kinds[chat.type]} chat`);
}

/** The chat that a call is about; refused where the bot may not act. */
export function chatFor({ chats }: World, id: number | string): Chat {
  const chat = chats.get(Number(id));
  if (chat === undefined) throw bad("chat not found");
  refuseUnable(chat);
  return chat;
}

/** A chat that the bot may write to. */
export function writableChat(world: World, id: number | string): Chat {
  const chat = chatFor(world, id);
  if (chat.muted) throw bad("not enough rights to send text messages to the chat");
  return chat;
}

/** Where a message lands: a topic, or none. */
export function topicFor(chat: Chat, id: number | undefined): number | undefined {
  if (id === undefined) return undefined;
  const topic = chat.topics.get(id);
  if (topic === undefined) throw bad("message thread not found");
  if (topic.state === "deleted") {
    // In a private chat it lands beside the topics, and nobody is told.
    if (chat.type === "private") return undefined;
    throw bad("message thread not found");
  }
  if (topic.state === "closed" && chat.bot !== "administrator") throw bad("TOPIC_CLOSED");
  return id;
}

/** A message that is there. */
export function messageFor(chat: Chat, id: number | undefined, role: string): Seen {
  const seen = id === undefined ? undefined : chat.messages.get(id);
  if (seen === undefined || seen.gone) throw bad(`${role} not found`);
  return seen;
}

/** A message of the bot's own, which it may change. */
export function ownMessage(chat: Chat, id: number | undefined): Seen {
  const seen = messageFor(chat, id, "message to edit");
  if (seen.by !== bot.id || seen.service !== undefined) throw bad("message can't be edited");
  return seen;
}

/** The message that is replied to, if it is there or has to be. */
export function replyFor(
  chat: Chat,
  parameters:
    | {
        readonly message_id?: number;
        readonly allow_sending_without_reply?: boolean;
        readonly quote?: string;
      }
    | undefined,
): number | undefined {
  const id = parameters?.message_id;
  if (parameters === undefined || id === undefined) return undefined;
  const seen = chat.messages.get(id);
  if (seen === undefined || seen.gone) {
    if (parameters.allow_sending_without_reply === true) return undefined;
    throw bad("message to be replied not found");
  }
  const { quote } = parameters;
  if (quote !== undefined && seen.texts.at(-1)?.includes(quote) !== true) {
    throw bad("QUOTE_TEXT_INVALID");
  }
  return id;
}

const innocent = new Set(["text", "callback_data", "style", "disabled", "icon_custom_emoji_id"]);

/** The buttons of a keyboard under a message. Whatever leads away is a violation. */
export function buttonsOf(world: World, markup: unknown): readonly (readonly Button[])[] {
  if (typeof markup !== "object" || markup === null) return [];
  if (!isKeyboard(markup)) {
    world.violations.push("a keyboard that is not under a message");
    return [];
  }
  const { inline_keyboard: rows } = markup;
  for (const button of rows.flat()) {
    if (button.text === "") throw bad("BUTTON_TEXT_INVALID");
    const strange = Object.keys(button).filter((name) => !innocent.has(name));
    if (strange.length > 0) world.violations.push(`a button with ${strange.join(", ")}`);
  }
  if (rows.flat().length > 100) throw bad("reply markup is too long");
  return rows.filter((row) => row.length > 0);
}

function isKeyboard(
  markup: object,
): markup is { readonly inline_keyboard: readonly (readonly Button[])[] } {
  return "inline_keyboard" in markup;
}

/** Telegram takes white space from both ends; entities move with their words. */
function trimmed(text: string, entities: readonly Entity[]): { text: string; entities: Entity[] } {
  const first = Math.min(...entities.map(({ offset }) => offset));
  const front = Math.min(text.length - text.trimStart().length, first);
  const kept = text.slice(front).trimEnd();
  const moved = entities.map((entity) => {
    const offset = entity.offset - front;
    return { ...entity, offset, length: Math.min(entity.length, kept.length - offset) };
  });
  return { text: kept, entities: moved.filter(({ length }) => length > 0) };
}

/** A word that Telegram would make a link of, and look up. */
const linkable = /\w\.\w|:\/\//;

/** Marks that turn a text around: an address beside them may look like another. */
const turning = /[\u202A-\u202E\u2066-\u2069]/;

function judgeTurning(world: World, text: string, links: boolean): void {
  if (turning.test(text) && (links || linkable.test(text))) {
    world.violations.push("a link beside marks that turn the text around");
  }
}

function judgeLinks(world: World, text: string, entities: readonly Entity[]): void {
  for (const { type, url, offset, length } of entities) {
    if (type !== "text_link" || url === undefined) continue;
    const words = text.slice(offset, offset + length);
    if (!isShown(url, text))
      world.violations.push(`a link "${words}" hides that it leads to ${url}`);
    if (url.startsWith("tg:")) world.violations.push(`a link to ${url}`);
  }
}

interface Words {
  readonly text: string;
  readonly entities?: readonly Entity[] | undefined;
  readonly mode?: string | undefined;
  readonly preview?: { readonly is_disabled?: boolean } | undefined;
}

/** A plain text as it will be seen. Throws a refusal. */
export async function wordsFor({ world, oracle }: Context, words: Words): Promise<Look> {
  const { entities = [], mode, preview } = words;
  if (mode !== undefined) world.violations.push(`parse_mode ${mode}`);
  const { text } = mode === undefined ? words : (await oracle()).parse(words.text, mode);
  if (entities.length > 0 && mode === undefined) {
    const wrong = (await oracle()).judge(text, entities);
    if (wrong !== undefined) {
      world.violations.push(`entities: ${wrong}`);
      throw bad(wrong.charAt(0).toLowerCase() + wrong.slice(1));
    }
  }
  const leads = linkable.test(text) || entities.some(({ type }) => type === "text_link");
  if (leads && preview?.is_disabled !== true) world.violations.push("a link preview is not off");
  judgeTurning(world, text, leads);
  if (entities.length === 0) return plainLook(text.trim());
  judgeLinks(world, text, entities);
  return plainLook("", trimmed(text, entities));
}

/** HTML that only looks. Everything else fetches, leads away, is pressed, or is not known. */
const harmless = new Set(
  "b strong i em u ins s strike del code pre mark sub sup br hr p h1 h2 h3 h4 h5 h6 ul ol li blockquote aside cite footer table caption tr td th details summary tg-spoiler tg-time tg-math tg-math-block tg-thinking".split(
    " ",
  ),
);

function judgeRich(world: World, { links, media, tags }: RichLook): void {
  for (const tag of new Set(tags)) {
    if (!harmless.has(tag)) world.violations.push(`a tag <${tag}> in a rich message`);
  }
  for (const address of media) {
    if (!/^tg:\/\/(?:photo|video|document|audio)\?id=/.test(address)) {
      world.violations.push(`a media address: ${address}`);
    }
  }
  for (const { text, target, shown } of links) {
    if (target.startsWith("tg:")) world.violations.push(`a link to ${target}`);
    else if (!shown) world.violations.push(`a link "${text}" hides that it leads to ${target}`);
  }
}

/** A rich message as it will be seen. Throws a refusal. */
export function richFor(world: World, input: RichInput): Look {
  const { text, rich } = readRich(input);
  judgeRich(world, rich);
  judgeTurning(world, text, rich.links.length > 0);
  return plainLook(text, { rich });
}

/** Every text that is to be seen is told of. */
export function tell(world: World, seen: Seen): void {
  for (const listener of world.listeners) listener(seen);
}

/** Changes what is to be seen; refused when it stays the same. */
export function redraw(world: World, seen: Seen, look: Look): void {
  if (JSON.stringify(look) === JSON.stringify(seen.looks.at(-1))) {
    throw bad(
      "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
    );
  }
  seen.looks.push(look);
  seen.texts.push(look.text);
  tell(world, seen);
  changed(world, seen.chatId);
}
