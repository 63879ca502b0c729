import { type Api, GrammyError, HttpError } from "grammy";

import { AppError, reasonOf } from "#core/errors.ts";
import type { BotAccount } from "#core/operations.ts";

/** What @BotFather gives: the bot's number, a colon and a secret. */
const tokenShape = /^\d{1,20}:[\w-]{20,100}$/;

/** Throws `bot.no-token` for what cannot be a token, so that it is sent nowhere. */
export function checkShape(token: string): void {
  if (!tokenShape.test(token)) throw new AppError("bot.no-token");
}

function asKnown(error: unknown): unknown {
  if (error instanceof GrammyError) {
    const { error_code: code, description: problem } = error;
    if (code === 401 || code === 404) return new AppError("bot.wrong-token", {}, { cause: error });
    return new AppError("bot.unreachable", { problem }, { cause: error });
  }
  // The message of the error itself holds the address, and that the token.
  if (!(error instanceof HttpError)) return error;
  return new AppError("bot.unreachable", { problem: reasonOf(error.error).replace(/\.$/, "") });
}

/** Whose token an API has. Rejects with `bot.wrong-token` or `bot.unreachable`. */
export async function identify(api: Api): Promise<BotAccount> {
  try {
    const me = await api.getMe();
    const { username, first_name: name, can_read_all_group_messages: hearsGroups } = me;
    return { username, name, hearsGroups };
  } catch (error) {
    throw asKnown(error);
  }
}
