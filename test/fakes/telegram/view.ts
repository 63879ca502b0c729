import MarkdownIt from "markdown-it";

import { liveDraft } from "./methods/drafts.ts";
import type { FakeTelegram } from "./server.ts";
import { htmlOf } from "./tdlib.ts";
import { bot, type Chat, type Draft, type Look, lookOf, type Seen, type World } from "./world.ts";

/** How long "is typing" stays. */
const typingMs = 5000;

/** Pictures are never fetched: their words are shown. */
const markdown = new MarkdownIt({ html: false }).disable("image");

/** A look as HTML without anything that is fetched or run. */
function drawLook({ text, entities, rich }: Look): string {
  if (rich?.markdown !== undefined) return markdown.render(rich.markdown);
  return `<p class="plain">${htmlOf(text, entities)}</p>`;
}

function nameOf(world: World, chat: Chat, by: number): string {
  if (by === bot.id) return bot.name;
  return by === chat.id && chat.type !== "private"
    ? chat.title
    : (world.people.get(by)?.name ?? "");
}

function noteOf({ service }: Seen): string | undefined {
  if (service === undefined) return undefined;
  const [kind = ""] = Object.keys(service);
  return kind.replaceAll("_", " ");
}

function drawMessage(world: World, chat: Chat, seen: Seen): object {
  const look = lookOf(seen);
  const { file } = look;
  const replied = seen.replyTo === undefined ? undefined : chat.messages.get(seen.replyTo);
  return {
    id: seen.messageId,
    by: seen.by,
    isBot: seen.by === bot.id,
    name: nameOf(world, chat, seen.by),
    note: noteOf(seen),
    html: drawLook(look),
    text: look.text,
    edited: seen.looks.length > 1,
    reply: replied?.texts.at(-1)?.slice(0, 80),
    buttons: look.buttons,
    file: file === undefined ? undefined : { id: file.id, name: file.name, kind: file.kind },
    reactions: [...seen.reactions.values()].flat(),
    at: seen.date,
  };
}

/** A place where one talks: a chat, or a topic in it. */
export interface View {
  readonly key: string;
  readonly title: string;
  readonly kind: string;
  readonly messages: readonly object[];
  readonly draft: { readonly html: string; readonly canStop: boolean } | undefined;
  readonly typing: boolean;
}

function titleOf(world: World, chat: Chat, topic: number | undefined): string {
  const title = chat.type === "private" ? nameOf(world, chat, chat.id) : chat.title;
  const named = topic === undefined ? undefined : chat.topics.get(topic)?.name;
  return named === undefined ? title : `${title} › ${named}`;
}

function drawDraft(draft: Draft | undefined): View["draft"] {
  const latest = draft?.looks.at(-1);
  if (draft === undefined || latest === undefined) return undefined;
  return { html: latest.text === "" ? "" : drawLook(latest), canStop: draft.canStop };
}

/** True while the bot has said that it writes, and has not written since. */
function isTyping(world: World, chat: Chat, topic: number | undefined): boolean {
  const since = world.clock.now() - typingMs;
  const typing = world.actions.findLast(
    (action) => action.chatId === chat.id && action.topic === topic && action.at > since,
  );
  if (typing === undefined) return false;
  const written = [...chat.messages.values()].findLast(({ by }) => by === bot.id);
  return (written?.date ?? 0) < Math.floor(typing.at / 1000);
}

function drawPlace(world: World, chat: Chat, topic: number | undefined): View {
  const here = [...chat.messages.values()].filter((seen) => !seen.gone && seen.topic === topic);
  const draft = drawDraft(liveDraft(world, chat, topic));
  return {
    key: topic === undefined ? String(chat.id) : `${chat.id}/${topic}`,
    title: titleOf(world, chat, topic),
    kind: chat.forum && topic === undefined ? "forum" : chat.type,
    messages: here.map((seen) => drawMessage(world, chat, seen)),
    draft,
    typing: draft === undefined && isTyping(world, chat, topic),
  };
}

/** Every place there is, as a person would see it. */
export function drawPlaces({ world }: Pick<FakeTelegram, "world">): View[] {
  return [...world.chats.values()].flatMap((chat) => {
    if (chat.movedTo !== undefined) return [];
    const open = [...chat.topics.values()].filter(({ state }) => state !== "deleted");
    return [undefined, ...open.map(({ id }) => id)].map((topic) => drawPlace(world, chat, topic));
  });
}
