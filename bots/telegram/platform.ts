import type { Api } from "grammy";

import type { ChatPlatform, Manners, Sent, Target } from "#core/chat.ts";

import { bodyOf } from "./writing/body.ts";
import { editTo, noPreview, type ReadFile } from "./edit.ts";
import { unsentOf } from "./failures.ts";
import { findGhost } from "./ghosts.ts";
import { createRenderer, type Renderer } from "./writing/render.ts";
import { whereOf } from "./where.ts";

/** What the platform works with. */
export interface TelegramOptions {
  /** Stored files, by the hash of their content; rejects with an AppError where there is none. */
  readonly readFile: ReadFile;
  /** Rich messages; false sends answers as text with marks. Default true. */
  readonly rich?: boolean;
  /** The API for files, which may take long; default the same one. */
  readonly uploads?: Api;
}

/** Telegram's lines under a pressed button have no more letters. */
const longestNotice = 200;

/**
 * A draft is seen by its person alone and costs little; an edit in a group counts as a message there, twenty a minute. A private chat
 * bears short bursts of any size, and is sent to once a second after Telegram has asked for less.
 */
const privateManners: Manners = { live: "draft", liveEveryMs: 800, burst: 30, everyMs: 0 };
const groupManners: Manners = { live: "edit", liveEveryMs: 3000, burst: 20, everyMs: 3000 };

/** A placeholder, where it belongs: a topic that is gone takes nothing, but Telegram may put the message elsewhere. */
async function place(api: Api, { address, replyTo }: Target): Promise<Sent> {
  const { chat, topic } = whereOf(address);
  const reply =
    replyTo === null
      ? {}
      : { reply_parameters: { message_id: Number(replyTo), allow_sending_without_reply: true } };
  try {
    const sent = await api.sendMessage(chat, "…", { ...topic, ...reply });
    const wanted = topic.message_thread_id;
    if (wanted !== undefined && sent.message_thread_id !== wanted) {
      return { ok: false, why: { type: "closed", reason: "its topic is gone" } };
    }
    return { ok: true, messageId: String(sent.message_id) };
  } catch (error) {
    return { ok: false, why: unsentOf(error) };
  }
}

/** A draft's number, which is not zero, from the task's id. */
function draftNumber(draftId: string): number {
  return Number.parseInt(Buffer.from(draftId).toString("hex").slice(-7), 16) + 1;
}

async function showDraft(
  { api, renderer }: { readonly api: Api; readonly renderer: Renderer },
  { address }: Target,
  { draftId, markdown }: { readonly draftId: string; readonly markdown: string },
): Promise<void> {
  const { chat, topic, isPrivate } = whereOf(address);
  if (!isPrivate) return;
  const draft = { chat_id: chat, ...topic, draft_id: draftNumber(draftId), can_stop: true };
  const body = renderer.draft(markdown);
  if (body.form === "rich") {
    const rich = { markdown: body.markdown, skip_entity_detection: true };
    await api.raw.sendRichMessageDraft({ ...draft, rich_message: rich });
  } else if (body.form === "text") {
    await api.raw.sendMessageDraft({ ...draft, text: body.text, entities: [...body.entities] });
  }
}

/** Telegram as a platform, through its API. */
export function createTelegramPlatform(api: Api, options: TelegramOptions): ChatPlatform {
  const { readFile, rich = true, uploads = api } = options;
  const renderer = createRenderer({ rich });
  return {
    name: "telegram",
    render: renderer.render,
    simpler: renderer.simpler,
    place: (target) => place(api, target),
    edit: ({ address }, messageId, part) =>
      editTo({ api, uploads, readFile }, { chat: whereOf(address).chat, messageId }, bodyOf(part)),
    async findPlaced({ address }, among) {
      const { chat, isPrivate } = whereOf(address);
      return isPrivate ? findGhost(api, chat, among) : undefined;
    },
    manners: (address) => (whereOf(address).isPrivate ? privateManners : groupManners),
    draft: (target, draftId, markdown) =>
      showDraft({ api, renderer }, target, { draftId, markdown }),
    async typing(address) {
      const { chat, topic } = whereOf(address);
      await api.sendChatAction(chat, "typing", topic);
    },
    async receipt(address, messageId) {
      const { chat } = whereOf(address);
      const seen = { type: "emoji", emoji: "👀" } as const;
      await api.setMessageReaction(chat, Number(messageId), [seen]);
    },
    async whisper(address, line) {
      const { chat, topic } = whereOf(address);
      await api.sendMessage(chat, line, { ...topic, ...noPreview });
    },
    async nameTopic(address, name) {
      const { chat, topic } = whereOf(address);
      const { message_thread_id: thread } = topic;
      if (thread !== undefined) await api.editForumTopic(chat, thread, { name });
    },
    async acknowledge(pressId, line) {
      await api.answerCallbackQuery(pressId, { text: line.slice(0, longestNotice).toWellFormed() });
    },
  };
}
