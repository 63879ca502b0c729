import { type Api, InputFile } from "grammy";
import type {
  InlineKeyboardButton,
  InputMediaDocument,
  InputMediaPhoto,
  InlineKeyboardMarkup,
} from "grammy/types";

import type { Button, Buttons, Sent } from "#core/chat.ts";
import { AppError } from "#core/errors.ts";

import type { Body } from "./writing/body.ts";
import { cleanText } from "./writing/clean.ts";
import { isUnmodified, unsentOf } from "./failures.ts";

/** The content of a file that is stored under its content's hash. */
export type ReadFile = (sha256: string) => Promise<Uint8Array>;

/** A message that is there. */
export interface Placed {
  readonly chat: number;
  readonly messageId: string;
}

/** Nothing is fetched to be shown under a message. */
export const noPreview = { link_preview_options: { is_disabled: true } } as const;

/** A longer label is cut by most of Telegram's programs. */
const longestLabel = 60;
/** Larger photos are refused; they go as documents. */
const largestPhoto = 10_000_000;

/** A button's words may be a model's: one line, and nothing unseen in it. */
function labelOf(label: string): string {
  const words = cleanText(label).replaceAll(/\s+/g, " ").trim();
  const short =
    words.length > longestLabel ? `${words.slice(0, longestLabel).toWellFormed()}…` : words;
  return short === "" ? "…" : short;
}

function buttonOf({ id, label, tone }: Button): InlineKeyboardButton {
  const style = tone === "good" ? "success" : "danger";
  return { text: labelOf(label), callback_data: id, ...(tone === undefined ? {} : { style }) };
}

/** The keyboard under a message; one that had buttons loses them where none are given. */
function markupOf(buttons: Buttons | undefined): { reply_markup?: InlineKeyboardMarkup } {
  if (buttons === undefined || buttons.length === 0) return {};
  return { reply_markup: { inline_keyboard: buttons.map((row) => row.map(buttonOf)) } };
}

type FileBody = Extract<Body, { readonly form: "file" }>;

function mediaOf(
  { name, photo, caption }: FileBody,
  bytes: Uint8Array,
): InputMediaDocument | InputMediaPhoto {
  const media = new InputFile(bytes, name);
  const words = caption === undefined ? {} : { caption };
  if (photo && bytes.byteLength <= largestPhoto) return { type: "photo", media, ...words };
  return { type: "document", media, disable_content_type_detection: true, ...words };
}

/** A stored file, or why it cannot be had. */
async function bytesOf({ content }: FileBody, readFile: ReadFile): Promise<Uint8Array | string> {
  if ("text" in content) return Buffer.from(content.text);
  try {
    return await readFile(content.sha256);
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}

/** What edits are made with. */
export interface EditDeps {
  readonly api: Api;
  /** The API for what may take long. */
  readonly uploads: Api;
  readonly readFile: ReadFile;
}

/** Makes a message what a body says. May be repeated: what is there already is no failure. */
export async function editTo(
  { api, uploads, readFile }: EditDeps,
  { chat, messageId }: Placed,
  body: Body,
): Promise<Sent> {
  const message = { chat_id: chat, message_id: Number(messageId), ...markupOf(body.buttons) };
  const done: Sent = { ok: true, messageId };
  const bytes = body.form === "file" ? await bytesOf(body, readFile) : "";
  if (body.form === "file" && typeof bytes === "string") {
    return { ok: false, why: { type: "unfit", reason: bytes } };
  }
  try {
    if (body.form === "rich") {
      const rich = { markdown: body.markdown, skip_entity_detection: true };
      await api.raw.editMessageText({ ...message, rich_message: rich });
    } else if (body.form === "text") {
      const { text, entities } = body;
      const marks = entities.length === 0 ? {} : { entities: [...entities] };
      await api.raw.editMessageText({ ...message, text, ...marks, ...noPreview });
    } else if (typeof bytes !== "string") {
      await uploads.raw.editMessageMedia({ ...message, media: mediaOf(body, bytes) });
    }
    return done;
  } catch (error) {
    return isUnmodified(error) ? done : { ok: false, why: unsentOf(error) };
  }
}
