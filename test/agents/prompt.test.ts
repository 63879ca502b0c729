import { isDeepStrictEqual } from "node:util";

import { describe, expect, test } from "vitest";

import { buildPrompt as build, type PromptParts, toolSpec } from "../../src/agents/prompt.ts";
import { systemClock } from "../../src/core/clock.ts";
import { estimateTokens, type ModelLimits, type PromptMessage } from "../../src/core/model.ts";
import type { Summary, Turn } from "../../src/core/task.ts";
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

const summary: Summary = {
  chatId: "chat",
  conversation: 0,
  fromMessage: 0,
  toMessage: 0,
  text: "",
  label: "personal",
  sources: [],
  tainted: false,
  deployment: "small",
  createdAt: 0,
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

  test.each([
    ["many short ones", "yes", { ...limits, contextTokens: 100_000 }],
    ["fewer that fill the room", "word ".repeat(12), limits],
  ])("of a long conversation only grows, but for a summary now and then: %s", (_, text, fit) => {
    const grown = { turns: new Array<Turn>(), summary: undefined as Summary | undefined };
    let before: readonly PromptMessage[] = [];
    const changed: number[] = [];
    for (let at = 0; at < 300; at += 2) {
      const { prompt, left } = build({ ...parts, ...grown, input: `${at} ${text}` }, fit);
      const { messages } = prompt;
      if (!isDeepStrictEqual(messages.slice(0, before.length), before)) changed.push(at);
      before = messages;
      expect(messages.at(-2)?.text).toBe(at === 0 ? "Be brief." : text);
      const said = { taskId: `${at}`, sources: [] };
      grown.turns.push({ ...said, messageId: at, role: "user", text: `${at} ${text}` });
      grown.turns.push({ ...said, messageId: at + 1, role: "assistant", text });
      if (left.length === 0) continue;
      grown.turns.splice(0, left.length);
      grown.summary = { ...summary, text: `up to ${left.at(-1)?.messageId}` };
    }
    // Once when the room is full, and once when what was left out is summed up.
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.length).toBeLessThan(300 / 2 / 4);
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
