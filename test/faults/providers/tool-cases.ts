import assert from "node:assert/strict";

import { chunk, openaiWords } from "../../fakes/providers/openai-words.ts";
import type { Reply } from "../../fakes/providers/perform.ts";
import type { Seen } from "../../fakes/providers/server.ts";
import { wordsOf } from "../../fakes/providers/speak.ts";
import type { Kind, SaidCall } from "../../fakes/providers/words.ts";

import type { FaultCase } from "./fault-case.ts";
import { inAll, inEach, saw } from "./judge.ts";
import { runTask } from "./loop.ts";
import { answers, inTurn, openStage, whole, type World } from "./stage.ts";

/** A tool with an input that can be wrong. */
export const zoneTool = {
  name: "now",
  gives: "instructions",
  description: "The current time.",
  schema: {
    type: "object",
    properties: { zone: { type: "string" } },
    required: ["zone"],
    additionalProperties: false,
  },
} as const;

/** An answer of these calls and nothing else. */
export function answersWith(
  kind: Kind,
  said: readonly SaidCall[],
  reason: "toolCalls" | "length" = "toolCalls",
): Reply {
  const words = wordsOf(kind);
  return { steps: [words.start(), ...said.map((call) => words.call(call)), words.end({ reason })] };
}

async function asText(world: World, kind: Kind): Promise<void> {
  const texts = [
    '```json\n{"name": "now", "arguments": {"zone": "UTC"}}\n```',
    '{"name": "now", "arguments": {"zone": 5}}',
    '{"name": "later", "arguments": {"zone": "UTC"}}',
    'Call it so: {"name": "now", "arguments": {"zone": "UTC"}}',
  ];
  const made: string[] = [];
  const { call } = await openStage(world, {
    kind,
    backup: null,
    primary: ({ attempt }) => answers(kind, [texts[attempt - 1] ?? ""]),
  });
  for (const text of texts) {
    const outcome = await call({ tools: [zoneTool] });
    if (outcome.calls.length > 0) made.push(text);
    else assert.equal(outcome.text, text, "the text changed");
  }
  assert.deepEqual(made, texts.slice(0, 1), `taken for calls: ${JSON.stringify(made)}`);
}

const odd: readonly SaidCall[] = [
  { index: 0, id: "same", name: "later", pieces: ['{"zone": "UTC"}'] },
  { index: 1, id: "same", name: "now", pieces: ['{"zone": 5}'] },
  { index: 2, id: "", name: "now", pieces: ['{"zone": "UTC"}'] },
];

/** What a tool's result says, as each API carries it. */
function resultsOf(seen: Seen | undefined): string {
  return JSON.stringify(seen?.body.messages ?? []);
}

async function oddCalls(world: World, kind: Kind): Promise<void> {
  const stage = await openStage(world, {
    kind,
    backup: null,
    primary: inTurn(answersWith(kind, odd), answers(kind)),
  });
  const outcome = await stage.call({ tools: [zoneTool] });
  const ids = outcome.calls.map(({ id }) => id);
  assert.equal(ids.length, odd.length, `${ids.length} calls came`);
  assert.equal(new Set(ids).size, odd.length, `ids: ${ids.join(", ")}`);
  assert.ok(!ids.includes(""), "a call without an id");
}

async function oddCallsInTask(world: World, kind: Kind): Promise<void> {
  const stage = await openStage(world, {
    kind,
    backup: null,
    primary: inTurn(answersWith(kind, odd), answers(kind)),
  });
  const task = await runTask(world, stage.subject.router);
  assert.deepEqual([task.state, task.output], ["done", whole], `the task is ${task.state}`);
  saw(stage.primary.log, 2, 2);
  const told = resultsOf(stage.primary.log[1]);
  assert.ok(told.includes("There is no tool"), "the model is not told of the unknown tool");
  assert.ok(told.includes("is not valid"), "the model is not told of the wrong input");
  const never = await openStage(world, {
    kind,
    backup: null,
    primary: () => answersWith(kind, odd.slice(0, 1)),
  });
  const { state } = await runTask(world, never.subject.router);
  assert.equal(state, "failed", `a task without end is ${state}`);
  saw(never.primary.log, 2, 10);
}

const reassembled = [
  ["now", { zone: "Europe/Amsterdam" }],
  ["now", { zone: "UTC" }],
];

async function fragments(world: World, kind: Kind, reply: Reply): Promise<void> {
  const { call } = await openStage(world, { kind, backup: null, primary: () => reply });
  const { calls, stop } = await call({ tools: [zoneTool] });
  assert.deepEqual(
    calls.map(({ name, input }) => [name, input]),
    reassembled,
    `put together to ${JSON.stringify(calls)}`,
  );
  assert.equal(stop?.reason, "toolCalls", `ended with ${stop?.reason}`);
}

function mixedIndices(): Reply {
  const piece = (index: number, text: string) => ({ index, function: { arguments: text } });
  const begin = (index: number, id: string) => ({
    index,
    id,
    type: "function",
    function: { name: "now", arguments: "" },
  });
  const said = (...deltas: object[]): string => chunk({ tool_calls: deltas });
  return {
    steps: [
      openaiWords.start(),
      said(begin(0, "call_a")),
      said(begin(1, "call_b"), piece(0, '{"zone": "Eu')),
      said(piece(1, '{"zo')),
      said(piece(0, "rope/Amst"), piece(1, 'ne": "UTC"')),
      said(piece(1, "}"), piece(0, 'erdam"}')),
      openaiWords.end({ reason: "toolCalls" }),
    ],
  };
}

const inPieces: readonly SaidCall[] = [
  {
    index: 0,
    id: "a",
    name: "now",
    pieces: ["", '{"zone": ', '"Europe/', 'Amsterdam"}'],
  },
  { index: 1, id: "b", name: "now", pieces: ["", '{"zone": "U', 'TC"}'] },
];

/** Calls of tools, and what models make of them. */
export const toolCases: readonly FaultCase[] = [
  {
    row: 22,
    failure: "tool call as text",
    simulated: "JSON in a fence; with a wrong input, an unknown tool, and words around it",
    required: "a call exactly where tool and input are valid, text otherwise",
    run: (world) => inEach((kind) => asText(world, kind), ["ollama", "openai"]),
  },
  {
    row: 23,
    failure: "unknown tool, wrong input, ids twice or missing",
    simulated: "three such calls in one answer; and one of them for ever",
    required: "ids are made unique, the model is told what is wrong, and the task ends",
    run: (world) =>
      inEach((kind) =>
        inAll([
          ["ids", () => oddCalls(world, kind)],
          ["task", () => oddCallsInTask(world, kind)],
        ]),
      ),
  },
  {
    row: 24,
    failure: "arguments in fragments",
    simulated: "an empty first one, mixed indices, several lines",
    required: "put together exactly",
    run: (world) =>
      inAll([
        ["anthropic", () => fragments(world, "anthropic", answersWith("anthropic", inPieces))],
        ["ollama", () => fragments(world, "ollama", answersWith("ollama", inPieces))],
        ["openai", () => fragments(world, "openai", mixedIndices())],
      ]),
  },
];
