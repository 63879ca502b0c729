import { describe, expect, onTestFinished, test } from "vitest";

import { AppError, type ErrorCode } from "../../src/core/errors.ts";
import type { ModelStop, TokenUsage } from "../../src/core/model.ts";
import type { Attempt, BudgetEvent } from "../../src/core/route.ts";
import { modelSettingsSchema } from "../../src/core/settings.ts";
import { createPurse, type Paid } from "../../src/models/purse.ts";
import type { Price } from "../../src/models/routing/prices.ts";
import { openStore } from "../../src/store/open-store.ts";
import { chat, request } from "../contract/store.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { emptyFolder } from "../fakes/folder.ts";
import { askWith } from "../fakes/router.ts";

/** A dollar for ten thousand tokens read, and for a thousand written. */
const price: Price = {
  input: { base: 100, tiers: [] },
  output: { base: 1000, tiers: [] },
  source: "table",
};

const noon = Date.parse("2026-11-25T12:00:00Z");

interface Setup {
  readonly budgets?: object;
  readonly priceOf?: (deployment: string) => Price | undefined;
}

/** The purse on a real store, with a task of the chat terminal:main in it. */
async function open({ budgets = {}, priceOf = () => price }: Setup = {}) {
  const folder = await emptyFolder("purse");
  const clock = createFakeClock(noon);
  const store = await openStore({ folder, clock });
  onTestFinished(() => store.close());
  await store.ensureChat(chat);
  const made = await store.createTask(request);
  await store.startTask(made.id);
  const settings = modelSettingsSchema.parse({ budgets, tiers: {} });
  const timeZone = () => Promise.resolve("Europe/Amsterdam");
  const purse = createPurse({
    settings,
    ledger: store,
    clock,
    priceOf: (deployment) => Promise.resolve(priceOf(deployment)),
    timeZone,
  });
  const ids = { last: 0 };

  function order(own: { deployment?: string; promptTokens?: number; maxTokens?: number } = {}) {
    const { deployment = "sonnet", promptTokens = 1000, maxTokens = 100 } = own;
    ids.last += 1;
    const begun: Attempt = {
      id: `attempt-${ids.last}`,
      deployment,
      tier: "cloud-smart",
      reason: "a test",
      outcome: "begun",
      startedAt: clock.now(),
      queuedMs: 0,
      durationMs: 0,
    };
    const ask = askWith({ task: { ...askWith().task, id: made.id } });
    return {
      ask,
      candidate: { deployment, trust: "cloud" as const },
      begun,
      promptTokens,
      maxTokens,
    };
  }

  /** Settles an attempt, and stores it as the step does that it was for. */
  async function settle(paid: Paid, begun: Attempt, usage: TokenUsage, stop: ModelStop = done) {
    const settled = await paid.settle({ usage, stop, promptTokens: 1000, answerTokens: 50 });
    const row = { ...begun, ...settled.tokens, outcome: "ok" as const, taskId: made.id, seq: 1 };
    await store.addSteps(made.id, { steps: [], usage: [row], routes: [] });
    return settled;
  }

  async function pay(tokens: TokenUsage, own: Parameters<typeof order>[0] = {}) {
    const one = order(own);
    const paid = await purse.open(one);
    if ("failure" in paid) return { ...paid, events: [] };
    return settle(paid, one.begun, tokens);
  }

  const rows = () => store.usage(made.id);
  return { clock, store, purse, order, settle, pay, rows };
}

const done: ModelStop = { type: "stop", reason: "end" };

function failed(code: ErrorCode): ModelStop {
  const { failure } = new AppError(code, { model: "m", host: "h", problem: "so", seconds: 9 });
  return { type: "stop", reason: "error", failure };
}

async function paidFor(purse: Awaited<ReturnType<typeof open>>): Promise<Paid> {
  const paid = await purse.purse.open(purse.order());
  if ("failure" in paid) throw paid.failure;
  return paid;
}

function codeOf(paid: Paid | { readonly failure: AppError }): string | undefined {
  return "failure" in paid ? paid.failure.code : undefined;
}

describe("what goes to a cloud", () => {
  test("is reserved at the most that it may cost before anything is sent, and settled at what it cost", async () => {
    const one = await open();
    const order = one.order();
    const paid = await one.purse.open(order);
    if ("failure" in paid) throw paid.failure;
    expect(await one.rows()).toMatchObject([
      { id: order.begun.id, outcome: "begun", costUsd: expect.closeTo(0.2) },
    ]);
    const { tokens } = await one.settle(paid, order.begun, { promptTokens: 900, answerTokens: 10 });
    expect(tokens).toMatchObject({ costUsd: expect.closeTo(0.1), priced: "table" });
    expect(await one.rows()).toMatchObject([
      { id: order.begun.id, outcome: "ok", costUsd: expect.closeTo(0.1) },
    ]);
    expect(tokens).not.toHaveProperty("estimated");
  });

  test("goes only as long as there is room: of two at once with room for one, one is refused", async () => {
    const one = await open({ budgets: { day: 0.3 } });
    const both = await Promise.all([one.purse.open(one.order()), one.purse.open(one.order())]);
    expect(both.map(codeOf)).toEqual([undefined, "model.over-budget"]);
    expect(await one.rows()).toHaveLength(1);
    const failure = both.flatMap((paid) => ("failure" in paid ? paid.failure.message : []));
    expect(failure[0]).toMatch(/budget of \$0\.30 today is spent \(\$0\.20\)/);
  });

  test("leaves room for more once it was settled at less", async () => {
    const one = await open({ budgets: { day: 0.3 } });
    await one.pay({ promptTokens: 100, answerTokens: 10 });
    expect(codeOf(await one.purse.open(one.order()))).toBeUndefined();
    expect(codeOf(await one.purse.open(one.order()))).toBe("model.over-budget");
  });

  test.each([
    ["its deployment", { deployments: { sonnet: { day: 0.25 } } }, { deployment: "gpt" }],
    ["its agent", { agents: { assistant: { month: 0.25 } } }, undefined],
    ["its chat", { chats: { "terminal:main": { day: 0.25 } } }, undefined],
  ])("is held to the cap of %s", async (_, budgets, other) => {
    const one = await open({ budgets });
    expect(codeOf(await one.purse.open(one.order()))).toBeUndefined();
    expect(codeOf(await one.purse.open(one.order()))).toBe("model.over-budget");
    const elsewhere = other === undefined ? "model.over-budget" : undefined;
    expect(codeOf(await one.purse.open(one.order(other)))).toBe(elsewhere);
  });

  test("has its room by the owner's day: of 25 hours, and also when the clock is set back by one", async () => {
    const one = await open({ budgets: { day: 0.2 } });
    const spentAt = (at: string) => {
      one.clock.pass(Date.parse(at) - one.clock.now());
      return one.purse.spentCap(one.order()).then((failure) => failure?.code);
    };
    expect(await spentAt("2026-10-24T22:00:00Z")).toBeUndefined();
    await one.pay({ promptTokens: 1000, answerTokens: 100 });
    expect(await spentAt("2026-10-25T22:59:59Z")).toBe("model.over-budget");
    expect(await spentAt("2026-10-25T23:00:00Z")).toBeUndefined();
    expect(await spentAt("2026-10-25T12:00:00Z")).toBe("model.over-budget");
  });

  test("is not even asked for a price where a cap is spent already", async () => {
    const one = await open({ budgets: { day: 0.2 } });
    expect(await one.purse.spentCap(one.order())).toBeUndefined();
    await one.pay({ promptTokens: 1000, answerTokens: 100 });
    expect((await one.purse.spentCap(one.order()))?.message).toMatch(/\$0\.20 today is spent/);
  });
});

describe("what costs nothing", () => {
  test("is what is answered at home: no cap holds it and nothing is stored for it", async () => {
    const one = await open({ budgets: { day: 0 }, priceOf: () => undefined });
    const order = { ...one.order(), candidate: { deployment: "qwen", trust: "lan" as const } };
    const paid = await one.purse.open(order);
    if ("failure" in paid) throw paid.failure;
    const usage = { promptTokens: 5, answerTokens: 7 };
    const settled = await paid.settle({ usage, stop: done, promptTokens: 1, answerTokens: 1 });
    expect(settled).toEqual({ tokens: { ...usage, costUsd: 0, priced: "home" }, events: [] });
    expect([await one.purse.spentCap(order), await one.rows()]).toEqual([undefined, []]);
  });

  test.each([
    "model.rate-limit",
    "model.wrong-key",
    "model.unavailable",
    "model.bad-request",
  ] as const)("is what was refused before a word: %s", async (code) => {
    const one = await open();
    const paid = await paidFor(one);
    const made = { usage: {}, stop: failed(code), promptTokens: 1000, answerTokens: 0 };
    const { tokens } = await paid.settle(made);
    expect(tokens).toEqual({ promptTokens: 0, answerTokens: 0, costUsd: 0, priced: "table" });
  });
});

describe("what a service did not report", () => {
  test("is estimated, and costs something", async () => {
    const paid = await paidFor(await open());
    const made = { usage: {}, stop: done, promptTokens: 1000, answerTokens: 50 };
    expect((await paid.settle(made)).tokens).toMatchObject({
      promptTokens: 1000,
      answerTokens: 50,
      estimated: true,
      costUsd: expect.closeTo(0.15),
    });
  });

  test("is estimated alone, beside what it did report", async () => {
    const paid = await paidFor(await open());
    const usage = { promptTokens: 700 };
    const made = { usage, stop: done, promptTokens: 1000, answerTokens: 50 };
    expect((await paid.settle(made)).tokens).toMatchObject({
      promptTokens: 700,
      answerTokens: 50,
      estimated: true,
    });
  });

  test.each([
    ["was aborted", { type: "stop", reason: "aborted" } as const, 0],
    ["broke off in the middle", failed("model.truncated"), 50],
    ["said nothing until its deadline", failed("model.timeout"), 0],
  ])("of an answer that %s is estimated, too", async (_, stop, answerTokens) => {
    const paid = await paidFor(await open());
    const { tokens } = await paid.settle({ usage: {}, stop, promptTokens: 1000, answerTokens });
    expect(tokens).toMatchObject({ promptTokens: 1000, answerTokens, estimated: true });
    expect(tokens.costUsd).toBeGreaterThanOrEqual(0.1);
  });

  test("is not guessed away: what was reported of a failure counts", async () => {
    const paid = await paidFor(await open());
    const usage = { promptTokens: 700 };
    const stop = failed("model.failed");
    const { tokens } = await paid.settle({ usage, stop, promptTokens: 1000, answerTokens: 0 });
    expect(tokens).toMatchObject({ promptTokens: 700, costUsd: expect.closeTo(0.07) });
  });
});

describe("what a service itself says it cost", () => {
  test("goes before tokens times price, and before no price at all", async () => {
    const one = await open({
      budgets: { day: null, month: null },
      priceOf: (deployment) => (deployment === "sonnet" ? price : undefined),
    });
    const usage = { promptTokens: 900, answerTokens: 10, costUsd: 0.5 };
    expect(await one.pay(usage)).toMatchObject({
      tokens: { costUsd: 0.5, priced: "service" },
    });
    expect(await one.pay(usage, { deployment: "other" })).toMatchObject({
      tokens: { costUsd: 0.5, priced: "service" },
    });
  });
});

describe("what nobody knows the price of", () => {
  test("is refused while there is any cap, and the sentence says what to do", async () => {
    const one = await open({ priceOf: () => undefined });
    const paid = await one.purse.open(one.order());
    expect(codeOf(paid)).toBe("model.no-price");
    expect("failure" in paid && paid.failure.message).toMatch(/give it a price/);
    expect(await one.rows()).toEqual([]);
  });

  test("goes where there is none, and its cost is then unknown and not nothing", async () => {
    const budgets = { day: null, month: null };
    const one = await open({ budgets, priceOf: () => undefined });
    await one.pay({ promptTokens: 900, answerTokens: 10 });
    const [row] = await one.rows();
    expect(row).toMatchObject({ promptTokens: 900, answerTokens: 10 });
    expect(row).not.toHaveProperty("costUsd");
    expect(row).not.toHaveProperty("priced");
  });
});

describe("half, four fifths and all of a cap", () => {
  const percents = (events: readonly BudgetEvent[]): number[] =>
    events.map(({ percent }) => percent);

  test("are told once each, when what was spent reaches them", async () => {
    const one = await open({ budgets: { day: 1, month: null } });
    const told: number[] = [];
    for (let i = 0; i < 9; i += 1) {
      const { events } = await one.pay({ promptTokens: 500, answerTokens: 60 }, { maxTokens: 60 });
      told.push(...percents(events));
    }
    expect(told).toEqual([50, 80]);
  });

  test("and the last when it is full", async () => {
    const one = await open({ budgets: { day: 0.4, month: null } });
    await one.pay({ promptTokens: 1000, answerTokens: 90 });
    const { events } = await one.pay({ promptTokens: 1000, answerTokens: 110 });
    expect(events).toMatchObject([{ name: "today", percent: 100, capUsd: 0.4 }]);
    expect(events[0]?.spentUsd).toBeCloseTo(0.4);
  });

  test("are told by what was spent, not by what is merely reserved for others", async () => {
    const one = await open({ budgets: { day: 1, month: null } });
    const orders = [one.order(), one.order(), one.order()];
    const paid = await Promise.all(orders.map((order) => one.purse.open(order)));
    const told: number[] = [];
    for (const [at, each] of paid.entries()) {
      const order = orders[at];
      if ("failure" in each || order === undefined) throw new Error("refused");
      const { events } = await one.settle(each, order.begun, {
        promptTokens: 100,
        answerTokens: 10,
      });
      told.push(...percents(events));
    }
    expect(told).toEqual([]);
  });

  test("are told once, also when several attempts end before any of them is stored", async () => {
    const one = await open({ budgets: { day: 1, month: null } });
    const paid = await Promise.all([1, 2, 3, 4].map(() => paidFor(one)));
    const told: number[] = [];
    for (const each of paid) {
      const made = { usage: { promptTokens: 1000, answerTokens: 50 }, stop: done };
      const { events } = await each.settle({ ...made, promptTokens: 1000, answerTokens: 50 });
      told.push(...percents(events));
    }
    expect(told).toEqual([50]);
  });
});
