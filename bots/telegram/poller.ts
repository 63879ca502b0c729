import { type Api, GrammyError } from "grammy";
import type { Update as TelegramUpdate } from "grammy/types";

import type { Update } from "#core/chat.ts";
import type { Clock } from "#core/clock.ts";
import { reasonOf } from "#core/errors.ts";
import type { Log } from "#core/log.ts";

import { type Me, toUpdate } from "./events.ts";

/** What the poller works with. */
export interface PollerDeps {
  /** A client whose calls end with the signal. */
  readonly makeApi: (ended: AbortSignal) => Api;
  readonly clock: Clock;
  readonly log: Log;
  /** Stores a batch; what it resolves with is what Telegram may forget. */
  readonly accept: (account: string, updates: readonly Update[]) => Promise<void>;
}

/** Fetches what people write, batch after batch; a batch is confirmed only when it is stored. */
export interface Poller {
  /** Polls until it is stopped. Never rejects. */
  run(): Promise<void>;
  stop(): void;
  /** When the last poll was completed, in milliseconds since 1970; undefined before the first. */
  lastPollAt(): number | undefined;
}

const pollSeconds = 30;
const conflictMs = 3000;
const longestPauseMs = 30_000;

const wanted = [
  "message",
  "edited_message",
  "callback_query",
  "message_reaction",
  "my_chat_member",
  "stopped_message_generation",
] as const;

/** How long to wait after a poll that failed, and what to say of it. */
function waitAfter(
  error: unknown,
  failures: number,
): { readonly ms: number; readonly say: string } {
  const pause = Math.min(1000 * 2 ** failures, longestPauseMs);
  if (!(error instanceof GrammyError)) return { ms: pause, say: reasonOf(error) };
  const { error_code: code, parameters, description } = error;
  if (code === 409) {
    const say = "another program polls with this bot's token: stop it, or give each its own bot";
    return { ms: conflictMs, say };
  }
  if (code === 401 || code === 404) {
    const say =
      "Telegram refuses the token: get a new one from @BotFather and run agent setup --key TELEGRAM_BOT_TOKEN";
    return { ms: longestPauseMs, say };
  }
  return { ms: (parameters.retry_after ?? 0) * 1000 || pause, say: description };
}

/** The poller of one bot. */
export function createPoller({ makeApi, clock, log, accept }: PollerDeps): Poller {
  const ending = new AbortController();
  const api = makeApi(ending.signal);
  const state = { offset: 0, lastPollAt: undefined as number | undefined, failures: 0 };

  async function poll(me: Me): Promise<void> {
    const { offset } = state;
    const asked = { offset, timeout: pollSeconds, allowed_updates: wanted };
    const updates: TelegramUpdate[] = await api.getUpdates(asked);
    state.lastPollAt = clock.now();
    const last = updates.at(-1);
    if (last === undefined) return;
    await accept(
      String(me.id),
      updates.map((update) => toUpdate(update, me)),
    );
    state.offset = last.update_id + 1;
  }

  async function tryOnce(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      state.failures = 0;
    } catch (error) {
      if (ending.signal.aborted) return;
      const { ms, say } = waitAfter(error, state.failures);
      state.failures += 1;
      log.warn("Telegram is not polled", { reason: say, waitMs: ms });
      await clock.sleep(ms, ending.signal);
    }
  }

  return {
    async run() {
      const found: { me: Me | undefined } = { me: undefined };
      while (!ending.signal.aborted) {
        const { me } = found;
        await tryOnce(async () => {
          if (me === undefined) found.me = await api.getMe();
          else await poll(me);
        });
      }
    },
    stop: () => ending.abort(),
    lastPollAt: () => state.lastPollAt,
  };
}
