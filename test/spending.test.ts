import { expect, onTestFinished, test } from "vitest";

import { logBudgets } from "../src/budget-log.ts";
import type { LogFields } from "../src/core/log.ts";
import type { Runner } from "../src/core/runner.ts";
import { modelSettingsSchema } from "../src/core/settings.ts";
import type { TaskEvent } from "../src/core/task.ts";
import { spendingOf } from "../src/spending.ts";
import { openStore } from "../src/store/open-store.ts";
import { chat, request } from "./contract/store.ts";
import { createFakeClock } from "./fakes/clock.ts";
import { emptyFolder } from "./fakes/folder.ts";
import { createFakeLog } from "./fakes/log.ts";
import { makeTask } from "./fakes/task.ts";

const noon = Date.UTC(2026, 10, 25, 12);

test("what was spent is told of every cap that there is, by its own day and month", async () => {
  const clock = createFakeClock(noon);
  const store = await openStore({ folder: await emptyFolder("spending"), clock });
  onTestFinished(() => store.close());
  await store.ensureChat(chat);
  const task = await store.createTask(request);
  const attempt = (id: string, startedAt: number, costUsd: number) => {
    const row = {
      taskId: task.id,
      seq: 1,
      tier: "cloud-smart",
      reason: "",
      outcome: "ok",
    } as const;
    return { ...row, id, startedAt, costUsd, deployment: "claude", queuedMs: 0, durationMs: 1 };
  };
  await store.reserve(attempt("a", noon - 1000, 0.25), []);
  await store.reserve(attempt("b", noon - 5 * 86_400_000, 0.5), []);
  const { budgets } = modelSettingsSchema.parse({
    budgets: {
      day: 1,
      month: 10,
      deployments: { gpt: { day: 2 }, claude: { month: 3 } },
      agents: { code: { day: 4 } },
      chats: { "terminal:main": { day: 5 } },
    },
    tiers: { "local-fast": [], "local-smart": [], "cloud-smart": [] },
  });
  expect(await spendingOf({ budgets, ledger: store, clock, timeZone: "UTC" })).toEqual([
    { name: "today", spentUsd: 0.25, capUsd: 1 },
    { name: "this month", spentUsd: 0.75, capUsd: 10 },
    { name: "today for gpt", spentUsd: 0, capUsd: 2 },
    { name: "this month for claude", spentUsd: 0.75, capUsd: 3 },
    { name: "today for the agent code", spentUsd: 0, capUsd: 4 },
    { name: "today for terminal:main", spentUsd: 0.25, capUsd: 5 },
  ]);
});

test("a share of a cap that is reached is in the log, whoever watches", async () => {
  const budget = { type: "budget", name: "today", percent: 80, spentUsd: 0.8, capUsd: 1 } as const;
  const task = makeTask();
  const runner: Runner = {
    votes: () => Promise.resolve([]),
    correct: () => Promise.resolve({ learned: Promise.resolve(false) }),
    choose: () => Promise.resolve({ ...task, newConversation: false }),
    isFree: () => true,
    run: (_, watch) => runner.work(task, watch),
    work(worked, watch) {
      watch?.onEvent?.(budget);
      return Promise.resolve(worked);
    },
    stop: () => Promise.resolve(),
    resume: async (watchOf) => [await runner.work(task, watchOf?.(task))],
  };
  const lines: (LogFields | undefined)[] = [];
  const log = {
    ...createFakeLog(() => {}),
    info: (_: string, fields?: LogFields) => void lines.push(fields),
  };
  const seen: TaskEvent[] = [];
  const watch = { onEvent: (event: TaskEvent) => void seen.push(event) };
  const logged = logBudgets(runner, log);
  await logged.run({ chatId: task.chatId, personId: "owner", words: "hi" }, watch);
  await logged.work(task);
  await logged.resume(() => watch);
  await logged.resume();
  expect(seen).toEqual([budget, budget]);
  const line = { cap: "today", percent: 80, spentUsd: 0.8, capUsd: 1 };
  expect(lines).toEqual([line, line, line, line]);
});
