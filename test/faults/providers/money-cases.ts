import assert from "node:assert/strict";

import type { Clock } from "../../../src/core/clock.ts";
import { systemClock } from "../../../src/core/clock.ts";
import type { Attempt } from "../../../src/core/route.ts";
import { anthropicWords } from "../../fakes/providers/anthropic-words.ts";
import {
  chunk,
  countsOf,
  dataEvent,
  done,
  openaiWords,
} from "../../fakes/providers/openai-words.ts";
import type { Reply } from "../../fakes/providers/perform.ts";
import { createSwiftClock } from "../../fakes/swift-clock.ts";

import type { FaultCase } from "./fault-case.ts";
import { budgetSetting, isEstimated, priceSetting } from "./harness.ts";
import { answered, inAll, saw, says } from "./judge.ts";
import { answers, openStage, pieces, type World } from "./stage.ts";

/** US dollars for a million tokens, and what the usual 12 and 8 tokens then cost. */
const price = { input: 3, output: 15 };
const usual = { promptTokens: 12, answerTokens: 8 };
const usualCost = (12 * price.input + 8 * price.output) / 1e6;

const said = [openaiWords.start(), ...pieces.map((piece) => openaiWords.text(piece))];
const usageChunk = (usage: typeof usual): string =>
  dataEvent({ id: "c", choices: [], usage: countsOf(usage) });
const finish = chunk({}, "stop");

/** Where a service may put its counts, and where they are missing. */
const variants: Readonly<Record<string, { readonly reply: Reply; readonly isCounted: boolean }>> = {
  missing: { reply: { steps: [...said, finish, done] }, isCounted: false },
  twice: {
    reply: {
      steps: [...said, usageChunk({ ...usual, answerTokens: 3 }), finish, usageChunk(usual), done],
    },
    isCounted: true,
  },
  "in the last chunk": {
    reply: { steps: [...said, chunk({}, "stop", { usage: countsOf(usual) }), done] },
    isCounted: true,
  },
  "after the finish": {
    reply: { steps: [...said, finish, usageChunk(usual), done] },
    isCounted: true,
  },
};

/** Needs of the port: a price in a deployment's settings, its cost on the attempt, and `estimated: true` where it is no count. */
async function counted(
  world: World,
  kind: "openai" | "anthropic",
  variant: { readonly reply: Reply; readonly isCounted: boolean },
) {
  const stage = await openStage(world, {
    kind,
    cloud: true,
    backup: null,
    deployment: priceSetting(price.input, price.output),
    primary: () => variant.reply,
  });
  const outcome = await stage.call();
  answered(outcome, "primary");
  const attempt: Attempt | undefined = outcome.attempts.at(-1);
  assert.ok(attempt !== undefined, "no attempt is on record");
  const { costUsd } = attempt;
  assert.ok(costUsd !== undefined && costUsd > 0, `the cost is ${costUsd}`);
  assert.equal(isEstimated(attempt), !variant.isCounted, "the mark of an estimate");
  const isExact = Math.abs(costUsd - usualCost) < usualCost * 1e-6;
  if (variant.isCounted) assert.ok(isExact, `${costUsd} and not ${usualCost}`);
}

async function unknownPrice(world: World): Promise<void> {
  const stage = await openStage(world, {
    kind: "openai",
    cloud: true,
    backup: null,
    unpriced: true,
    settings: budgetSetting({ day: 1 }),
    primary: () => answers("openai"),
  });
  const { stop, attempts } = await stage.call();
  if (stop?.reason === "error") {
    saw(stage.primary.log, 0, 0);
    says(stop.failure?.sentence, /price|cost/i, "it does not say that the price is unknown");
    return;
  }
  const attempt = attempts.at(-1);
  assert.ok((attempt?.costUsd ?? 0) > 0, "a call of unknown price is on record without a cost");
}

/** A service so dear that a call of 100 tokens must have 0.1 dollars set aside. */
const dear = { input: 1, output: 1000 };

/** Needs of the port: a budget in the settings, of which the worst case of a call is set aside before it is sent. */
async function roomForOne(world: World): Promise<void> {
  const stage = await openStage(world, {
    kind: "openai",
    cloud: true,
    backup: null,
    deployment: priceSetting(dear.input, dear.output),
    settings: budgetSetting({ day: 0.15 }),
    primary: () => ({ steps: ["", 300, ...answers("openai").steps] }),
  });
  const both = await Promise.all([stage.call(), stage.call()]);
  const answeredOnes = both.filter(({ stop }) => stop?.reason === "end");
  assert.ok(answeredOnes.length >= 1, "none was answered");
  const [first, second] = stage.primary.log;
  const after = first?.endedAt ?? Infinity;
  assert.ok(second === undefined || second.at >= after, "both were sent at the same time");
  const spent = both.flatMap(({ attempts }) => attempts.map(({ costUsd = 0 }) => costUsd));
  assert.ok(spent.reduce((a, b) => a + b, 0) <= 0.15, "more was spent than allowed");
}

async function jumps(world: World): Promise<void> {
  const state = { offset: 0 };
  const clock: Clock = { ...systemClock, now: () => Date.now() + state.offset };
  const stage = await openStage(world, {
    kind: "openai",
    backup: null,
    clock,
    primary: () => ({ steps: ["", 50, ...answers("openai").steps] }),
  });
  for (const offset of [3_600_000, -7_200_000]) {
    const outcome = await stage.call({
      onEvent({ type }) {
        if (type === "chosen" || type === "text") state.offset = offset;
      },
    });
    answered(outcome, "primary");
    const ms = outcome.attempts.at(-1)?.durationMs ?? -1;
    assert.ok(ms >= 0 && ms < 5000, `the attempt is said to have taken ${ms} ms`);
  }
}

/** One call may be set aside for; what it then costs leaves no room for another. */
const room = 0.105;

/** Needs of the port: the zone that budgets are counted in. A budget is spent at `from`; what is asked at each time is answered or not. */
async function window(
  world: World,
  { from, budget }: { readonly from: number; readonly budget: { day: number } | { month: number } },
  then: readonly (readonly [at: number, isAnswered: boolean])[],
): Promise<void> {
  const clock = createSwiftClock(1, from);
  world.onEnd(() => clock.close());
  const stage = await openStage(world, {
    kind: "openai",
    cloud: true,
    backup: null,
    clock,
    timeZone: "Europe/Amsterdam",
    deployment: priceSetting(dear.input, dear.output),
    settings: budgetSetting(budget),
    primary: () => answers("openai"),
  });
  answered(await stage.call(), "primary");
  for (const [at, isAnswered] of then) {
    clock.pass(at - clock.now());
    const { stop } = await stage.call();
    assert.equal(stop?.reason === "end", isAnswered, `at ${new Date(clock.now()).toISOString()}`);
  }
}

/** What costs money, and when. */
export const moneyCases: readonly FaultCase[] = [
  {
    row: 31,
    failure: "usage missing, twice, in the last chunk, after the finish",
    simulated: "each variant, with a price of the deployment's own",
    required: "the cost of a cloud is never 0; what was not reported is marked as an estimate",
    run: (world) =>
      inAll([
        ...Object.entries(variants).map(
          ([name, variant]) => [name, () => counted(world, "openai", variant)] as const,
        ),
        [
          "anthropic",
          () => {
            const steps = answers("anthropic").steps.slice(0, -1);
            const reply = { steps: [...steps, anthropicWords.end({ usage: null })] };
            return counted(world, "anthropic", { reply, isCounted: false });
          },
        ],
      ]),
  },
  {
    row: 32,
    failure: "price unknown",
    simulated: "a model that no price list has, under a budget",
    required: "refused, or the worst case is set aside",
    run: unknownPrice,
  },
  {
    row: 33,
    failure: "budget hit by calls at the same time",
    simulated: "two calls, room for one",
    required: "the second waits or is refused",
    run: roomForOne,
  },
  {
    row: 38,
    failure: "clock jumps, summer time, end of the month",
    simulated: "a clock of the test's own; a budget of a day around midnight and the longest day",
    required: "attempts are measured right, and days are those of the person's zone",
    run: (world) =>
      inAll([
        ["jumps", () => jumps(world)],
        [
          "midnight and the day of 25 hours",
          () =>
            window(world, { from: Date.UTC(2026, 9, 24, 22, 30), budget: { day: room } }, [
              [Date.UTC(2026, 9, 25, 22, 30), false],
              [Date.UTC(2026, 9, 25, 23, 1), true],
            ]),
        ],
        [
          "end of the month",
          () =>
            window(world, { from: Date.UTC(2026, 10, 10), budget: { month: room } }, [
              [Date.UTC(2026, 10, 30, 22, 50), false],
              [Date.UTC(2026, 10, 30, 23, 1), true],
            ]),
        ],
      ]),
  },
];
