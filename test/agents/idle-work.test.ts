import { setImmediate } from "node:timers/promises";

import { describe, expect, onTestFinished, test } from "vitest";

import { workWhenIdle } from "../../src/agents/idle-work.ts";
import type { PersonSettings } from "../../src/core/person.ts";
import type { Model, ModelEvent, ModelRequest } from "../../src/core/model.ts";
import type { Attempt } from "../../src/core/route.ts";
import { modelSettingsSchema } from "../../src/core/settings.ts";
import { createRouter } from "../../src/models/router.ts";
import { createNowTool } from "../../src/tools/now.ts";
import { anyone, makeAgent } from "../fakes/agents.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { askWith, freePurse, noRules, sourcesWith } from "../fakes/router.ts";
import { createNotingLog } from "./phrasings.ts";

const limits = {
  contextTokens: 8192,
  promptBudget: 2000,
  tools: true,
  bare: false,
  maxAnswerTokens: 100,
};

const settings = modelSettingsSchema.parse({
  hosts: { nas: { kind: "scripted", script: "-", max_parallel: 1 } },
  deployments: { small: { host: "nas", model: "m" } },
  tiers: { "local-fast": ["small"] },
});

/** An answer that was measured: a prompt of 1,000 tokens that took so long to read. */
function answered(readMs: number): Attempt {
  return {
    id: "a",
    deployment: "small",
    tier: "local-fast",
    reason: "",
    outcome: "ok",
    startedAt: 0,
    queuedMs: 0,
    durationMs: readMs + 1000,
    firstTokenMs: readMs,
    promptTokens: 1000,
    answerTokens: 20,
  };
}

interface Given {
  /** What the model says of being loaded ahead, in order. */
  readonly loads: boolean[];
  /** Newer answers than the one that was measured. */
  readonly since: readonly Attempt[];
  readonly person: PersonSettings;
}

/** A service with nothing to do, on a host that reads 1,000 tokens in so many milliseconds. */
function setUp(readMs: number, { loads = [], since = [], person = anyone }: Partial<Given> = {}) {
  const clock = createFakeClock();
  const asked: ModelRequest[] = [];
  async function* stream(request: ModelRequest): AsyncGenerator<ModelEvent> {
    asked.push(request);
    yield { type: "text", text: "x" };
    // As its host says, while the clock stands.
    yield { type: "usage", promptTokens: 1000, promptMs: 20_000 };
    yield { type: "stop", reason: "end" };
  }
  const load = () => Promise.resolve(loads.shift() ?? false);
  const model: Model = { id: "small", trust: "local", limits, load, stream };
  const router = createRouter({
    settings,
    clock,
    sources: sourcesWith({ open: () => Promise.resolve(model) }),
    purse: freePurse,
    rulesFor: noRules,
    lastAttempts: () => Promise.resolve([...since, answered(readMs)]),
  });
  const ending = new AbortController();
  onTestFinished(() => ending.abort());
  const store = { person: () => Promise.resolve(person) };
  const agents = [makeAgent({ name: "assistant", tools: ["now"], system_prompt: "Be brief." })];
  const { log, told } = createNotingLog();
  const tools = [createNowTool(clock, store)];
  void workWhenIdle({ store, router, agents, tools, clock, log }, ending.signal);
  const minute = async (): Promise<void> => {
    clock.pass(60_000);
    for (let turns = 0; turns < 20; turns += 1) await setImmediate();
  };
  return { router, asked, told, minute };
}

describe("in idle time", () => {
  test("a host that reads slowly reads what every prompt begins with, once", async () => {
    const { asked, told, minute } = setUp(20_000);
    await minute();
    await minute();
    expect(asked).toMatchObject([
      {
        taskId: null,
        maxTokens: 1,
        messages: [{ role: "system", text: "Be brief." }],
        tools: [{ name: "now" }],
        labels: ["public"],
      },
    ]);
    expect(told).toEqual(["made ready in idle time"]);
  });

  test("a time zone that the person has set is the person's, also there", async () => {
    const { asked, minute } = setUp(20_000, { person: { ...anyone, timeZone: "America/Lima" } });
    await minute();
    expect(asked).toMatchObject([{ labels: ["public", "personal"] }]);
  });

  test("it does so, too, when that host has since been quick with prompts that it may have known", async () => {
    const { router, asked, minute } = setUp(20_000, { since: [answered(100), answered(100)] });
    await Array.fromAsync(router.stream(askWith(), new AbortController().signal));
    const task = { ...askWith().task, agent: "code" };
    await Array.fromAsync(router.stream(askWith({ task }), new AbortController().signal));
    await minute();
    expect(asked.map(({ maxTokens }) => maxTokens)).toEqual([9, 9, 1]);
  });

  test("it does so again when another agent's prompt came in between", async () => {
    const { router, asked, minute } = setUp(20_000);
    await minute();
    const task = { ...askWith().task, agent: "code" };
    await Array.fromAsync(router.stream(askWith({ task }), new AbortController().signal));
    await minute();
    expect(asked.map(({ maxTokens }) => maxTokens)).toEqual([1, 9, 1]);
  });

  test("a host that says itself that it reads slowly is taken at its word", async () => {
    const { router, asked, minute } = setUp(500);
    for (let i = 0; i < 10; i += 1) {
      await Array.fromAsync(router.stream(askWith(), new AbortController().signal));
    }
    const task = { ...askWith().task, agent: "code" };
    await Array.fromAsync(router.stream(askWith({ task }), new AbortController().signal));
    await minute();
    expect(asked.at(-1)?.maxTokens).toBe(1);
  });

  test("a fast one is left alone", async () => {
    const { asked, minute } = setUp(500);
    await minute();
    expect(asked).toEqual([]);
  });

  test("a model is loaded first where that is wanted", async () => {
    const { asked, told, minute } = setUp(20_000, { loads: [true] });
    await minute();
    expect([asked.length, told.length]).toEqual([0, 1]);
    await minute();
    expect([asked.length, told.length]).toEqual([1, 2]);
  });
});
