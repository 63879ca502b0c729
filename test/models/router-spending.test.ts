import { expect, onTestFinished, test } from "vitest";

import { modelSettingsSchema } from "../../src/core/settings.ts";
import { createPurse } from "../../src/models/purse.ts";
import { openStore } from "../../src/store/open-store.ts";
import { chat, request } from "../contract/store.ts";
import { createHurriedClock } from "../fakes/clock.ts";
import { attemptsOf, createFleet, outcomesOf, type Reply } from "../fakes/fleet.ts";
import { emptyFolder } from "../fakes/folder.ts";
import { askWith } from "../fakes/router.ts";

const noon = Date.parse("2026-11-25T12:00:00Z");

/** A cloud of which one answer may cost up to twenty cents, with thirty for the day, over a real store. */
async function open(replies: readonly Reply[], opening?: () => Promise<void>) {
  const clock = createHurriedClock(20_000, noon);
  const store = await openStore({ folder: await emptyFolder("spending"), clock });
  onTestFinished(() => store.close());
  await store.ensureChat(chat);
  const task = await store.createTask(request);
  const settings = {
    cloud: "when-asked",
    hosts: { far: { kind: "anthropic" } },
    deployments: { sonnet: { host: "far", model: "claude-sonnet-5" } },
    budgets: { day: 0.3 },
    tiers: { "cloud-smart": ["sonnet"] },
  };
  const purse = createPurse({
    settings: modelSettingsSchema.parse(settings),
    ledger: store,
    clock,
    priceOf: () =>
      Promise.resolve({
        input: { base: 0, tiers: [] },
        output: { base: 2000, tiers: [] },
        source: "table",
      }),
    timeZone: () => Promise.resolve("Europe/Amsterdam"),
  });
  const opens = opening === undefined ? {} : { opening };
  const fleet = createFleet({ clock, settings, purse, replies: { sonnet: replies }, ...opens });
  const build = () => ({
    messages: [{ role: "user" as const, text: "hi" }],
    tools: [],
    maxTokens: 100,
  });
  const ask = { tier: "cloud-smart", forced: true, build } as const;
  const own = { ...ask, task: { ...askWith().task, id: task.id } };
  return { ...fleet, store, task, run: (signal?: AbortSignal) => fleet.run(own, signal) };
}

test("what was reserved for a try that was refused is free for the next one, before any step is stored", async () => {
  const busy: Reply = { fails: "model.rate-limit" };
  const usage = { promptTokens: 3, answerTokens: 50 };
  const one = await open([busy, busy, { text: ["Well."], usage }]);
  expect(outcomesOf(await one.run())).toEqual([
    "sonnet: model.rate-limit",
    "sonnet: model.rate-limit",
    "sonnet: ok",
  ]);
  const rows = await one.store.usage(one.task.id);
  expect(rows.map(({ outcome, costUsd }) => [outcome, costUsd])).toEqual([
    ["model.rate-limit", 0],
    ["model.rate-limit", 0],
    ["begun", 0.2],
  ]);
});

test("what broke off after it had begun costs what was heard of it", async () => {
  const cut: Reply = { text: ["x".repeat(144)], fails: "model.truncated" };
  const one = await open([cut, { text: ["Well."], usage: { promptTokens: 3, answerTokens: 5 } }]);
  const attempts = attemptsOf(await one.run());
  expect(attempts.map(({ outcome, costUsd, estimated }) => [outcome, costUsd, estimated])).toEqual([
    ["model.truncated", 0.08, true],
    ["ok", 0.01, undefined],
  ]);
});

test("nothing is reserved for what is stopped before it is sent", async () => {
  const stop = new AbortController();
  const one = await open([{ text: ["Well."] }], () => Promise.resolve(stop.abort()));
  expect(outcomesOf(await one.run(stop.signal))).toEqual(["sonnet: aborted"]);
  expect([await one.store.usage(one.task.id), one.asked]).toEqual([[], []]);
});
