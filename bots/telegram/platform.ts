import type { Api } from "grammy";
import { z } from "zod";

import type { ChatPlatform, Part, Saying, Sent } from "#core/chat.ts";

import { isUnmodified, unsentOf } from "./failures.ts";

/** Telegram counts UTF-16 units after it has parsed a message. */
const longestText = 4096;

const bodySchema = z.object({ text: z.string() });

const noPreview = { link_preview_options: { is_disabled: true } } as const;

interface Where {
  readonly chat: number;
  readonly topic: { readonly message_thread_id?: number };
}

function whereOf(address: string): Where {
  const [chat, topic] = address.split("/");
  return {
    chat: Number(chat),
    topic: topic === undefined ? {} : { message_thread_id: Number(topic) },
  };
}

/** Where to cut a text that is too long: after a line, else after a word, else never inside a pair of surrogates. */
function cutAt(text: string): number {
  const line = text.lastIndexOf("\n", longestText);
  if (line > longestText / 2) return line;
  const word = text.lastIndexOf(" ", longestText);
  if (word > longestText / 2) return word;
  const pair = /[\uD800-\uDBFF]/.test(text.charAt(longestText - 1));
  return pair ? longestText - 1 : longestText;
}

function chunks(text: string): string[] {
  const found: string[] = [];
  let rest = text.trim();
  while (rest.length > longestText) {
    const at = cutAt(rest);
    found.push(rest.slice(0, at).trimEnd());
    rest = rest.slice(at).trimStart();
  }
  return rest === "" && found.length > 0 ? found : [...found, rest === "" ? "…" : rest];
}

function textOf(saying: Saying): string {
  if (saying.type === "answer") {
    return saying.footer === undefined ? saying.markdown : `${saying.markdown}\n\n${saying.footer}`;
  }
  const { title, text } = saying.card;
  return title === undefined ? text : `${title}\n\n${text}`;
}

async function attempt(call: () => Promise<{ readonly message_id: number }>): Promise<Sent> {
  try {
    return { ok: true, messageId: String((await call()).message_id) };
  } catch (error) {
    return { ok: false, why: unsentOf(error) };
  }
}

async function edit(
  api: Api,
  message: { readonly address: string; readonly messageId: string },
  part: Part,
): Promise<Sent> {
  const { address, messageId } = message;
  const { chat } = whereOf(address);
  const { text } = bodySchema.parse(JSON.parse(part.body));
  try {
    await api.editMessageText(chat, Number(messageId), text, noPreview);
  } catch (error) {
    if (!isUnmodified(error)) return { ok: false, why: unsentOf(error) };
  }
  return { ok: true, messageId };
}

/** A draft's number, which is not zero, from the task's id. */
function draftNumber(draftId: string): number {
  return Number.parseInt(Buffer.from(draftId).toString("hex").slice(-7), 16) + 1;
}

/** Telegram as a platform, through its API. */
export function createTelegramPlatform(api: Api): ChatPlatform {
  return {
    name: "telegram",
    render: (saying) => chunks(textOf(saying)).map((text) => ({ body: JSON.stringify({ text }) })),
    simpler: () => undefined,
    manners: (address) =>
      address.startsWith("-")
        ? { live: "edit", liveEveryMs: 3000, burst: 20, everyMs: 3000 }
        : { live: "draft", liveEveryMs: 800, burst: 30, everyMs: 0 },
    place({ address, replyTo }) {
      const { chat, topic } = whereOf(address);
      const reply =
        replyTo === null
          ? {}
          : {
              reply_parameters: { message_id: Number(replyTo), allow_sending_without_reply: true },
            };
      return attempt(() => api.sendMessage(chat, "…", { ...topic, ...reply }));
    },
    edit: ({ address }, messageId, part) => edit(api, { address, messageId }, part),
    async draft({ address }, draftId, markdown) {
      const { chat, topic } = whereOf(address);
      if (chat < 0) return;
      const text = markdown.slice(-longestText);
      await api.raw.sendMessageDraft({
        chat_id: chat,
        draft_id: draftNumber(draftId),
        text,
        ...topic,
      });
    },
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
    async acknowledge(pressId, line) {
      await api.answerCallbackQuery(pressId, { text: line });
    },
  };
}
