import { describe, expect, test } from "vitest";

import { createAnswerWriter } from "../../src/cli/answer.ts";
import type { TaskEvent } from "../../src/core/task.ts";
import { createFakeOutput } from "../fakes/output.ts";
import { makeTask } from "../fakes/task.ts";

const task = makeTask({ output: "Whole." });

const chosen = { type: "chosen", deployment: "m", tier: "local-fast", reason: "" } as const;
const tool = { type: "tool", name: "now", input: {}, isError: false } as const;
const text = (words: string) => ({ type: "text", text: words }) as const;
const end = { type: "end", task } as const;

function shown(events: readonly TaskEvent[], stream = true) {
  const { written, output } = createFakeOutput();
  const writer = createAnswerWriter(output, { stream });
  for (const event of events) writer.onEvent(event);
  return written;
}

describe("an answer on a terminal", () => {
  test("that begins anew says so, and is printed from the start", () => {
    const { data, beside } = shown([chosen, text("Half an"), chosen, text("Whole."), end]);
    expect(data).toBe("Half an\nWhole.\n");
    expect(beside).toEqual(["(the answer begins anew)"]);
  });

  test("goes on after a tool, and begins nothing anew where nothing was printed", () => {
    const looked = shown([chosen, text("Let me see. "), tool, chosen, text("Noon."), end]);
    expect(looked.data).toBe("Let me see. Noon.\n");
    expect(looked.beside).toEqual(["now {}"]);
    expect(shown([chosen, text(" "), chosen, text("Whole."), end]).beside).toEqual([]);
    expect(shown([chosen, text("Half"), chosen, text("Whole."), end], false)).toEqual({
      data: "Whole.\n",
      beside: [],
    });
  });

  test("that waits long says so once, and then counts down", () => {
    const { beside } = shown([
      { type: "wait", ahead: 2, expectedMs: 40_000 },
      { type: "wait", ahead: 1, expectedMs: 20_000 },
      { type: "wait", ahead: 0, expectedMs: 900 },
      chosen,
      text("Whole."),
      end,
    ]);
    expect(beside).toEqual([
      "Waiting for the model: 2 before you, about 40 s.",
      "(Waiting for the model: 1 before you, about 20 s.)",
    ]);
  });

  test("has under it what was spent, and that it was cut", () => {
    const budget = { name: "today", percent: 80, spentUsd: 0.8, capUsd: 1 } as const;
    const { beside } = shown([
      chosen,
      text("Whole."),
      { type: "budget", ...budget },
      { type: "cut" },
      end,
    ]);
    expect(beside).toEqual([
      "80 % of the budget of $1.00 today is spent ($0.80).",
      "The answer reached its limit and was cut.",
    ]);
  });
});
