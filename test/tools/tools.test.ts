import { expect, onTestFinished, test } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import type { AskPerson, Fetched } from "../../src/core/tool.ts";
import { sourceOf } from "../../src/core/trust.ts";
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

/** What a model reads of a result. */
function textOf(result: string | Fetched | AskPerson): string {
  if (typeof result === "string") return result;
  return "ask" in result ? result.ask.text : result.text;
}

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
  const found = textOf(await tool.run({ words: "heron", limit: 5 }, context));
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
  const found = textOf(await tool.run({ words: "heron", limit: 5 }, { ...context, chatId }));
  expect(found).toContain("A heron for all.");
  expect(found).not.toMatch(/private|guest|at home/);
});

test("recall_history says where what it finds comes from, and whether others had a part in it", async () => {
  const store = await openStore({ folder: await emptyFolder("recall"), clock: systemClock });
  onTestFinished(() => store.close());
  await store.ensureChat({ id: "terminal:main", platform: "terminal", personId: "owner" });
  const group = { platform: "telegram", address: "-5", kind: "group" } as const;
  const { id: chatId } = await store.chatAt(group, "owner");
  const files = [sourceOf("words"), sourceOf("files")];
  const end = { output: "A bird in a file.", sources: files };
  await store.finishTask(endOf(await store.createTask(request), end));
  const mine = await store.createTask({ ...request, chatId, input: "A stork for all." });
  await store.finishTask(endOf(mine, { output: "Yes.", sources: [sourceOf("words")] }));
  const tool = createRecallHistoryTool(store);
  const sourcesFor = async (words: string) => {
    const found = await tool.run({ words, limit: 5 }, context);
    return typeof found === "object" && "sources" in found ? found.sources : [];
  };
  expect(await sourcesFor("heron")).toEqual(files);
  expect(await sourcesFor("stork")).toEqual([sourceOf("words")]);
  const guest = await store.createTask({ ...request, chatId, personId: "guest" });
  await store.finishTask(endOf(guest));
  expect(await sourcesFor("stork")).toEqual([sourceOf("words"), sourceOf("others")]);
});

test("recall_history finds nothing of another chat that is local-only, and in that chat it does", async () => {
  const store = await openStore({ folder: await emptyFolder("recall"), clock: systemClock });
  onTestFinished(() => store.close());
  await store.ensureChat({ id: "terminal:main", platform: "terminal", personId: "owner" });
  await store.ensureChat({ id: "terminal:diary", platform: "terminal", personId: "owner" });
  await store.createTask({ ...request, chatId: "terminal:diary", input: "My heron." });
  const tool = createRecallHistoryTool(store);
  const findIn = async (chatId: string) =>
    textOf(await tool.run({ words: "heron", limit: 5 }, { ...context, chatId }));
  expect(await findIn("terminal:main")).toContain("My heron.");
  await store.setRule({ rule: "local-only", chatId: "terminal:diary" }, true);
  expect(await findIn("terminal:main")).toBe("Nothing found.");
  expect(await findIn("terminal:diary")).toContain("My heron.");
});
