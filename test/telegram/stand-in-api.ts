import { Api, GrammyError } from "grammy";
import { onTestFinished } from "vitest";

import { createFakeClock } from "../fakes/clock.ts";
import { type FakeTelegram, openTelegram, type TelegramOptions } from "../fakes/telegram/server.ts";

/** Somebody who writes. */
export const ann = 77;

/** A stand-in with a clock that stands, and grammY's own client for it. */
export async function opened(options: TelegramOptions = {}) {
  const clock = createFakeClock();
  const telegram = await openTelegram({ clock, ...options });
  onTestFinished(() => telegram.close());
  return { telegram, clock, api: apiOf(telegram) };
}

/** grammY's client, as our bot has it. */
export function apiOf({ url, token }: Pick<FakeTelegram, "url" | "token">): Api {
  return new Api(token, { apiRoot: url });
}

/** What Telegram says to a call; "taken" when it takes it. */
export async function saidTo(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "taken";
  } catch (error) {
    if (error instanceof GrammyError) return `${error.error_code} ${error.description}`;
    return error instanceof Error ? error.name : "no error";
  }
}
