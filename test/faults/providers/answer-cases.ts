import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

import type { Step } from "../../fakes/providers/perform.ts";
import type { Body } from "../../fakes/providers/server.ts";
import { wordsOf } from "../../fakes/providers/speak.ts";
import { type Kind, kinds } from "../../fakes/providers/words.ts";

import type { FaultCase } from "./fault-case.ts";
import { answered, inAll, inEach, neverHalf, saw } from "./judge.ts";
import { answers, inTurn, openStage, type World } from "./stage.ts";
import { answersWith, zoneTool } from "./tool-cases.ts";

const colourSchema = {
  type: "object",
  properties: { colour: { type: "string" } },
  required: ["colour"],
  additionalProperties: false,
} as const;
const colour = '{"colour":"red"}';

/** The most tokens that a request allows an answer. */
function limitOf(body: Body): number {
  const { options, max_tokens: most } = body;
  const nested = typeof options === "object" && options !== null ? Object.entries(options) : [];
  return Number(new Map<string, unknown>(nested).get("num_predict") ?? most);
}

async function cutJson(world: World, kind: Kind): Promise<void> {
  const half = answers(kind, ['{"colour":"re'], { reason: "length" });
  const stage = await openStage(world, {
    kind,
    backup: null,
    primary: inTurn(half, answers(kind, [colour])),
  });
  const outcome = await stage.call({ answerSchema: colourSchema, maxTokens: 30 });
  assert.equal(outcome.text, colour, `half of the JSON as an answer: ${outcome.text}`);
  saw(stage.primary.log, 2, 2);
  const [first = 0, second = 0] = stage.primary.log.map(({ body }) => limitOf(body));
  assert.ok(second > first, `the limit went from ${first} to ${second}`);
}

async function cutCall(world: World, kind: Kind): Promise<void> {
  const call = { index: 0, id: "call_1", name: "now", pieces: ['{"zone": "Eur'] };
  const cut = answersWith(kind, [call], "length");
  const stage = await openStage(world, { kind, primary: () => cut, backup: null });
  const outcome = await stage.call({ tools: [zoneTool], maxTokens: 30 });
  assert.deepEqual(outcome.calls, [], "a call that was cut was made");
  assert.notEqual(outcome.stop?.reason, "end", "a cut call ended as an answer");
  saw(stage.primary.log, 2, 2);
}

async function schemaIgnored(world: World, kind: Kind): Promise<void> {
  const stage = await openStage(world, {
    kind,
    primary: () => answers(kind, ["I would say ", "that it is red."]),
    backup: () => answers(kind, [colour]),
  });
  const outcome = await stage.call({ answerSchema: colourSchema });
  assert.equal(outcome.text, colour, `prose was taken for an answer: "${outcome.text}"`);
  saw(stage.primary.log, 2, 2);
  const [first, repair] = stage.primary.log;
  assert.ok((repair?.size ?? 0) > (first?.size ?? 0), "the second request asks for no repair");
}

function* forEver(kind: Kind): Generator<Step> {
  const words = wordsOf(kind);
  yield words.start();
  for (;;) {
    for (let i = 0; i < 10; i += 1) yield words.text("the ");
    yield 5;
  }
}

async function repeats(world: World, kind: Kind): Promise<void> {
  const stage = await openStage(world, {
    kind,
    backup: null,
    host: { total_seconds: 60 },
    primary: () => ({ steps: forEver(kind) }),
  });
  const outcome = await stage.call({ patienceMs: 4000 });
  neverHalf(outcome);
  const { events, stop } = outcome;
  assert.equal(
    stop?.reason,
    "error",
    `it ended with ${stop?.reason} after ${events.length} events`,
  );
  await pause(100);
  assert.ok(
    stage.primary.log.every(({ leftAt }) => leftAt !== undefined),
    "it still goes on there",
  );
}

async function repeatsALittle(world: World, kind: Kind): Promise<void> {
  const laughter = Array.from({ length: 20 }, () => "ha ");
  const primary = () => answers(kind, laughter);
  const { call } = await openStage(world, { kind, backup: null, primary });
  assert.equal((await call()).text, laughter.join(""), "a little repetition was cut");
}

async function thinksOnly(world: World, kind: Kind): Promise<void> {
  const words = wordsOf(kind);
  const thought = { steps: [words.start(), words.thinking("Hmm, let me see."), words.end()] };
  const stage = await openStage(world, { kind, primary: () => thought });
  const outcome = await stage.call();
  answered(outcome, "backup");
  saw(stage.primary.log, 1, 2);
  const once = await openStage(world, {
    kind,
    backup: null,
    primary: inTurn(thought, answers(kind)),
  });
  answered(await once.call(), "primary");
}

const withCallsInPieces = kinds.filter((kind) => kind !== "ollama");

/** Answers that end as they should and are none. */
export const answerCases: readonly FaultCase[] = [
  {
    row: 21,
    failure: "cut at the limit within JSON or a tool call",
    simulated: "half of the JSON, ended by its length",
    required: "not valid: one more attempt with a larger limit, and never half a call",
    run: (world) =>
      inAll([
        ["JSON", () => inEach((kind) => cutJson(world, kind))],
        ["call", () => inEach((kind) => cutCall(world, kind), withCallsInPieces)],
      ]),
  },
  {
    row: 25,
    failure: "schema ignored",
    simulated: "prose in spite of the format",
    required: "checked, one request for repair, then the next deployment",
    run: (world) => inEach((kind) => schemaIgnored(world, kind)),
  },
  {
    row: 26,
    failure: "repeats itself for ever",
    simulated: "one word without end; and twenty of them that are meant",
    required: "ended here and on the server; a little repetition is an answer",
    run: (world) =>
      inEach((kind) =>
        inAll([
          ["without end", () => repeats(world, kind)],
          ["a little", () => repeatsALittle(world, kind)],
        ]),
      ),
  },
  {
    row: 27,
    failure: "thinks and says nothing",
    simulated: "thinking, no text, a proper end",
    required: "once more, then the next deployment",
    run: (world) => inEach((kind) => thinksOnly(world, kind)),
  },
];
