import { describe, expect, onTestFinished, test } from "vitest";

import type { RunnerDeps } from "../../src/agents/loop.ts";
import { createRunner } from "../../src/agents/runner.ts";
import { systemClock } from "../../src/core/clock.ts";
import { createScriptedModel } from "../../src/models/clients/scripted.ts";
import { openStore } from "../../src/store/open-store.ts";
import { makeAgent } from "../fakes/agents.ts";
import { emptyFolder } from "../fakes/folder.ts";
import { createFakeLog } from "../fakes/log.ts";
import { createSingleRouter } from "../fakes/router.ts";

const words = "Where did I leave the shears?";

/** A runner with three agents over the data of a folder, as in a process of its own. */
async function start(folder: string, own: Partial<RunnerDeps> = {}) {
  const clock = systemClock;
  const store = await openStore({ folder, clock });
  onTestFinished(() => store.close());
  const script = { scenes: [{ replies: [{ text: "Here." }] }] };
  const router = createSingleRouter(createScriptedModel({ id: "m", script, clock }), clock);
  const deps = { store, router, tools: [], clock, log: createFakeLog(() => {}), ...own };
  const agents = ["assistant", "gardener", "cook"].map((name) => makeAgent({ name }));
  const runner = createRunner(deps, agents);
  const chat = { id: "terminal:main", platform: "terminal", personId: "owner" };
  await store.ensureChat(chat);
  const ask = async (text: string) => {
    const task = await runner.run({ chatId: chat.id, personId: chat.personId, words: text });
    return [task.agent, task.chosenBy, task.input];
  };
  return { store, runner, ask };
}

const sureOfCook = () =>
  Promise.resolve({ votes: [{ agent: "cook", score: 1, threshold: 0.9 }], agent: "cook" });

describe("the owner's word of whose a text is", () => {
  test("holds at once, before the classifier, however the text is spelled, and after a restart", async () => {
    const folder = await emptyFolder("corrections");
    const { runner, ask, store } = await start(folder, { classify: sureOfCook });
    expect(await ask(words)).toEqual(["cook", "classifier", words]);
    await runner.correct({ text: `@cook ${words}`, agent: "gardener" });
    expect(await store.goldLabels()).toEqual([{ text: words, agent: "gardener" }]);
    const loud = "where did I leave THE shears";
    expect(await ask(loud)).toEqual(["gardener", "rule", loud]);
    expect((await ask(`${words} And the hoe?`))[0]).toBe("cook");
    await store.close();
    const later = await start(folder, { classify: sureOfCook });
    expect(await later.ask(words)).toEqual(["gardener", "rule", words]);
    await later.runner.correct({ text: words, agent: "assistant" });
    expect(await later.ask(words)).toEqual(["assistant", "rule", words]);
  });

  test("of an agent that there is not is refused, and nothing is stored", async () => {
    const { runner, store } = await start(await emptyFolder("corrections"));
    await expect(runner.correct({ text: words, agent: "tailor" })).rejects.toThrow(
      'There is no agent "tailor": use one of assistant, gardener, cook',
    );
    expect(await store.goldLabels()).toEqual([]);
  });

  test("is learned when it is stored, and asked for only when that is over", async () => {
    const stored: number[] = [];
    const folder = await emptyFolder("corrections");
    const learning = Promise.withResolvers<boolean>();
    const learn = async (): Promise<boolean> => {
      stored.push((await store.goldLabels()).length);
      return learning.promise;
    };
    const { runner, store } = await start(folder, { learn, classify: sureOfCook });
    const { learned } = await runner.correct({ text: words, agent: "gardener" });
    const votes = runner.votes(words, new AbortController().signal);
    await expect.poll(() => stored).toEqual([1, 1]);
    learning.resolve(true);
    expect(await learned).toBe(true);
    expect(await votes).toMatchObject([
      { stage: "mention", agent: null },
      { stage: "rule", agent: "gardener", why: "the owner said so" },
      { stage: "classifier", agent: "cook" },
      { stage: "model", agent: null },
      { stage: "default", agent: "assistant" },
    ]);
  });
});
