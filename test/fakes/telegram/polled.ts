import { expect, onTestFinished } from "vitest";

import { createApi } from "../../../bots/telegram/api.ts";
import { longestCallMs } from "../../../bots/telegram/client.ts";
import { createPoller, type PollerDeps } from "../../../bots/telegram/poller.ts";
import type { Away, Update } from "../../../src/core/chat.ts";
import { AppError } from "../../../src/core/errors.ts";
import type { Fetch } from "../../../src/core/http.ts";
import { createSecret } from "../../../src/core/secret.ts";
import { createFakeClock } from "../clock.ts";

const token = createSecret("TELEGRAM_BOT_TOKEN", "4242:stand-in");
const bot = {
  id: 4242,
  is_bot: true,
  first_name: "Heron",
  username: "heron_bot",
  can_read_all_group_messages: false,
};

/** What a call is answered with; an error is no answer. */
export type Answer = object | Error;

/** An answer of Telegram. */
export const ok = (result: unknown): Answer => ({ ok: true, result });
/** A refusal of Telegram. */
export const refused = (error_code: number, description: string, parameters?: object): Answer => ({
  ok: false,
  error_code,
  description,
  parameters,
});
/** What the door says where no connection could be made. */
export const unreachable = (problem: string): Error =>
  new AppError("door.unreachable", { host: "api.telegram.org", problem });

/** A batch of messages, one for each update. */
export function written(...ids: readonly number[]): Answer {
  const chat = { id: 77, type: "private" };
  const from = { id: 77, is_bot: false, first_name: "Ann" };
  return ok(
    ids.map((id) => ({ update_id: id, message: { message_id: id, chat, from, text: `m${id}` } })),
  );
}

/** Telegram as its answers to polls, in order; a poll without one is held until its connection ends. */
function createWire(me: readonly Answer[]) {
  const answers: Answer[] = [];
  const held = new Set<(answer: Answer) => void>();
  const polls: { readonly offset: number }[] = [];
  const state = { me: [...me], clients: 0, open: 0 };

  async function give(answer: Answer): Promise<Response> {
    if (answer instanceof Error) throw answer;
    return Response.json(answer);
  }

  function poll(init: Parameters<Fetch>[1]): Promise<Response> {
    const { body } = init ?? {};
    polls.push(JSON.parse(typeof body === "string" ? body : "{}"));
    const answer = answers.shift();
    if (answer !== undefined) return give(answer);
    return new Promise((resolve, reject) => {
      const answerIt = (late: Answer): void => {
        held.delete(answerIt);
        resolve(give(late));
      };
      held.add(answerIt);
      init?.signal?.addEventListener("abort", () => {
        held.delete(answerIt);
        reject(new Error("aborted"));
      });
    });
  }

  const fetch: Fetch = (url, init) =>
    url.endsWith("/getMe") ? give(state.me.shift() ?? ok(bot)) : poll(init);
  return {
    answers,
    polls,
    state,
    /** Answers the polls that are held, and else the next. */
    answer(answer: Answer): void {
      const [first] = held;
      if (first === undefined) answers.push(answer);
      else first(answer);
    },
    isHeld: () => held.size > 0,
    makeApi(ended: AbortSignal) {
      state.clients += 1;
      state.open += 1;
      ended.addEventListener("abort", () => void (state.open -= 1));
      return createApi(token, { root: "http://127.0.0.1", fetch, ended });
    },
  };
}

/** A poller that runs against answers handed in. */
export function runPoller(own: Partial<PollerDeps> & { readonly me?: readonly Answer[] } = {}) {
  const wire = createWire(own.me ?? []);
  const still = createFakeClock(Date.UTC(2026, 10, 14, 8));
  const pauses: number[] = [];
  const clock = {
    ...still,
    sleep(ms: number, signal?: AbortSignal) {
      if (ms !== longestCallMs) pauses.push(ms);
      return still.sleep(ms, signal);
    },
  };
  const seen: string[] = [];
  const away: (Away | undefined)[] = [];
  const warned: unknown[] = [];
  const told: string[] = [];
  const poller = createPoller({
    makeApi: (ended) => wire.makeApi(ended),
    clock,
    log: {
      info: (words) => void told.push(words),
      warn: (_, fields) => void warned.push(fields?.["reason"]),
      bug: (error) => void warned.push(error),
    },
    accept(_, updates: readonly Update[], gone) {
      seen.push(...updates.map(({ updateId }) => updateId));
      away.push(gone);
      return Promise.resolve();
    },
    ...own,
  });
  const running = poller.run();
  onTestFinished(async () => {
    poller.stop();
    await running;
  });
  /** Waits until a poll is held, which is when nothing else goes on. */
  async function held(polls: number): Promise<void> {
    await expect.poll(() => [wire.polls.length, wire.isHeld()]).toEqual([polls, true]);
  }
  return { wire, clock, pauses, poller, seen, away, warned, told, held };
}

/** Lets the poller rest until its next try, again and again, until something is so. */
export async function passUntil(
  clock: { readonly pass: (ms: number) => void },
  stepMs: number,
  isSo: () => boolean,
): Promise<number> {
  let steps = 0;
  await expect
    .poll(
      () => {
        if (isSo()) return true;
        steps += 1;
        clock.pass(stepMs);
        return false;
      },
      { interval: 5, timeout: 10_000 },
    )
    .toBe(true);
  return steps;
}
