import type { Api } from "grammy";
import type { Update as TelegramUpdate } from "grammy/types";

import type { Away, Update } from "#core/chat.ts";
import type { Log } from "#core/log.ts";
import type { Hearing } from "#core/operations.ts";

import { type AbsenceDeps, createAbsence } from "./absence.ts";
import { createClient, longestCallMs, within } from "./client.ts";
import { type Me, toUpdate } from "./events.ts";
import { type Trouble, troubleOf } from "./trouble.ts";

/** What the poller works with. */
export interface PollerDeps extends AbsenceDeps {
  /** A client over connections of its own, all of which end with the signal. */
  readonly makeApi: (ended: AbortSignal) => Api;
  readonly log: Log;
  /**
   * Stores a batch; what it resolves with is what Telegram may forget. `away` is there where Telegram kept these for us while we were
   * away.
   */
  readonly accept: (account: string, updates: readonly Update[], away?: Away) => Promise<void>;
  /** Nothing is fetched before this has settled. */
  readonly ready?: Promise<unknown>;
  /** Who the bot is; called once it is known. */
  readonly onMe?: (me: Me) => void;
  /** Nothing is heard any more, also with new connections: only a new process may help. Called once. */
  readonly onDeaf?: () => void;
}

/** Fetches what people write, batch after batch; a batch is confirmed only when it is stored. */
export interface Poller {
  /** Polls until it is stopped. Never rejects. */
  run(): Promise<void>;
  stop(): void;
  state(): Hearing;
}

const pollSeconds = 30;
const batchSize = 100;
/** So much silence on connections that were made anew each time is more than a new connection can mend. */
const deafMs = 4 * 60_000;

const wanted = [
  "message",
  "edited_message",
  "callback_query",
  "message_reaction",
  "my_chat_member",
  "stopped_message_generation",
] as const;

/** Says what goes wrong once, and when it is over. */
function createSaying(log: Log) {
  const state = { problem: undefined as string | undefined };
  return {
    problem: () => state.problem,
    trouble(say: string): void {
      if (say !== state.problem) log.warn("Telegram is not polled", { reason: say });
      state.problem = say;
    },
    well(): void {
      if (state.problem !== undefined) log.info("Telegram is polled again");
      state.problem = undefined;
    },
  };
}

/** Adds up for how long nothing was heard, and tells once when it is too long. */
function createEar(onDeaf: () => void) {
  const state = { silentMs: 0, told: false };
  return {
    heard: () => void (state.silentMs = 0),
    silent(tookMs: number, waitMs: number): void {
      // Of a clock that jumps only so much is believed as one try can take.
      state.silentMs += Math.min(Math.max(tookMs, 0), longestCallMs) + waitMs;
      if (state.silentMs < deafMs || state.told) return;
      state.told = true;
      onDeaf();
    },
  };
}

/** Ids of updates only; anything else could not be confirmed. */
function numbered(updates: readonly TelegramUpdate[]): TelegramUpdate[] {
  return updates.filter((update) => Number.isSafeInteger(update?.update_id));
}

/** Fetches batch after batch and confirms each with the next. */
function createFetching(deps: PollerDeps, api: () => Api) {
  const { clock, accept } = deps;
  const absence = createAbsence(deps);
  const state = { offset: 0, lastPollAt: undefined as number | undefined };

  return {
    lastPollAt: () => state.lastPollAt,
    async poll(me: Me, heard: () => void): Promise<void> {
      const { offset } = state;
      const asked = { offset, timeout: pollSeconds, limit: batchSize, allowed_updates: wanted };
      const fetched = await within(clock, () => api().getUpdates(asked));
      state.lastPollAt = clock.now();
      heard();
      const updates = numbered(fetched);
      const account = String(me.id);
      const more = fetched.length === batchSize;
      const away = await absence.over(account, more);
      if (updates.length > 0) {
        await accept(
          account,
          updates.map((update) => toUpdate(update, me)),
          away,
        );
      }
      if (!more) absence.end();
      // An empty answer means that all is confirmed. Asking without an offset then skips nothing: after a quiet week Telegram begins
      // at a random number, which may be a lower one.
      const ids = updates.map(({ update_id: id }) => id);
      state.offset = ids.length === 0 ? 0 : Math.max(...ids) + 1;
    },
  };
}

/** Draws the consequences of a failure for the connections. */
function createJudge(deps: PollerDeps, renew: () => void) {
  const ear = createEar(() => {
    deps.log.warn("Telegram is not heard any more, also with new connections");
    deps.onDeaf?.();
  });
  return {
    heard: ear.heard,
    failed({ kind, waitMs }: Trouble, tookMs: number): void {
      if (kind === "ours") return;
      if (kind === "answer") {
        ear.heard();
        return;
      }
      // A new client costs nothing, so that it is made at the first doubt and not after a minute of silence.
      renew();
      // Where the network says plainly that it is not there, a new process would hear the same; it would only end what goes on
      // besides. All else counts, words that nobody foresaw too: a needless restart is harmless, and a bot that stays deaf is not.
      if (kind === "silence") ear.silent(tookMs, waitMs);
    },
  };
}

/** The poller of one bot. */
export function createPoller(deps: PollerDeps): Poller {
  const { clock, log } = deps;
  const ending = new AbortController();
  const client = createClient(deps.makeApi, ending.signal);
  const fetching = createFetching(deps, client.api);
  const saying = createSaying(log);
  const judge = createJudge(deps, () => client.renew());
  const state = { me: undefined as Me | undefined, failures: 0 };

  async function introduce(): Promise<Me> {
    const found = await within(clock, () => client.api().getMe());
    judge.heard();
    const { id, username, can_read_all_group_messages: readsGroups } = found;
    const me = { id, username, readsGroups };
    deps.onMe?.(me);
    await Promise.allSettled([deps.ready]);
    return me;
  }

  async function step(): Promise<void> {
    if (state.me === undefined) state.me = await introduce();
    else await fetching.poll(state.me, judge.heard);
  }

  async function rest(error: unknown, tookMs: number): Promise<void> {
    const trouble = troubleOf(error, state.failures);
    state.failures += 1;
    saying.trouble(trouble.say);
    if (trouble.isBug === true) log.bug(error);
    judge.failed(trouble, tookMs);
    await clock.sleep(trouble.waitMs, ending.signal);
  }

  return {
    async run() {
      while (!ending.signal.aborted) {
        const begun = clock.now();
        try {
          await step();
          state.failures = 0;
          saying.well();
        } catch (error) {
          if (!ending.signal.aborted) await rest(error, clock.now() - begun);
        }
      }
    },
    stop: () => ending.abort(),
    state: () => ({ lastPollAt: fetching.lastPollAt(), problem: saying.problem() }),
  };
}
