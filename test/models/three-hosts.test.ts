import { setImmediate } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import { AppError } from "../../src/core/errors.ts";
import type { Model, ModelEvent } from "../../src/core/model.ts";
import type { RouteAsk, RoutedEvent } from "../../src/core/router.ts";
import { modelSettingsSchema } from "../../src/core/settings.ts";
import { createRouter } from "../../src/models/router.ts";
import { createFakeClock, type FakeClock } from "../fakes/clock.ts";
import { askWith, freePurse, noRules, sourcesWith } from "../fakes/router.ts";

/** Milliseconds that each host needs for a piece of work of size one. */
const slowness = { quick: 400, middle: 700, slow: 1200 } as const;
const hosts = ["quick", "middle", "slow"] as const;

/** A request as it comes: when, and how much work it is. */
interface Arrival {
  readonly at: number;
  readonly size: number;
}

/** A generator of numbers from 0 to 1 (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function arrivals(count: number, gapMs: number, seed: number): Arrival[] {
  const random = createRandom(seed);
  let at = 0;
  return Array.from({ length: count }, () => {
    at += -Math.log(1 - random()) * gapMs;
    return { at: Math.round(at), size: 0.5 + random() };
  });
}

/** Mean milliseconds from arrival to end when each request goes to a host by these shares, whatever waits there. */
function staticMean(work: readonly Arrival[], shares: readonly number[]): number {
  const random = createRandom(7);
  const freeAt = [0, 0, 0];
  let sum = 0;
  for (const { at, size } of work) {
    const drawn = random();
    const to = drawn < (shares[0] ?? 0) ? 0 : drawn < (shares[0] ?? 0) + (shares[1] ?? 0) ? 1 : 2;
    const end = Math.max(at, freeAt[to] ?? 0) + size * slowness[hosts[to] ?? "slow"];
    freeAt[to] = end;
    sum += end - at;
  }
  return sum / work.length;
}

/** The best of all splits in steps of a fiftieth, known only when all is over. */
function bestStatic(work: readonly Arrival[]): number {
  const steps = Array.from({ length: 51 }, (_, i) => i / 50);
  const splits = steps.flatMap((a) =>
    steps.filter((b) => a + b <= 1).map((b) => [a, b, 1 - a - b]),
  );
  return Math.min(...splits.map((shares) => staticMean(work, shares)));
}

/** The same when each request goes where it ends soonest, by who knows every size and speed and what waits where. */
function knowingMean(work: readonly Arrival[]): number {
  const freeAt = new Map(hosts.map((host) => [host, 0]));
  let sum = 0;
  for (const { at, size } of work) {
    const ends = hosts.map((host) => {
      return { host, end: Math.max(at, freeAt.get(host) ?? 0) + size * slowness[host] };
    });
    const best = ends.reduce((one, other) => (other.end < one.end ? other : one));
    freeAt.set(best.host, best.end);
    sum += best.end - at;
  }
  return sum / work.length;
}

const settings = modelSettingsSchema.parse({
  hosts: Object.fromEntries(
    hosts.map((host) => [host, { kind: "scripted", script: "-", max_parallel: 1 }]),
  ),
  deployments: Object.fromEntries(hosts.map((host) => [host, { host, model: "same" }])),
  // The slowest is listed first, so that who takes whatever is free does worse.
  tiers: { "local-fast": [hosts.toReversed()] },
});

/** Three hosts that serve one model; a frozen one says nothing until its deadline. */
function createHosts(clock: FakeClock) {
  const busy = new Map<string, number>();
  const state = { frozen: undefined as string | undefined };

  function serve(id: string): Model {
    const base = slowness[hosts.find((host) => host === id) ?? "slow"];
    async function* stream(
      { messages }: Parameters<Model["stream"]>[0],
      signal: AbortSignal,
    ): AsyncGenerator<ModelEvent> {
      busy.set(id, (busy.get(id) ?? 0) + 1);
      const ms = base * Number(messages[0]?.text);
      const isFrozen = state.frozen === id;
      await clock.sleep(isFrozen ? 20_000 : ms, signal);
      busy.set(id, (busy.get(id) ?? 0) - 1);
      if (isFrozen) {
        const { failure } = new AppError("model.timeout", { model: id, seconds: 20 });
        yield { type: "stop", reason: "error", failure };
        return;
      }
      yield { type: "text", text: "done" };
      yield { type: "usage", promptTokens: 200, answerTokens: ms / 10 };
      yield { type: "stop", reason: "end" };
    }
    const limits = {
      contextTokens: 8192,
      promptBudget: 2000,
      tools: true,
      bare: false,
      maxAnswerTokens: 100,
    };
    return { id, trust: "local", limits, stream };
  }

  return { serve, busyAt: (host: string) => busy.get(host) ?? 0, state };
}

/** What has become of the requests so far. */
interface Tally {
  waiting: number;
  /** Milliseconds from arrival to end, all together. */
  sum: number;
  answered: number;
  /** Moments at which a host had nothing to do while somebody waited. */
  idleWhileWaiting: number;
}

/** Makes one request and follows it to its end. */
async function follow(events: AsyncIterable<RoutedEvent>, tally: Tally): Promise<void> {
  let isWaiting = false;
  for await (const event of events) {
    const waits: boolean =
      event.type === "wait" ? true : event.type === "chosen" ? false : isWaiting;
    tally.waiting += Number(waits) - Number(isWaiting);
    isWaiting = waits;
    if (event.type === "stop" && event.failure === undefined) tally.answered += 1;
  }
}

async function run(work: readonly Arrival[], freezeAt = Number.POSITIVE_INFINITY) {
  const clock = createFakeClock(0);
  const machines = createHosts(clock);
  const sources = sourcesWith({ open: (id) => Promise.resolve(machines.serve(id)) });
  const router = createRouter({ settings, sources, clock, purse: freePurse, rulesFor: noRules });
  const signal = new AbortController().signal;
  const tally: Tally = { waiting: 0, sum: 0, answered: 0, idleWhileWaiting: 0 };

  async function request({ at, size }: Arrival): Promise<void> {
    const messages = [{ role: "user", text: String(size) }] as const;
    const build: RouteAsk["build"] = () => ({ messages, tools: [], maxTokens: 9 });
    await follow(router.stream(askWith({ build }), signal), tally);
    tally.sum += clock.now() - at;
  }

  const done: Promise<void>[] = [];
  while (tally.answered < work.length) {
    await setImmediate();
    const isIdle = hosts.some((host) => machines.busyAt(host) === 0);
    if (tally.waiting > 0 && isIdle) tally.idleWhileWaiting += 1;
    const next = work[done.length];
    const untilNext = next === undefined ? undefined : next.at - clock.now();
    const steps = [untilNext, clock.next()].filter((ms) => ms !== undefined);
    if (steps.length === 0) break;
    clock.pass(Math.min(...steps));
    if (next !== undefined && clock.now() >= next.at) done.push(request(next));
    if (clock.now() > freezeAt) machines.state.frozen = "middle";
  }
  await setImmediate();
  return { ...tally, meanMs: tally.sum / work.length };
}

describe("three hosts of different speed under 10,000 requests", () => {
  test.each([
    ["all three have much to do", 260],
    ["there is a choice", 600],
    ["two would do", 900],
  ])(
    "end them nearly as soon as the best split known in hindsight, and as who knows all, and none is idle while work waits: %s",
    async (_, gapMs) => {
      const work = arrivals(10_000, gapMs, 1);
      const { meanMs, answered, idleWhileWaiting } = await run(work);
      expect({ answered, idleWhileWaiting }).toEqual({ answered: 10_000, idleWhileWaiting: 0 });
      expect(meanMs).toBeLessThan(bestStatic(work) * 1.1);
      expect(meanMs).toBeLessThan(knowingMean(work) * 1.1);
    },
  );

  test("lose none when one of them freezes in the middle", async () => {
    const work = arrivals(10_000, 500, 2);
    const { answered } = await run(work, work[5000]?.at);
    expect(answered).toBe(10_000);
  });
});
