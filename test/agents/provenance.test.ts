import { expect, onTestFinished, test } from "vitest";

import { createRunner } from "../../src/agents/runner.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { RouteAsk, Router } from "../../src/core/router.ts";
import { sourceOf } from "../../src/core/trust.ts";
import { createScriptedModel } from "../../src/models/clients/scripted.ts";
import { openStore } from "../../src/store/open-store.ts";
import { createRecallHistoryTool } from "../../src/tools/recall-history.ts";
import { endOf, request } from "../contract/store.ts";
import { makeAgent } from "../fakes/agents.ts";
import { emptyFolder } from "../fakes/folder.ts";
import { createFakeLog } from "../fakes/log.ts";
import { createSingleRouter } from "../fakes/router.ts";

test("what a tool recalls keeps where it came from, in the prompt that holds it and in the answer made from that", async () => {
  const store = await openStore({ folder: await emptyFolder("provenance"), clock: systemClock });
  onTestFinished(() => store.close());
  const call = { name: "recall_history", input: { words: "heron" } };
  const script = { scenes: [{ replies: [{ toolCalls: [call] }, { text: "A bird." }] }] };
  const model = createScriptedModel({ id: "scripted", script, clock: systemClock });
  const router = createSingleRouter(model, systemClock);
  const asked: RouteAsk["sources"][] = [];
  const watched: Router = {
    ...router,
    stream(ask, signal) {
      asked.push(ask.sources);
      return router.stream(ask, signal);
    },
  };
  const clock = systemClock;
  const log = createFakeLog((bug) => expect(bug).toBeUndefined());
  const tools = [createRecallHistoryTool(store)];
  const agent = makeAgent({ name: "assistant", tools: ["recall_history"] });
  const runner = createRunner({ store, router: watched, tools, clock, log }, [agent]);
  for (const id of ["terminal:main", "terminal:diary"]) {
    await store.ensureChat({ id, platform: "terminal", personId: "owner" });
  }
  const kept = [sourceOf("words"), sourceOf("files"), sourceOf("kept")];
  const earlier = await store.createTask({ ...request, chatId: "terminal:diary" });
  await store.finishTask(endOf(earlier, { output: "A heron of a file.", sources: kept }));
  const own = { chatId: "terminal:main", personId: "owner" };
  const task = await runner.run({ ...own, words: "What was that bird?" });
  const usual = [sourceOf("instructions"), sourceOf("words")];
  const all = [...usual, sourceOf("memories"), sourceOf("files"), sourceOf("kept")];
  expect(asked).toEqual([usual, all]);
  // Also where the task is taken up again by another process.
  expect((await store.steps(task.id))[1]).toMatchObject({ origin: "memories", sources: kept });
  const next = await store.createTask({ ...request, input: "And then?" });
  const turns = await store.turnsBefore(next, 9);
  expect(turns.at(-1)).toMatchObject({ role: "assistant", sources: all });
});
