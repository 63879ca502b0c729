import { describe, expect, onTestFinished, test } from "vitest";

import type { Cap } from "../../src/core/ledger.ts";
import type { UsageRow } from "../../src/core/task.ts";
import { openStore } from "../../src/store/open-store.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { emptyFolder } from "../fakes/folder.ts";

const chat = { id: "terminal:main", platform: "terminal", personId: "owner" };

async function open(folder?: string) {
  const at = folder ?? (await emptyFolder("ledger"));
  const store = await openStore({ folder: at, clock: createFakeClock() });
  onTestFinished(() => store.close());
  await store.ensureChat(chat);
  await store.ensureChat({ ...chat, id: "terminal:other" });
  const request = {
    personId: "owner",
    chosenBy: "default",
    tier: null,
    newConversation: false,
  } as const;
  const create = (own: { chatId: string; agent: string }) =>
    store.createTask({ ...request, ...own, input: "What is a heron?" });
  const task = await create({ chatId: chat.id, agent: "assistant" });
  const other = await create({ chatId: "terminal:other", agent: "researcher" });
  return { folder: at, store, task, other };
}

function row(id: string, taskId: string, own: Partial<UsageRow> = {}): UsageRow {
  return {
    id,
    taskId,
    seq: 1,
    deployment: "sonnet",
    tier: "cloud-smart",
    reason: "a test",
    outcome: "begun",
    startedAt: 1000,
    queuedMs: 0,
    durationMs: 0,
    costUsd: 0.4,
    ...own,
  };
}

function cap(own: Partial<Cap> = {}): Cap {
  return { name: "today", capUsd: 1, since: 0, of: {}, ...own };
}

describe("the ledger", () => {
  test("counts what is reserved, and what it was settled at in its place", async () => {
    const { store, task } = await open();
    expect(await store.spent([cap()])).toEqual([0]);
    expect(await store.reserve(row("a", task.id), [cap()])).toBeUndefined();
    expect(await store.spent([cap()])).toEqual([0.4]);
    await store.startTask(task.id);
    const settled = row("a", task.id, {
      outcome: "ok",
      costUsd: 0.1,
      priced: "table",
      promptTokens: 10,
      answerTokens: 5,
      cacheWrittenTokens: 3,
      estimated: true,
    });
    await store.addSteps(task.id, { steps: [], usage: [settled], routes: [] });
    expect(await store.spent([cap()])).toEqual([0.1]);
    expect(await store.usage(task.id)).toEqual([settled]);
  });

  test("refuses what does not fit under a cap, names the first such cap and stores nothing", async () => {
    const { store, task } = await open();
    const wide = cap({ name: "this month", capUsd: 10 });
    const narrow = cap({ name: "today", capUsd: 0.3 });
    const narrower = cap({ name: "today for this chat", capUsd: 0.2 });
    expect(await store.reserve(row("a", task.id), [wide, narrow, narrower])).toEqual(narrow);
    expect(await store.usage(task.id)).toEqual([]);
    expect(await store.spent([wide])).toEqual([0]);
  });

  test("lets pass what fills a cap to its brim", async () => {
    const { store, task } = await open();
    const brim = cap({ capUsd: 0.8 });
    expect(await store.reserve(row("a", task.id), [brim])).toBeUndefined();
    expect(await store.reserve(row("b", task.id), [brim])).toBeUndefined();
    expect(await store.reserve(row("c", task.id, { costUsd: 0.001 }), [brim])).toEqual(brim);
  });

  test("gives of many at once only as many a place as there is room for", async () => {
    const { store, task } = await open();
    const places = await Promise.all(
      Array.from({ length: 20 }, (_, at) => store.reserve(row(String(at), task.id), [cap()])),
    );
    expect(places.filter((full) => full === undefined)).toHaveLength(2);
    expect(await store.spent([cap()])).toEqual([0.8]);
  });

  test("counts for each cap its own: by deployment, agent, chat, and from a moment on", async () => {
    const { store, task, other } = await open();
    await store.reserve(row("a", task.id, { costUsd: 1 }), []);
    await store.reserve(row("b", task.id, { costUsd: 2, deployment: "gpt" }), []);
    await store.reserve(row("c", other.id, { costUsd: 4 }), []);
    await store.reserve(row("d", other.id, { costUsd: 8, startedAt: 999 }), []);
    const caps = [
      cap(),
      cap({ since: 1000 }),
      cap({ since: 1001 }),
      cap({ of: { deployment: "gpt" } }),
      cap({ of: { agent: "researcher" } }),
      cap({ of: { chatId: chat.id } }),
      cap({ of: { chatId: chat.id, deployment: "sonnet" } }),
      cap({ of: { agent: "nobody" } }),
    ];
    expect(await store.spent(caps)).toEqual([15, 7, 0, 2, 12, 3, 1, 0]);
    expect(await store.spent([])).toEqual([]);
  });

  test("does not count what costs nothing or what nobody knows the cost of", async () => {
    const { store, task } = await open();
    const { costUsd: _, ...unknown } = row("a", task.id);
    await store.reserve(unknown, [cap({ capUsd: 0 })]);
    await store.reserve(row("b", task.id, { costUsd: 0 }), [cap({ capUsd: 0 })]);
    expect(await store.spent([cap()])).toEqual([0]);
    expect((await store.usage(task.id)).map(({ id, costUsd }) => [id, costUsd])).toEqual([
      ["a", undefined],
      ["b", 0],
    ]);
  });

  test("has a reservation on the disk before it says so: a process that dies then has paid the most", async () => {
    const { folder, store, task } = await open();
    await store.reserve(row("a", task.id), [cap()]);
    const commits = store.commits();
    await store.close();
    expect(commits).toBeGreaterThan(0);
    const again = await openStore({ folder, clock: createFakeClock() });
    onTestFinished(() => again.close());
    expect(await again.spent([cap()])).toEqual([0.4]);
    expect(await again.usage(task.id)).toMatchObject([{ id: "a", outcome: "begun" }]);
  });
});
