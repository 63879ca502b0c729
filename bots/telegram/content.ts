import type { Message } from "grammy/types";
import { z } from "zod";

import type { Attachment } from "#core/chat.ts";

import { type MessageShape, type ShownShape, shownShape } from "./shapes.ts";

/** Deeper than Telegram's own limit of 16 levels. */
const deepest = 40;

/** Fields of a rich message whose content is read by a person, in the order in which it is read. */
const readable = [
  "label",
  "text",
  "alternative_text",
  "expression",
  "summary",
  "caption",
  "credit",
  "blocks",
  "items",
  "cells",
] as const;

const record = z.record(z.string(), z.unknown());

/** The words of a rich text, or of a block. */
function richWords(node: unknown, depth = 0): string {
  if (typeof node === "string") return node;
  if (depth > deepest) return "";
  if (Array.isArray(node)) return node.map((part) => richWords(part, depth + 1)).join("");
  const fields = record.safeParse(node);
  if (!fields.success) return "";
  const parts = readable.flatMap((name) => {
    const field = fields.data[name];
    if (field === undefined) return [];
    const lines = Array.isArray(field) && name !== "text";
    const pieces = lines ? field.map((part) => richWords(part, depth + 1)) : [];
    return [lines ? pieces.join("\n") : richWords(field, depth + 1)];
  });
  return parts.filter((part) => part !== "").join("\n");
}

/** The written words of a message, with what Telegram marks in them. */
export function writtenIn(message: MessageShape) {
  if (message.text !== undefined) return { text: message.text, marks: message.entities ?? [] };
  if (message.caption !== undefined) {
    return { text: message.caption, marks: message.caption_entities ?? [] };
  }
  const blocks = message.rich_message?.blocks ?? [];
  return { text: blocks.map((block) => richWords(block)).join("\n"), marks: [] };
}

function nameOf(contact: { first_name?: string | undefined; last_name?: string | undefined }) {
  return [contact.first_name, contact.last_name].filter(Boolean).join(" ");
}

type Describe = (message: ShownShape) => string | undefined;

function describeLocation({ location, venue }: ShownShape): string | undefined {
  const at = venue?.location ?? location;
  if (at === undefined) return undefined;
  const where = `${at.latitude}, ${at.longitude}`;
  if (venue === undefined) return `a location: ${where}`;
  const place = [venue.title, venue.address].filter(Boolean).join(", ");
  return `a place: ${place} (${where})`;
}

function describeChecklist({ checklist }: ShownShape): string | undefined {
  if (checklist === undefined) return undefined;
  const tasks = (checklist.tasks ?? []).map(
    ({ text, completion_date: done }) => `${text}${(done ?? 0) > 0 ? " (done)" : ""}`,
  );
  return `a checklist: ${[checklist.title, ...tasks].join(" - ")}`;
}

const descriptions: readonly Describe[] = [
  describeLocation,
  describeChecklist,
  ({ contact }) => contact && `a contact: ${nameOf(contact)}, ${contact.phone_number}`,
  ({ poll }) =>
    poll && `a poll: ${[poll.question, ...(poll.options ?? []).map(({ text }) => text)].join(" - ")}`,
  ({ dice }) => dice && `${dice.emoji} shows ${dice.value}`,
  ({ sticker }) => sticker && `a sticker${sticker.emoji === undefined ? "" : `: ${sticker.emoji}`}`,
  ({ game }) => game && `a game: ${game.title}`,
  ({ story }) => story && "a story",
];

/** Service messages: Telegram tells what happened in a chat, and nobody says anything. */
const service: readonly (keyof Message)[] = [
  "boost_added",
  "channel_chat_created",
  "chat_background_set",
  "chat_owner_changed",
  "chat_owner_left",
  "chat_shared",
  "checklist_tasks_added",
  "checklist_tasks_done",
  "community_chat_added",
  "community_chat_joined",
  "community_chat_removed",
  "connected_website",
  "delete_chat_photo",
  "direct_message_price_changed",
  "forum_topic_closed",
  "forum_topic_created",
  "forum_topic_edited",
  "forum_topic_reopened",
  "general_forum_topic_hidden",
  "general_forum_topic_unhidden",
  "gift",
  "gift_upgrade_sent",
  "giveaway",
  "giveaway_completed",
  "giveaway_created",
  "giveaway_winners",
  "group_chat_created",
  "left_chat_member",
  "managed_bot_created",
  "message_auto_delete_timer_changed",
  "migrate_from_chat_id",
  "migrate_to_chat_id",
  "new_chat_members",
  "new_chat_photo",
  "new_chat_title",
  "paid_message_price_changed",
  "passport_data",
  "pinned_message",
  "poll_option_added",
  "poll_option_deleted",
  "proximity_alert_triggered",
  "refunded_payment",
  "successful_payment",
  "suggested_post_approval_failed",
  "suggested_post_approved",
  "suggested_post_declined",
  "suggested_post_info",
  "suggested_post_paid",
  "suggested_post_refunded",
  "supergroup_chat_created",
  "unique_gift",
  "users_shared",
  "video_chat_ended",
  "video_chat_participants_invited",
  "video_chat_scheduled",
  "video_chat_started",
  "web_app_data",
  "write_access_allowed",
];

/** True for a message in which nobody says anything. */
export function isService(message: MessageShape): boolean {
  return service.some((name) => message[name] !== undefined);
}

/** A name as its sender gave it, without what would make it more than a name. */
function cleanName(name: string): string {
  const clean = name.replaceAll(/[\p{C}\p{Zl}\p{Zp}/\\]+/gu, "_").trim();
  return clean.slice(0, 120).toWellFormed().replaceAll("\uFFFD", "") || "file";
}

type FileShape = NonNullable<ShownShape["document"]>;

function attachment(
  kind: Attachment["kind"],
  file: FileShape | undefined,
  usual: { readonly name: string; readonly mediaType: string },
): Attachment[] {
  if (file === undefined) return [];
  return [
    {
      kind,
      name: cleanName(file.file_name ?? usual.name),
      mediaType: file.mime_type ?? usual.mediaType,
      size: file.file_size ?? null,
      reference: file.file_id,
    },
  ];
}

/** Telegram gives a photo in several sizes; the largest is the photo. */
function photoOf({ photo }: ShownShape): Attachment[] {
  const [largest] = (photo ?? []).toSorted((a, b) => b.width * b.height - a.width * a.height);
  return attachment("photo", largest, { name: "photo.jpg", mediaType: "image/jpeg" });
}

const mp4 = "video/mp4";

function attachedTo(shown: ShownShape): Attachment[] {
  const { animation, document, audio, video, voice, video_note: note } = shown;
  return [
    ...photoOf(shown),
    ...attachment("video", animation, { name: "animation.mp4", mediaType: mp4 }),
    // An animation is sent as a document too.
    ...attachment("document", animation === undefined ? document : undefined, {
      name: "document",
      mediaType: "application/octet-stream",
    }),
    ...attachment("audio", audio, { name: "audio.mp3", mediaType: "audio/mpeg" }),
    ...attachment("video", video, { name: "video.mp4", mediaType: mp4 }),
    ...attachment("video", note, { name: "video-note.mp4", mediaType: mp4 }),
    ...attachment("voice", voice, { name: "voice.ogg", mediaType: "audio/ogg" }),
  ];
}

/** What a message shows besides its words. */
export interface Shown {
  /** A line for each thing that is no file; one that we do not know is named as such. */
  readonly lines: readonly string[];
  readonly attachments: readonly Attachment[];
}

/** What a message shows: files, and what can be said of it in words. */
export function shownIn(message: MessageShape): Shown {
  if (message.text !== undefined) return { lines: [], attachments: [] };
  const shown = shownShape.parse(message);
  const attachments = attachedTo(shown);
  const found = descriptions.flatMap((describe) => describe(shown) ?? []);
  const isEmpty = writtenIn(message).text === "" && attachments.length === 0;
  const lines = found.length === 0 && isEmpty ? ["something that cannot be read here"] : found;
  return { lines: lines.map((line) => `[${line}]`), attachments };
}
