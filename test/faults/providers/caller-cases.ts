import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

import { hang, type Step } from "../../fakes/providers/perform.ts";
import { wordsOf } from "../../fakes/providers/speak.ts";
import type { Kind } from "../../fakes/providers/words.ts";

import type { Outcome } from "./call.ts";
import type { FaultCase } from "./fault-case.ts";
import { parallelSetting, tells } from "./harness.ts";
import { answered, inAll, inEach, saw } from "./judge.ts";
import { answers, begins, openStage, silent, type Stage, type World } from "./stage.ts";

/** What a server may take to notice that its client has left. */
const noticeMs = 100;

/** Waits until it is true, or for two seconds. */
async function until(isTrue: () => boolean): Promise<boolean> {
  const end = performance.now() + 2000;
  while (!isTrue() && performance.now() < end) await pause(2);
  return isTrue();
}

function aborted(outcome: Outcome): void {
  const { stop } = outcome;
  assert.equal(stop?.reason, "aborted", `it ended with ${stop?.reason}`);
  const last = outcome.attempts.at(-1);
  assert.equal(last?.outcome, "aborted", "the attempt is not on record as aborted");
}

/** The provider was left soon after this moment of its clock, and answers the next. */
async function freed({ primary, call }: Stage, since: number): Promise<void> {
  await until(() => primary.log[0]?.leftAt !== undefined);
  const leftAfter = (primary.log[0]?.leftAt ?? Infinity) - since;
  assert.ok(leftAfter <= noticeMs, `the server noticed after ${Math.round(leftAfter)} ms`);
  answered(await call(), "primary");
}

async function whileStreaming(world: World, kind: Kind): Promise<void> {
  const stage = await openStage(world, {
    kind,
    backup: null,
    primary: ({ attempt }) => (attempt === 1 ? begins(kind, 5, hang) : answers(kind)),
  });
  const abort = new AbortController();
  let since = 0;
  const outcome = await stage.call({
    signal: abort.signal,
    onEvent({ type }) {
      if (type !== "text") return;
      since = stage.primary.now();
      abort.abort();
    },
  });
  aborted(outcome);
  await freed(stage, since);
}

async function whileLoading(world: World, kind: Kind): Promise<void> {
  const stage = await openStage(world, {
    kind,
    backup: null,
    host: { first_token_seconds: 5, total_seconds: 10 },
    primary: ({ attempt }) => (attempt === 1 ? silent : answers(kind)),
  });
  const abort = new AbortController();
  const calling = stage.call({ signal: abort.signal });
  await until(() => stage.primary.log.length > 0);
  const since = stage.primary.now();
  abort.abort();
  aborted(await calling);
  await freed(stage, since);
}

/** Needs of the port: max_parallel of a host, and an event "wait" while a call waits for it. */
async function whileQueued(world: World, kind: Kind): Promise<void> {
  const gate = { open: false };
  function* slowly(): Generator<Step> {
    yield "";
    while (!gate.open) yield 10;
    yield* answers(kind).steps;
  }
  const { call, primary } = await openStage(world, {
    kind,
    backup: null,
    host: { ...parallelSetting(1), first_token_seconds: 5, total_seconds: 10 },
    primary: ({ attempt }) => (attempt === 1 ? { steps: slowly() } : answers(kind)),
  });
  const first = call();
  await until(() => primary.log.length > 0);
  const abort = new AbortController();
  const second = call({ signal: abort.signal });
  const third = call();
  await pause(150);
  saw(primary.log, 1, 1);
  const since = performance.now();
  abort.abort();
  const outcome = await second;
  assert.equal(outcome.stop?.reason, "aborted", "what was cancelled in the queue is not aborted");
  assert.ok(performance.now() - since <= noticeMs, "the queue held on to what was cancelled");
  assert.ok(tells(outcome.events, "wait"), "nothing tells that the call waits");
  gate.open = true;
  answered(await first, "primary");
  answered(await third, "primary");
  saw(primary.log, 2, 2);
}

async function consumerLeaves(world: World, kind: Kind, at: "chosen" | "text"): Promise<void> {
  const stage = await openStage(world, {
    kind,
    backup: null,
    primary: ({ attempt }) =>
      attempt === 1 && at === "text" ? begins(kind, 5, hang) : answers(kind),
  });
  let since = 0;
  await stage.call({
    onEvent({ type }) {
      since = stage.primary.now();
      return type === at;
    },
  });
  if (at === "text") await freed(stage, since);
  else {
    await pause(noticeMs);
    assert.ok(
      stage.primary.log.every(({ leftAt, endedAt }) => (leftAt ?? endedAt) !== undefined),
      "it goes on there",
    );
  }
}

/** More than sockets and readers may hold between a server and a caller that does not read. */
const heldBytes = 24_000_000;
const offeredBytes = 64_000_000;

/** Pieces that differ, so that nobody takes them for a model that repeats itself. */
function* offered(kind: Kind): Generator<Step> {
  const words = wordsOf(kind);
  yield words.start();
  for (let bytes = 0; bytes < offeredBytes; bytes += 30_000) {
    const numbers = Array.from({ length: 3000 }, (_, i) => String(bytes + i));
    yield words.text(numbers.join(" "));
  }
  yield words.end();
}

async function slowConsumer(world: World, kind: Kind): Promise<void> {
  const { primary, call } = await openStage(world, {
    kind,
    backup: null,
    host: { total_seconds: 60 },
    primary: () => ({ steps: offered(kind) }),
  });
  let taken = 0;
  let held = 0;
  await call({
    async onEvent({ type }) {
      if (type !== "text") return false;
      // Slow at first, then away for a while, then gone.
      taken += 1;
      await pause(taken < 5 ? 100 : 500);
      held = primary.log[0]?.bytes ?? 0;
      return taken === 6;
    },
  });
  assert.ok(held > 0 && held < heldBytes, `${Math.round(held / 1e6)} MB were taken unread`);
  await until(() => primary.log[0]?.leftAt !== undefined);
  assert.ok(primary.log[0]?.leftAt !== undefined, "the server was not left");
}

/** What callers do in the middle of an answer. */
export const callerCases: readonly FaultCase[] = [
  {
    row: 28,
    failure: "cancelled while queued, loading or streaming",
    simulated: "the signal aborts at each stage",
    required: `the server sees it within ${noticeMs} ms, the place is free, the attempt is on record`,
    alone: true,
    async run(world) {
      for (const kind of ["ollama", "anthropic", "openai"] as const) {
        await inAll([[`${kind} streaming`, () => whileStreaming(world, kind)]]);
        await inAll([[`${kind} loading`, () => whileLoading(world, kind)]]);
      }
      await inAll([["ollama queued", () => whileQueued(world, "ollama")]]);
    },
  },
  {
    row: 29,
    failure: "the consumer stops iterating",
    simulated: "left at the choice, and at the first word",
    required: "the same as a cancellation",
    alone: true,
    async run(world) {
      for (const kind of ["ollama", "anthropic", "openai"] as const) {
        await inAll([[`${kind} at a word`, () => consumerLeaves(world, kind, "text")]]);
        await inAll([[`${kind} at the choice`, () => consumerLeaves(world, kind, "chosen")]]);
      }
    },
  },
  {
    row: 30,
    failure: "slow consumer",
    simulated: "64 MB are offered to a caller that takes a piece now and then",
    required: "the server is held back, so that memory is bounded",
    alone: true,
    run: (world) => inEach((kind) => slowConsumer(world, kind)),
  },
];
