import { describe, expect, onTestFinished, test } from "vitest";

import { createRunner } from "../../src/agents/runner.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { Model, ModelRequest } from "../../src/core/model.ts";
import { createScriptedModel } from "../../src/models/clients/scripted.ts";
import { openStore } from "../../src/store/open-store.ts";
import { makeAgent } from "../fakes/agents.ts";
import { emptyFolder } from "../fakes/folder.ts";
import { createFakeLog } from "../fakes/log.ts";
import { createSingleRouter } from "../fakes/router.ts";

const chat = { id: "terminal:main", platform: "terminal", personId: "owner" };

/** A runner whose model has room for few turns, and what it was asked. */
async function setUp(summary: { text?: string; failure?: "model.bad-request"; delay?: number }) {
  const store = await openStore({ folder: await emptyFolder("conversation"), clock: systemClock });
  onTestFinished(() => store.close());
  const requests: ModelRequest[] = [];
  const scripted = createScriptedModel({
    id: "scripted",
    script: {
      scenes: [
        { when: "the conversation goes on", replies: [summary] },
        { replies: [{ text: "Noted. ".repeat(20) }] },
      ],
    },
    clock: systemClock,
    limits: {
      contextTokens: 1000,
      promptBudget: 500,
      tools: true,
      bare: false,
      maxAnswerTokens: 200,
    },
  });
  const model: Model = {
    ...scripted,
    stream(request, signal) {
      requests.push(request);
      return scripted.stream(request, signal);
    },
  };
  const router = createSingleRouter(model, systemClock);
  const log = createFakeLog(() => {});
  const deps = { store, router, tools: [], clock: systemClock, log };
  const runner = createRunner(deps, [makeAgent({ name: "assistant" })]);
  await store.ensureChat(chat);
  const say = (words: string, more: object = {}) =>
    runner.run({ chatId: chat.id, personId: chat.personId, words, ...more });
  return { store, runner, requests, say };
}

const long = (about: string): string => `${about} ${"and more of it ".repeat(60)}`;

const isSummary = ({ messages }: ModelRequest): boolean =>
  messages.some(({ text }) => text.includes("The conversation goes on"));

describe("a conversation that lasts", () => {
  test("what no longer fits is summed up beside the answers, and the summary stands in later prompts", async () => {
    const { store, runner, requests, say } = await setUp({ text: "Ada keeps herons." });
    const task = await say(long("I am Ada and keep herons."));
    await say(long("They eat fish."));
    await say(long("They live by the lake."));
    await expect.poll(() => store.summaryFor(task)).toBeDefined();
    await say("Who am I?");
    const last = requests.findLast((request) => !isSummary(request));
    const texts = last?.messages.map(({ text }) => text).join("\n");
    expect(texts).toContain("What we said before, in short:\nAda keeps herons.");
    expect(texts).not.toContain("I am Ada and keep herons. and more");
    const summary = await store.summaryFor(task);
    expect(summary).toMatchObject({ label: "personal", tainted: false, deployment: "scripted" });
    const turns = await store.turnsBefore({ ...task, id: "none" }, 20);
    expect(turns).toHaveLength(8);
    expect(turns[0]?.text).toContain("I am Ada");
    await runner.stop(1000);
  });

  test("a summary covers what the one before it said", async () => {
    const { store, runner, requests, say } = await setUp({ text: "Ada keeps herons." });
    const task = await say(long("I am Ada and keep herons."));
    await say(long("They eat fish."));
    await say(long("They live by the lake."));
    await expect.poll(() => store.summaryFor(task)).toBeDefined();
    const before = await store.summaryFor(task);
    await say(long("They are grey."));
    await say(long("They are patient."));
    await expect.poll(() => store.summaryFor(task)).not.toEqual(before);
    const asked = requests.findLast(isSummary)?.messages.at(-1)?.text ?? "";
    expect(asked).toMatch(
      /^What was said before:\nAda keeps herons\.\n\nThe conversation goes on:\nPerson: /,
    );
    await runner.stop(1000);
  });

  test("without a summary the newest turns that fit are kept, and nothing fails", async () => {
    const { store, runner, requests, say } = await setUp({ failure: "model.bad-request" });
    const task = await say(long("I am Ada."));
    await say(long("They eat fish."));
    await say(long("They live by the lake."));
    expect(await say("Who am I?")).toMatchObject({ state: "done" });
    await runner.stop(1000);
    expect(requests.some(isSummary)).toBe(true);
    expect(await store.summaryFor(task)).toBeUndefined();
  });

  test("an answer never waits for a summary, and a process that ends does not either", async () => {
    const { store, runner, requests, say } = await setUp({ text: "Late.", delay: 60_000 });
    const task = await say(long("I am Ada."));
    await say(long("They eat fish."));
    await say(long("They live by the lake."));
    await expect.poll(() => requests.some(isSummary)).toBe(true);
    expect(await say("Who am I?")).toMatchObject({ state: "done" });
    await runner.stop(0);
    expect(await store.summaryFor(task)).toBeUndefined();
  });

  test("a new conversation begins without turns and without the summary", async () => {
    const { store, runner, requests, say } = await setUp({ text: "Ada keeps herons." });
    const task = await say(long("I am Ada."));
    await say(long("They eat fish."));
    await say(long("They live by the lake."));
    await expect.poll(() => store.summaryFor(task)).toBeDefined();
    await say("Who am I?", { newConversation: true });
    const last = requests.findLast((request) => !isSummary(request));
    expect(last?.messages.map(({ text }) => text)).toEqual(["Answer.", "Who am I?"]);
    await runner.stop(1000);
  });

  test("the prompt says the person's time zone and language once they are set", async () => {
    const { store, runner, requests, say } = await setUp({ text: "x" });
    await store.setPerson("owner", { timeZone: "Europe/Amsterdam", language: "nl" });
    await say("Hoi");
    expect(requests[0]?.messages[0]?.text).toBe(
      "Answer.\nThe person's time zone is Europe/Amsterdam.\nAnswer in Dutch, unless the person writes in another language.",
    );
    await runner.stop(0);
  });
});
