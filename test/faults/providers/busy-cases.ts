import assert from "node:assert/strict";

import { createSwiftClock } from "../../fakes/swift-clock.ts";
import { wordsOf } from "../../fakes/providers/speak.ts";
import type { Kind, Trouble } from "../../fakes/providers/words.ts";

import type { FaultCase } from "./fault-case.ts";
import { answered, failed, gaps, inAll, inEach, neverHalf, saw, says } from "./judge.ts";
import { answers, begins, inTurn, openStage, refuses, type World } from "./stage.ts";

const services: readonly Kind[] = ["anthropic", "openai"];

const full: Trouble = {
  message: "server busy, please try again.  maximum pending requests exceeded",
};
const tooMany: Trouble = { message: "Too many requests.", code: "rate_limit_error" };

async function queueFull(world: World): Promise<void> {
  const busy = refuses("ollama", 503, full);
  const both = await openStage(world, { kind: "ollama", primary: () => busy });
  answered(await both.call(), "backup");
  saw(both.primary.log, 1, 1);
  const alone = await openStage(world, {
    kind: "ollama",
    backup: null,
    primary: inTurn(busy, busy, answers("ollama")),
  });
  answered(await alone.call(), "primary");
  const between = gaps(alone.primary.log);
  assert.ok(
    between.every((ms) => ms >= 400 && ms <= 3000),
    `it waited ${between.join(" and ")} ms`,
  );
}

/** Retry-After in this form is waited for, and the same deployment answers. */
async function waits(world: World, kind: Kind, headers: () => Record<string, string>, ms: number) {
  const { call, primary } = await openStage(world, {
    kind,
    primary: ({ attempt }) =>
      attempt === 1 ? refuses(kind, 429, tooMany, headers()) : answers(kind),
  });
  answered(await call(), "primary");
  saw(primary.log, 2, 2);
  const [gap = 0] = gaps(primary.log);
  assert.ok(gap >= ms * 0.95 && gap < ms + 2500, `${ms} ms were asked for, ${gap} were waited`);
}

async function longWait(world: World, kind: Kind): Promise<void> {
  const primary = () => refuses(kind, 429, tooMany, { "retry-after": "3600" });
  const both = await openStage(world, { kind, primary });
  const outcome = await both.call();
  answered(outcome, "backup");
  assert.ok(outcome.ms < 3000, `it took ${Math.round(outcome.ms)} ms`);
  const alone = await openStage(world, { kind, primary, backup: null });
  const refused = await alone.call();
  failed(refused, ["model.rate-limit"]);
  says(refused.stop?.failure?.sentence, /in (60 minutes|1 hour)/, "it does not say when");
  saw(alone.primary.log, 1, 1);
}

async function retryAfter(world: World): Promise<void> {
  const inSeconds = (): Record<string, string> => ({ "retry-after": "2" });
  const asMs = (): Record<string, string> => ({ "retry-after-ms": "1500" });
  // The date has whole seconds, so that it may be up to one second earlier.
  const asDate = (): Record<string, string> => ({
    "retry-after": new Date(Date.now() + 3000).toUTCString(),
  });
  await inEach(
    (kind) =>
      inAll([
        ["seconds", () => waits(world, kind, inSeconds, 2000)],
        ["milliseconds", () => waits(world, kind, asMs, 1500)],
        ["a date", () => waits(world, kind, asDate, 2000)],
        ["an hour", () => longWait(world, kind)],
      ]),
    services,
  );
}

async function persistent(world: World, kind: Kind): Promise<void> {
  const primary = () => refuses(kind, 429, tooMany);
  const { call, primary: provider } = await openStage(world, { kind, primary, backup: null });
  failed(await call(), ["model.rate-limit"]);
  saw(provider.log, 1, 6);
  const early = provider.log.filter(({ at }) => at - (provider.log[0]?.at ?? 0) < 3000);
  saw(early, 1, 4);
  // A deployment that rests may also say that it does.
  for (let i = 0; i < 4; i += 1) failed(await call(), ["model.rate-limit", "model.resting"]);
  saw(provider.log, 1, 12);
}

async function spendLimit(world: World): Promise<void> {
  const clock = createSwiftClock(20, Date.UTC(2026, 10, 25, 12));
  world.onEnd(() => clock.close());
  const trouble: Trouble = {
    message: "You have reached your spend limit.",
    code: "rate_limit_error",
    details: { error_code: "enforced_spend_limit_reached" },
  };
  const isSpent = (): boolean => clock.now() < Date.UTC(2026, 11, 1);
  const { call, primary } = await openStage(world, {
    kind: "anthropic",
    cloud: true,
    clock,
    primary: () => (isSpent() ? refuses("anthropic", 429, trouble) : answers("anthropic")),
  });
  const first = await call();
  answered(first, "backup");
  says(first.notices.join(" "), /limit/, "the person is not told");
  answered(await call(), "backup");
  clock.pass(4 * 86_400_000);
  answered(await call(), "backup");
  saw(primary.log, 1, 1);
  clock.pass(3 * 86_400_000);
  answered(await call(), "primary");
}

async function overloaded(world: World): Promise<void> {
  const kind = "anthropic";
  const trouble: Trouble = { message: "Overloaded", code: "overloaded_error" };
  const refused = refuses(kind, 529, trouble);
  const once = await openStage(world, { kind, primary: inTurn(refused, answers(kind)) });
  answered(await once.call(), "primary");
  saw(once.primary.log, 2, 2);
  const ever = await openStage(world, { kind, primary: () => refused });
  answered(await ever.call(), "backup");
  saw(ever.primary.log, 2, 6);
  const inStream = begins(kind, 4, wordsOf(kind).inBand());
  const later = await openStage(world, { kind, primary: () => inStream });
  const outcome = await later.call();
  neverHalf(outcome);
  answered(outcome);
}

/** Providers that have too much to do, or want no more of us. */
export const busyCases: readonly FaultCase[] = [
  {
    row: 11,
    failure: "503, queue full (Ollama)",
    simulated: "status and body as Ollama writes them",
    required: "the other host first; where there is none, again after 0.5 to 2 s",
    run: queueFull,
  },
  {
    row: 12,
    failure: "429 with Retry-After",
    simulated: "in seconds, as a date, in milliseconds; and one of an hour",
    required: "waited for on the same deployment; one that is too long is not, and is told",
    run: retryAfter,
  },
  {
    row: 13,
    failure: "429 without a header, for ever",
    simulated: "every request is refused",
    required: "at most 4 attempts in 3 s and 6 in all; five calls in a row do not hammer",
    run: (world) => inEach((kind) => persistent(world, kind), services),
  },
  {
    row: 14,
    failure: "429 for a spend limit (Anthropic)",
    simulated: "error code in the details, no header; the clock is moved to the next month",
    required: "the deployment is off until the month ends, and the person is told",
    run: spendLimit,
  },
  {
    row: 15,
    failure: "529 before and in a stream (Anthropic)",
    simulated: "status, and an error event",
    required: "again on the same deployment, then the next; never half a success",
    run: overloaded,
  },
];
