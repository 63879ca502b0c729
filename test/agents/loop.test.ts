import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";

import type { LoopDeps } from "../../src/agents/loop.ts";
import { createRunner } from "../../src/agents/runner.ts";
import type { Agent } from "../../src/core/agent.ts";
import { systemClock } from "../../src/core/clock.ts";
import { reasonOf } from "../../src/core/errors.ts";
import type { Model, ModelRequest } from "../../src/core/model.ts";
import type { TaskEvent } from "../../src/core/task.ts";
import type { Tool } from "../../src/core/tool.ts";
import { createScriptedModel, type ScriptedReply } from "../../src/models/clients/scripted.ts";
import { openStore } from "../../src/store/open-store.ts";
import { makeAgent } from "../fakes/agents.ts";
import { emptyFolder } from "../fakes/folder.ts";
import { createFakeLog } from "../fakes/log.ts";
import { createSingleRouter } from "../fakes/router.ts";

const echoInput = z.strictObject({ text: z.string() });

const echo: Tool<z.infer<typeof echoInput>> = {
  name: "echo",
  description: "Gives its text back.",
  input: echoInput,
  risk: "read",
  gives: "instructions",
  run: ({ text }) =>
    text === "boom" ? Promise.reject(new Error("it broke")) : Promise.resolve(`echo ${text}`),
};

const calls = (...texts: unknown[]): ScriptedReply => ({
  toolCalls: texts.map((text) => ({ name: "echo", input: { text } })),
});

async function setUp(
  replies: ScriptedReply[],
  own: { agent?: Partial<Agent>; folder?: string; deps?: Partial<LoopDeps> } = {},
) {
  const folder = own.folder ?? (await emptyFolder("loop"));
  const store = await openStore({ folder, clock: systemClock });
  onTestFinished(() => store.close());
  const requests: ModelRequest[] = [];
  const scripted = createScriptedModel({
    id: "scripted",
    script: { scenes: [{ replies }] },
    clock: systemClock,
  });
  const model: Model = {
    ...scripted,
    stream(request, signal) {
      requests.push(request);
      return scripted.stream(request, signal);
    },
  };
  const bugs: unknown[] = [];
  const runner = createRunner(
    {
      store,
      router: createSingleRouter(model, systemClock),
      tools: [echo],
      clock: systemClock,
      log: createFakeLog((error) => bugs.push(error)),
      ...own.deps,
    },
    [makeAgent({ name: "assistant", tools: ["echo"], ...own.agent })],
  );
  const chat = { id: "terminal:main", platform: "terminal", personId: "owner" };
  await store.ensureChat(chat);
  const say = (words: string, watch: Parameters<typeof runner.run>[1] = {}) =>
    runner.run({ chatId: chat.id, personId: chat.personId, words }, watch);
  return { folder, store, runner, requests, bugs, say };
}

describe("a task", () => {
  test("is answered in one step, and the turn is remembered for the next", async () => {
    const { say, store, requests } = await setUp([{ text: "A bird." }]);
    const events: TaskEvent[] = [];
    const task = await say("What is a heron?", { onEvent: (event) => events.push(event) });
    expect(task).toMatchObject({ state: "done", output: "A bird.", chosenBy: "default" });
    expect(events.map((event) => event.type)).toEqual(["start", "chosen", "text", "end"]);
    expect(await store.task(task.id)).toMatchObject({ state: "done", output: "A bird." });
    expect(await store.usage(task.id)).toMatchObject([
      { seq: 1, outcome: "ok", tier: "local-fast" },
    ]);
    await say("And an egret?");
    expect(requests[1]?.messages.map((message) => message.text)).toEqual([
      "Answer.",
      "What is a heron?",
      "A bird.",
      "And an egret?",
    ]);
  });

  test("calls several tools in a turn and reads their results", async () => {
    const { say, store, requests } = await setUp([calls("a", "b"), { text: "Done." }]);
    const task = await say("echo twice");
    const steps = await store.steps(task.id);
    expect(steps.map((step) => [step.seq, step.kind])).toEqual([
      [1, "model"],
      [2, "tool"],
      [3, "tool"],
      [4, "model"],
    ]);
    const results = requests[1]?.messages.filter((message) => message.role === "tool");
    expect(results?.map((message) => message.text)).toEqual(["echo a", "echo b"]);
  });

  test("what goes wrong in a tool is a message to the model", async () => {
    const wrong: ScriptedReply = { toolCalls: [{ name: "erase", input: {} }] };
    const { say, requests } = await setUp([calls("boom", 7), wrong, { text: "Sorry." }]);
    expect(await say("try")).toMatchObject({ state: "done", output: "Sorry." });
    const said = requests[2]?.messages.flatMap((message) =>
      message.role === "tool" ? [message.text] : [],
    );
    expect(said?.[0]).toBe("echo failed: it broke");
    expect(said?.[1]).toMatch(/^The input of echo is not valid:\n.*expected string/);
    expect(said?.[2]).toBe('There is no tool "erase". Use one of: echo.');
  });

  test("a model's failure is the task's, with its sentence", async () => {
    const { say } = await setUp([{ failure: "model.context-overflow" }]);
    const task = await say("hello");
    expect(task).toMatchObject({ state: "failed", failure: { code: "model.context-overflow" } });
  });

  test("an empty answer is a failure, not silence", async () => {
    const { say } = await setUp([{ text: "  " }]);
    expect((await say("hello")).failure?.code).toBe("model.empty");
  });

  test("the same call over and over is stopped", async () => {
    const { say } = await setUp([calls("a")]);
    expect((await say("go")).failure).toMatchObject({ code: "task.loop" });
  });

  test("ends at its agent's limit of model calls", async () => {
    const replies = ["a", "b", "c", "d"].map((text) => calls(text));
    const { say, requests } = await setUp(replies, { agent: { max_iterations: 2 } });
    expect((await say("go")).failure?.sentence).toContain("its limit of 2 model calls");
    expect(requests).toHaveLength(2);
  });

  test("stopped in the middle keeps what was said", async () => {
    const { say } = await setUp([{ text: "one two three", piece: 4, delay: 20 }]);
    const stop = new AbortController();
    const task = await say("count", {
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === "text") stop.abort();
      },
    });
    expect(task).toMatchObject({ state: "cancelled", output: "one ", failure: null });
  });

  test("tasks of a chat are worked in order", async () => {
    const { say } = await setUp([{ text: "ok", delay: 10 }]);
    const order: string[] = [];
    const watch = {
      onEvent: (event: TaskEvent) => void (event.type === "end" && order.push(event.task.input)),
    };
    await Promise.all(["one", "two", "three"].map((words) => say(words, watch)));
    expect(order).toEqual(["one", "two", "three"]);
  });
});

test("a task left open is resumed from its last stored step", async () => {
  const first = await setUp([calls("a"), { text: "Done." }]);
  const task = await first.store.createTask({
    chatId: "terminal:main",
    personId: "owner",
    agent: "assistant",
    chosenBy: "default",
    tier: null,
    input: "echo a",
    newConversation: false,
  });
  await first.store.startTask(task.id);
  const at = { startedAt: 1, finishedAt: 2 };
  const call = { id: "call-1-1", name: "echo", input: { text: "a" } };
  const asked = { deployment: "scripted", text: "", toolCalls: [call], stop: "toolCalls" } as const;
  await first.store.addSteps(task.id, {
    steps: [{ ...at, ...asked, kind: "model", seq: 1 }],
    usage: [],
    routes: [],
  });
  await first.store.close();
  const second = await setUp([calls("a"), { text: "Done." }], { folder: first.folder });
  const [ended] = await second.runner.resume();
  expect(ended).toMatchObject({ id: task.id, state: "done", output: "Done." });
  expect(second.requests).toHaveLength(1);
  expect(await second.runner.resume()).toEqual([]);
});

test("a task that is left for the next process has what its call took on record, and no step of it", async () => {
  const { say, store, runner, requests } = await setUp([{ text: "A bird.", piece: 1, delay: 200 }]);
  const parked = say("what is a heron?").catch(reasonOf);
  await expect.poll(() => requests).toHaveLength(1);
  await runner.stop(0);
  const [task] = await store.openTasks();
  expect(await parked).toContain("goes on");
  expect(await store.usage(task?.id ?? "")).toMatchObject([{ outcome: "aborted" }]);
  expect(await store.steps(task?.id ?? "")).toEqual([]);
});

test("an open task of an agent that is gone fails by name", async () => {
  const { store, runner } = await setUp([{ text: "ok" }]);
  const task = await store.createTask({
    chatId: "terminal:main",
    personId: "owner",
    agent: "cook",
    chosenBy: "option",
    tier: null,
    input: "soup",
    newConversation: false,
  });
  await store.startTask(task.id);
  expect(await store.steerTask(task.id, { seq: 1, messageId: "2", text: "hot" })).toBe(true);
  expect(await runner.resume()).toMatchObject([
    { id: task.id, failure: { code: "usage.unknown-agent" } },
  ]);
  expect(await store.task(task.id)).toMatchObject({ state: "failed" });
  expect(await store.steps(task.id)).toMatchObject([{ kind: "person", text: "hot" }]);
});

test("a clock that is set forward in the middle of a step is no time that the task has worked", async () => {
  const state = { now: systemClock.now() };
  const clock = { ...systemClock, now: () => (state.now += 86_400_000) };
  const { say } = await setUp([calls("one"), calls("two"), { text: "Done." }], { deps: { clock } });
  expect(await say("go")).toMatchObject({ state: "done", output: "Done." });
});

describe("the files of a task", () => {
  test("are prepared before its first step, told to the model, and to the person under the answer", async () => {
    const notices: string[] = [];
    const { say, requests, store } = await setUp([calls("one"), { text: "Done." }], {
      deps: {
        prepare: () => Promise.resolve({ words: "notes.txt: a heron", notice: "a.jpg is kept" }),
        speech: {
          answer(_, { always }) {
            notices.push(...always);
            return [];
          },
          question: () => [],
        },
      },
    });
    const task = await say("look");
    expect(requests.map(({ messages }) => messages.at(1)?.text)).toEqual([
      "look\n\nnotes.txt: a heron",
      "look\n\nnotes.txt: a heron",
    ]);
    expect(notices).toEqual(["a.jpg is kept"]);
    expect((await store.task(task.id))?.input).toBe("look");
  });

  test("do not hold a task that is stopped while they are fetched", async () => {
    const stop = new AbortController();
    const { say, requests } = await setUp([{ text: "Done." }], {
      deps: {
        prepare: (_, signal) =>
          new Promise((resolve) => {
            signal.addEventListener("abort", () => resolve({ words: "", notice: "" }));
            stop.abort();
          }),
      },
    });
    expect((await say("look", { signal: stop.signal })).state).toBe("cancelled");
    expect(requests).toEqual([]);
  });
});
