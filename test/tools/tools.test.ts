import { expect, onTestFinished, test } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import { openStore } from "../../src/store/open-store.ts";
import { createNowTool } from "../../src/tools/now.ts";
import { createRecallHistoryTool } from "../../src/tools/recall-history.ts";
import { endOf, request } from "../contract/store.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { emptyFolder } from "../fakes/folder.ts";

const context = {
  taskId: "now",
  personId: "owner",
  chatId: "terminal:main",
  signal: new AbortController().signal,
};

const personIn = (timeZone: string | null) => ({
  person: () => Promise.resolve({ timeZone, language: null }),
});

test("now tells the weekday and the time in the zone that is asked for", async () => {
  const tool = createNowTool(createFakeClock(Date.UTC(2026, 10, 24, 23, 30)), personIn(null));
  const text = await tool.run({ zone: "Asia/Tokyo" }, context);
  expect(text).toMatch(/^Wednesday,? 25 November 2026 at 08:30:00 .*\(Asia\/Tokyo\)$/);
});

test("now tells the time where the person is, when no zone is asked for", async () => {
  const clock = createFakeClock(Date.UTC(2026, 10, 24, 23, 30));
  const text = await createNowTool(clock, personIn("America/Lima")).run({}, context);
  expect(text).toMatch(/24 November 2026 at 18:30:00 .*\(America\/Lima\)$/);
});

test("recall_history finds the person's own earlier tasks and nobody else's", async () => {
  const store = await openStore({ folder: await emptyFolder("recall"), clock: systemClock });
  onTestFinished(() => store.close());
  const other = { id: "telegram:7", platform: "telegram", personId: "guest" };
  await store.ensureChat({ id: "terminal:main", platform: "terminal", personId: "owner" });
  await store.ensureChat(other);
  await store.finishTask(endOf(await store.createTask(request)));
  await store.createTask({
    ...request,
    chatId: other.id,
    personId: other.personId,
    input: "My heron.",
  });
  const tool = createRecallHistoryTool(store);
  const found = await tool.run({ words: "heron", limit: 5 }, context);
  expect(found).toMatch(/asked: What is a heron\?\nanswered: A bird\.$/);
  expect(found).not.toContain("My heron");
  expect(await tool.run({ words: "walrus", limit: 5 }, context)).toBe("Nothing found.");
});

test("recall_history in a group finds the person's own words in it, and nothing private", async () => {
  const store = await openStore({ folder: await emptyFolder("recall"), clock: systemClock });
  onTestFinished(() => store.close());
  await store.ensureChat({ id: "terminal:main", platform: "terminal", personId: "owner" });
  await store.createTask({ ...request, input: "A private heron." });
  const group = { platform: "telegram", address: "-5", kind: "group" } as const;
  const { id: chatId } = await store.chatAt(group, "owner");
  await store.createTask({ ...request, chatId, input: "A heron for all." });
  await store.createTask({ ...request, chatId, personId: "guest", input: "A guest's heron." });
  await store.createTask({ ...request, chatId, input: "A heron at home.", localOnly: true });
  const tool = createRecallHistoryTool(store);
  const found = await tool.run({ words: "heron", limit: 5 }, { ...context, chatId });
  expect(found).toContain("A heron for all.");
  expect(found).not.toMatch(/private|guest|at home/);
});
