import { describe, expect, test } from "vitest";

import { buildPrompt as build, type PromptParts, toolSpec } from "../../src/agents/prompt.ts";
import { systemClock } from "../../src/core/clock.ts";
import { estimateTokens, type ModelLimits } from "../../src/core/model.ts";
import { createNowTool } from "../../src/tools/now.ts";
import { anyone, makeAgent } from "../fakes/agents.ts";

const limits: ModelLimits = {
  contextTokens: 1000,
  promptBudget: 700,
  tools: true,
  bare: false,
  maxAnswerTokens: 200,
};

const parts: PromptParts = {
  agent: makeAgent({ name: "assistant", system_prompt: "Be brief." }),
  person: anyone,
  specs: [toolSpec(createNowTool(systemClock, { person: () => Promise.resolve(anyone) }))],
  turns: [
    { messageId: 1, role: "user", text: "My name is Ada.", taskId: "1", sources: [] },
    { messageId: 2, role: "assistant", text: "Hello Ada.", taskId: "1", sources: [] },
  ],
  input: "Who am I?",
  steps: [],
};

const buildPrompt = (own: PromptParts, fit: ModelLimits) => build(own, fit).prompt;

describe("the prompt", () => {
  test("holds instructions, turns and the request in that order", () => {
    const { messages, tools } = buildPrompt(parts, limits);
    expect(messages.map((message) => [message.role, message.text])).toEqual([
      ["system", "Be brief."],
      ["user", "My name is Ada."],
      ["assistant", "Hello Ada."],
      ["user", "Who am I?"],
    ]);
    expect(tools.map((tool) => tool.name)).toEqual(["now"]);
    expect(tools[0]?.schema["type"]).toBe("object");
  });

  test("a bare model gets the words alone", () => {
    const request = buildPrompt({ ...parts, turns: [] }, { ...limits, bare: true });
    expect(request.messages).toEqual([{ role: "user", text: "Who am I?" }]);
    expect(request.tools).toEqual([]);
  });

  test("old turns go first when it gets tight, and no answer stays without its question", () => {
    const long = "word ".repeat(600);
    const turns = [
      { messageId: 0, role: "user", text: long, taskId: "0", sources: [] } as const,
      ...parts.turns,
    ];
    expect(buildPrompt({ ...parts, turns }, limits).messages).toHaveLength(4);
    const tight = { ...limits, contextTokens: 270 };
    const kept = buildPrompt({ ...parts, turns: parts.turns.slice(1) }, tight).messages;
    expect(kept.map((message) => message.role)).toEqual(["system", "user"]);
  });

  test("instructions that take too much of every prompt are refused by file", () => {
    const agent = makeAgent({ name: "assistant", system_prompt: "word ".repeat(1000) });
    expect(() => buildPrompt({ ...parts, agent }, limits)).toThrow(
      /^config\/agents\/assistant\.yaml: its instructions and tools take about \d+ tokens, and 700 fit/,
    );
  });

  test("its beginning is the same for every request, so that prompt caches hold", () => {
    const one = buildPrompt({ ...parts, turns: [] }, limits);
    const two = buildPrompt({ ...parts, turns: [], input: "Another." }, limits);
    expect([one.messages[0], one.tools]).toEqual([two.messages[0], two.tools]);
  });

  test("steps follow the request, tool results with the call they answer", () => {
    const call = { id: "c1", name: "now", input: {} };
    const at = { startedAt: 0, finishedAt: 1 };
    const { messages } = buildPrompt(
      {
        ...parts,
        turns: [],
        steps: [
          {
            ...at,
            kind: "model",
            seq: 1,
            deployment: "m",
            text: "",
            toolCalls: [call],
            stop: "toolCalls",
          },
          {
            ...at,
            kind: "tool",
            seq: 2,
            callId: "c1",
            name: "now",
            input: {},
            result: "noon",
            isError: false,
            origin: "instructions",
          },
        ],
      },
      limits,
    );
    expect(messages.slice(2)).toEqual([
      { role: "assistant", text: "", toolCalls: [call] },
      { role: "tool", callId: "c1", name: "now", text: "noon" },
    ]);
  });

  test("holds what is told of files after the words, and cuts it where it does not fit", () => {
    const files = "These files came with the message.";
    const whole = buildPrompt({ ...parts, turns: [], files }, limits).messages.at(-1);
    expect(whole?.text).toBe(`Who am I?\n\n${files}`);
    expect(buildPrompt({ ...parts, input: "", files }, limits).messages.at(-1)?.text).toBe(files);
    const long = buildPrompt({ ...parts, files: "🐦".repeat(10_000) }, limits).messages;
    expect(long.map((message) => message.role)).toEqual(["system", "user"]);
    const text = long.at(-1)?.text ?? "";
    expect(text).toMatch(/^Who am I\?\n\n🐦+�?\n\[Cut here/u);
    const { contextTokens, maxAnswerTokens } = limits;
    expect(estimateTokens(text)).toBeLessThan(contextTokens - maxAnswerTokens);
    expect(estimateTokens(text)).toBeGreaterThan(contextTokens / 2);
  });
});
