import { GrammyError, HttpError } from "grammy";

import { AppError, type ErrorCode, reasonOf } from "#core/errors.ts";

/** Why a poll failed, and what is done about it. */
export interface Trouble {
  /**
   * `answer`: Telegram answered, so that it is heard. `network`: there is plainly no way to it. `silence`: nobody knows. `ours`: what
   * was fetched could not be stored.
   */
  readonly kind: "answer" | "network" | "silence" | "ours";
  /** In words for the owner. */
  readonly say: string;
  /** How long to wait before the next try. */
  readonly waitMs: number;
  readonly isBug?: boolean;
}

const firstPauseMs = 1000;
/** Telegram refuses a second poller at most once in this time. */
const conflictMs = 3000;
const longestPauseMs = 30_000;

/** How the door says that a connection could not be made, and needs none of ours mended. */
const noNetwork = /connection refused|name not found|name lookup failed|no route to it|no network/;

/** A network that leads names astray, as a hotel's does until one has paid, is none. */
const astray: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["door.not-home", "door.not-public"]);

/** True where the door found no way. */
function isUnreachable(error: unknown): error is AppError {
  if (!(error instanceof AppError)) return false;
  return error.code === "door.unreachable" || astray.has(error.code);
}

function pauseAfter(failures: number, firstMs: number): number {
  return Math.min(firstMs * 2 ** Math.min(failures, 10), longestPauseMs);
}

function conflict(description: string): string {
  return description.includes("webhook")
    ? "Telegram sends this bot's updates to a webhook: stop the program that set it, or take a bot of your own for this agent"
    : "another program polls with this bot's token: stop it, or give each its own bot";
}

function answered({ error_code: code, description, parameters }: GrammyError, failures: number) {
  if (code === 409) {
    return { say: conflict(description), waitMs: pauseAfter(failures, conflictMs) };
  }
  if (code === 401 || code === 404) {
    const say =
      "Telegram refuses the token: get a new one from @BotFather and run agent setup telegram";
    return { say, waitMs: longestPauseMs };
  }
  const asked = (parameters.retry_after ?? 0) * 1000;
  return { say: description, waitMs: asked || pauseAfter(failures, firstPauseMs) };
}

/** What a failed poll means; `failures` are those in a row before it. */
export function troubleOf(error: unknown, failures: number): Trouble {
  if (error instanceof GrammyError) return { kind: "answer", ...answered(error, failures) };
  const cause = error instanceof HttpError ? error.error : error;
  const rest = { say: reasonOf(cause), waitMs: pauseAfter(failures, firstPauseMs) };
  if (error instanceof HttpError || isUnreachable(cause)) {
    const isPlain =
      isUnreachable(cause) && (astray.has(cause.code) || noNetwork.test(cause.message));
    return { kind: isPlain ? "network" : "silence", ...rest };
  }
  return { kind: "ours", ...rest, isBug: !(error instanceof AppError) };
}
