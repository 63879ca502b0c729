import { GrammyError, HttpError } from "grammy";

import type { Unsent } from "#core/chat.ts";
import { AppError, type ErrorCode, reasonOf } from "#core/errors.ts";

/** How long everything waits when the bot's token is refused: only its owner can mend that. */
const refusedTokenMs = 60_000;

/** What the door says where it let nothing out. */
const shut: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "door.refused",
  "door.local-only",
  "door.no-host",
  "door.not-home",
  "door.not-public",
]);

/** Problems of the door before a byte was taken. */
const neverTaken = /refused|not found|lookup failed|no route|no network|connect timeout/;

const gone =
  /chat not found|bot was (blocked|kicked)|user is deactivated|not enough rights|have no rights|CHAT_WRITE_FORBIDDEN|PEER_ID_INVALID|group chat was upgraded|bot is not a member|message thread not found|topic[ _](closed|deleted)/i;
/** A chat where files or rich messages are not wanted still takes words. */
const onlyWords = /not enough rights to send (?!text)/i;
const vanished = /message to edit not found|message can't be edited|MESSAGE_ID_INVALID/i;

function withoutAnswer(error: HttpError): Unsent {
  const cause = error.error;
  const reason = reasonOf(cause);
  const unreached =
    cause instanceof AppError && (shut.has(cause.code) || neverTaken.test(cause.message));
  return { type: unreached ? "unreached" : "unknown", reason };
}

function refused({ error_code: code, description, parameters }: GrammyError): Unsent {
  const reason = description;
  if (parameters.migrate_to_chat_id !== undefined) {
    return { type: "moved", to: String(parameters.migrate_to_chat_id) };
  }
  if (code === 429) {
    return { type: "later", waitMs: (parameters.retry_after ?? 5) * 1000, everywhere: false };
  }
  if (code === 401 || code === 404) {
    return { type: "later", waitMs: refusedTokenMs, everywhere: true };
  }
  if (code >= 500) return { type: "unknown", reason };
  if (onlyWords.test(description)) return { type: "unfit", reason };
  if (code === 403 || gone.test(description)) return { type: "closed", reason };
  if (vanished.test(description)) return { type: "missing", reason };
  return { type: "unfit", reason };
}

/** True for an edit that changed nothing: what was to be seen is seen. */
export function isUnmodified(error: unknown): boolean {
  return error instanceof GrammyError && error.description.includes("message is not modified");
}

/** True where Telegram answered, and refused for good: asking again would be answered the same. */
export function isRefused(error: unknown): boolean {
  return error instanceof GrammyError && error.error_code === 400;
}

/** Why a call did not send what it was to send; a bug is thrown on. */
export function unsentOf(error: unknown): Unsent {
  if (error instanceof GrammyError) return refused(error);
  if (error instanceof HttpError) return withoutAnswer(error);
  throw error;
}
