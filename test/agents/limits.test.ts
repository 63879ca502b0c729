import { describe, expect, test } from "vitest";

import { canonicalJson, checkLimits } from "../../src/agents/limits.ts";
import type { Step } from "../../src/core/task.ts";
import { makeAgent } from "../fakes/agents.ts";

const agent = makeAgent({ name: "assistant", max_iterations: 3, max_seconds: 10, max_tokens: 100 });

function modelStep(seq: number, ms = 1): Step {
  return {
    kind: "model",
    seq,
    startedAt: 0,
    finishedAt: ms,
    deployment: "scripted",
    text: "",
    toolCalls: [],
    stop: "toolCalls",
  };
}

function toolStep(seq: number, input: unknown): Step {
  const step = { kind: "tool", seq, startedAt: 0, finishedAt: 1 } as const;
  return {
    ...step,
    callId: `${seq}`,
    name: "now",
    input,
    result: "",
    isError: false,
    origin: "instructions",
  };
}

const row = {
  taskId: "t",
  seq: 1,
  deployment: "scripted",
  tier: "local-fast",
  reason: "",
  outcome: "ok",
  id: "a",
  startedAt: 0,
  queuedMs: 0,
  durationMs: 1,
} as const;

describe("the limits of a task", () => {
  test("a task under its limits goes on", () => {
    expect(() => checkLimits(agent, [modelStep(1), toolStep(2, {})], [])).not.toThrow();
  });

  test("model calls are counted", () => {
    const steps = [modelStep(1), modelStep(2), modelStep(3)];
    expect(() => checkLimits(agent, steps, [])).toThrow("its limit of 3 model calls");
  });

  test("only seconds of work count", () => {
    const late = { ...modelStep(1), startedAt: 1_000_000, finishedAt: 1_000_005 };
    expect(() => checkLimits(agent, [late], [])).not.toThrow();
    expect(() => checkLimits(agent, [modelStep(1, 10_000)], [])).toThrow("its limit of 10 seconds");
  });

  test("tokens of all attempts count, unknown ones as none", () => {
    const usage = [{ ...row, promptTokens: 60 }, row, { ...row, answerTokens: 40 }];
    expect(() => checkLimits(agent, [], usage.slice(0, 2))).not.toThrow();
    expect(() => checkLimits(agent, [], usage)).toThrow("its limit of 100 tokens");
  });

  test("what all attempts cost counts, and one whose cost is not known reaches any limit", () => {
    const dear = makeAgent({ name: "assistant", max_cost: 0.5 });
    const paid = (costUsd: number) => ({ ...row, promptTokens: 10, costUsd });
    expect(() => checkLimits(dear, [], [paid(0.25), paid(0.24)])).not.toThrow();
    expect(() => checkLimits(dear, [], [paid(0.25), paid(0.25)])).toThrow("its limit of $0.50");
    const unknown = { ...row, promptTokens: 10 };
    expect(() => checkLimits(dear, [], [unknown])).toThrow("its limit of $0.50");
    expect(() => checkLimits(agent, [], [unknown])).not.toThrow();
  });

  test("the same call three times is a circle, whatever the order of its keys", () => {
    const steps = [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
      { a: 1, b: 2 },
    ].map((input, i) => toolStep(i + 1, input));
    expect(() => checkLimits(agent, steps.slice(0, 2), [])).not.toThrow();
    expect(() => checkLimits(agent, steps, [])).toThrow(
      "asked for now with the same input 3 times",
    );
  });

  test("canonical JSON keeps the order of lists", () => {
    expect(canonicalJson({ b: [2, 1], a: { d: 1, c: 2 } })).toBe('{"a":{"c":2,"d":1},"b":[2,1]}');
  });
});
