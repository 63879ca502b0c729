import { describe, expect, test } from "vitest";

import type { NewTask, Store, TaskEnd } from "../../src/core/store.ts";
import type { Step, Task, UsageRow } from "../../src/core/task.ts";
import { sourceOf } from "../../src/core/trust.ts";

export const chat = { id: "terminal:main", platform: "terminal", personId: "owner" };

export const request: NewTask = {
  chatId: chat.id,
  personId: chat.personId,
  agent: "assistant",
  chosenBy: "default" as const,
  tier: null,
  input: "What is a heron?",
  newConversation: false,
};

export function endOf(task: Task, own: Partial<TaskEnd> = {}): TaskEnd {
  const done = { steps: [], usage: [], routes: [] } as const;
  const end = { state: "done", output: "A bird.", failure: null, sources: [] } as const;
  return { taskId: task.id, ...end, ...done, ...own };
}

function modelStep(seq: number, text: string): Step {
  return {
    kind: "model",
    seq,
    startedAt: 1,
    finishedAt: 2,
    deployment: "scripted",
    text,
    toolCalls: [{ id: "c1", name: "now", input: { zone: "UTC" } }],
    stop: "toolCalls",
  };
}

function usageRow(task: Task, seq: number, own: Partial<UsageRow> = {}): UsageRow {
  return {
    taskId: task.id,
    seq,
    id: `${task.id}-${seq}`,
    deployment: "scripted",
    tier: "local-fast",
    reason: "a test",
    outcome: "ok",
    startedAt: 10,
    queuedMs: 4,
    durationMs: 20,
    promptTokens: 5,
    answerTokens: 7,
    ...own,
  };
}

/** What every store must do; `open` gives an empty one. */
export function storeContract(name: string, open: () => Promise<Store>): void {
  async function ready(): Promise<Store> {
    const store = await open();
    await store.ensureChat(chat);
    return store;
  }

  describe(`${name} keeps the contract of a store`, () => {
    test("a task goes from queued to running to done, once each", async () => {
      const store = await ready();
      const task = await store.createTask(request);
      expect(task).toMatchObject({ state: "queued", input: request.input, output: null });
      expect(await store.startTask(task.id)).toMatchObject({ id: task.id, state: "running" });
      expect(await store.startTask(task.id)).toMatchObject({ state: "running" });
      expect(await store.finishTask(endOf(task))).toBe("ended");
      expect(await store.startTask(task.id)).toBeUndefined();
      expect(await store.finishTask(endOf(task, { output: "Another." }))).toBe("over");
      expect(await store.task(task.id)).toMatchObject({ state: "done", output: "A bird." });
    });

    test("steps and usage come back as they were stored", async () => {
      const store = await ready();
      const task = await store.createTask(request);
      await store.addSteps(task.id, {
        steps: [modelStep(1, "first")],
        usage: [usageRow(task, 1)],
        routes: [],
      });
      const failure = { code: "model.timeout", sentence: "It said nothing." } as const;
      const usage = [usageRow(task, 2, { outcome: "model.timeout", firstTokenMs: 3 })];
      await store.finishTask(
        endOf(task, { state: "failed", failure, steps: [modelStep(2, "")], usage }),
      );
      expect(await store.steps(task.id)).toEqual([modelStep(1, "first"), modelStep(2, "")]);
      expect(await store.usage(task.id)).toEqual([usageRow(task, 1), ...usage]);
      expect((await store.task(task.id))?.failure).toEqual(failure);
    });

    test("a step that is stored already is left as it is", async () => {
      const store = await ready();
      const task = await store.createTask(request);
      await store.addSteps(task.id, {
        steps: [modelStep(1, "first")],
        usage: [usageRow(task, 1)],
        routes: [],
      });
      await store.addSteps(task.id, {
        steps: [modelStep(1, "second")],
        usage: [usageRow(task, 1)],
        routes: [],
      });
      expect(await store.steps(task.id)).toEqual([modelStep(1, "first")]);
      expect(await store.usage(task.id)).toHaveLength(1);
    });

    test("open tasks are the queued and running ones, oldest first", async () => {
      const store = await ready();
      const [one, two, three] = await Promise.all([1, 2, 3].map(() => store.createTask(request)));
      if (one === undefined || two === undefined || three === undefined)
        throw new Error("no tasks");
      await store.startTask(one.id);
      await store.finishTask(endOf(two));
      expect((await store.openTasks()).map((task) => task.id)).toEqual([one.id, three.id]);
    });

    test("turns are those of the same conversation whose tasks were answered", async () => {
      const store = await ready();
      const before = await store.createTask({ ...request, input: "Before." });
      await store.finishTask(endOf(before));
      const first = await store.createTask({ ...request, input: "First.", newConversation: true });
      await store.finishTask(endOf(first, { output: "Yes.", sources: [sourceOf("web")] }));
      const broken = await store.createTask({ ...request, input: "Broken." });
      await store.finishTask(endOf(broken, { state: "failed", output: "Half" }));
      const task = await store.createTask(request);
      expect(task.conversation).toBe(first.conversation);
      const turn = { messageId: expect.any(Number), taskId: first.id };
      expect(await store.turnsBefore(task, 10)).toEqual([
        { ...turn, role: "user", text: "First.", sources: [sourceOf("words")] },
        { ...turn, role: "assistant", text: "Yes.", sources: [sourceOf("web")] },
      ]);
      expect(await store.turnsBefore(task, 1)).toHaveLength(1);
    });

    test("turns of what was asked to stay at home say so", async () => {
      const store = await ready();
      const kept = await store.createTask({ ...request, input: "Mine.", localOnly: true });
      await store.finishTask(endOf(kept, { output: "Yes.", sources: [sourceOf("words")] }));
      const turns = await store.turnsBefore(await store.createTask(request), 2);
      const both = [sourceOf("words"), sourceOf("kept")];
      expect(turns.map(({ sources }) => sources)).toEqual([both, both]);
    });

    test("search finds words of requests and answers, by prefix, all of them", async () => {
      const store = await ready();
      const one = await store.createTask(request);
      await store.finishTask(endOf(one, { output: "A tall grey bird." }));
      await store.createTask({ ...request, input: "Grüße an Zoë" });
      const find = async (search: string) =>
        (await store.tasks({ limit: 5, search })).map((task) => task.input);
      expect(await find("heron grey")).toEqual([request.input]);
      expect(await find("her bir")).toEqual([request.input]);
      expect(await find("heron blue")).toEqual([]);
      expect(await find("gruße zoe")).toEqual(["Grüße an Zoë"]);
    });

    test("a task is found by the end of its id, in any case", async () => {
      const store = await ready();
      const task = await store.createTask(request);
      expect(await store.tasksEnding(task.id.slice(-6).toLowerCase())).toEqual([task]);
      expect(await store.tasksEnding(task.id.slice(-3))).toEqual([task]);
      expect(await store.tasksEnding("%")).toEqual([]);
    });

    test("totals count tasks by state and usage by deployment", async () => {
      const store = await ready();
      const task = await store.createTask(request);
      const usage = [usageRow(task, 1), usageRow(task, 2, { outcome: "model.timeout" })];
      await store.finishTask(endOf(task, { usage }));
      const { tasks, models } = await store.stats(0);
      expect(tasks).toMatchObject({ done: 1, queued: 0 });
      expect(models).toEqual([
        {
          name: "scripted",
          calls: 2,
          failures: 1,
          promptTokens: 10,
          answerTokens: 14,
          durationMs: 40,
          costUsd: 0,
          unpriced: 2,
        },
      ]);
      expect((await store.stats(Date.now() + 1000)).tasks.done).toBe(0);
    });

    test("totals tell tiers, days, and the cost apart from what is not known of it", async () => {
      const store = await ready();
      const task = await store.createTask(request);
      const usage = [usageRow(task, 1, { costUsd: 0.25 }), usageRow(task, 2)];
      await store.finishTask(endOf(task, { usage }));
      const { tiers, perDay } = await store.stats(0);
      expect(tiers).toMatchObject([{ calls: 2, costUsd: 0.25, unpriced: 1 }]);
      expect(perDay).toEqual([{ date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/), tasks: 1 }]);
    });

    test("a person has the settings that were given, one by one", async () => {
      const store = await ready();
      expect(await store.person("nobody")).toEqual({ timeZone: null, language: null });
      await store.setPerson("owner", { timeZone: "Europe/Amsterdam" });
      await store.setPerson("owner", { language: "nl" });
      expect(await store.person("owner")).toEqual({ timeZone: "Europe/Amsterdam", language: "nl" });
      await store.setPerson("owner", { language: null });
      expect(await store.person("owner")).toMatchObject({ language: null });
    });

    test("a task that is asked for again by its id is the same one", async () => {
      const store = await ready();
      const id = "01M86MDKGTFGP2C4";
      const first = await store.createTask({ ...request, id });
      const second = await store.createTask({ ...request, id, input: "Another." });
      expect([first.id, second]).toEqual([id, first]);
      expect(await store.tasks({ limit: 5 })).toHaveLength(1);
    });

    test("tasks can be read page by page, oldest first", async () => {
      const store = await ready();
      const all = [];
      for (let i = 0; i < 5; i += 1) {
        const id = `01M86MDKGTFGP2C${i}`;
        all.push(await store.createTask({ ...request, id }));
      }
      const first = await store.tasksAfter(null, 3);
      const second = await store.tasksAfter(first.at(-1)?.id ?? "", 3);
      expect([...first, ...second]).toEqual(all);
    });

    test("the newest summary of a conversation is found, with what it used", async () => {
      const store = await ready();
      const task = await store.createTask(request);
      const summary = {
        chatId: task.chatId,
        conversation: task.conversation,
        fromMessage: 1,
        toMessage: 4,
        text: "They spoke of herons.",
        label: "personal",
        sources: [sourceOf("words")],
        tainted: false,
        deployment: "scripted",
        createdAt: 5,
      } as const;
      expect(await store.summaryFor(task)).toBeUndefined();
      await store.addSummary(summary, { usage: [usageRow(task, 0)], routes: [] });
      const none = { usage: [], routes: [] };
      await store.addSummary({ ...summary, toMessage: 8, text: "And of storks." }, none);
      expect(await store.summaryFor(task)).toEqual({
        ...summary,
        toMessage: 8,
        text: "And of storks.",
      });
      expect(await store.summaryFor({ ...task, conversation: 9 })).toBeUndefined();
      expect(await store.usage(task.id)).toHaveLength(1);
    });

    test("a conversation holds the words of others once one of them was answered in it", async () => {
      const store = await ready();
      const mine = await store.createTask(request);
      expect(await store.holdsOthers(mine)).toBe(false);
      const other = await store.createTask({ ...request, personId: "bob" });
      expect(await store.holdsOthers(mine)).toBe(false);
      await store.finishTask(endOf(other));
      expect([await store.holdsOthers(mine), await store.holdsOthers(other)]).toEqual([
        true,
        false,
      ]);
      const next = await store.createTask({ ...request, newConversation: true });
      expect(await store.holdsOthers(next)).toBe(false);
    });

    test("a receipt is replaced by the one of the same id", async () => {
      const store = await ready();
      const task = await store.createTask(request);
      const receipt = {
        id: "r1",
        taskId: task.id,
        purpose: "model",
        host: "127.0.0.1:11434",
        trust: "local",
        at: 5,
        headBytesOut: 0,
        bodyBytesOut: 0,
        headBytesIn: 0,
        bodyBytesIn: 0,
        sha256Out: "aa",
        sha256In: null,
        labels: ["personal"],
        redactions: 2,
        status: null,
      } as const;
      await store.putReceipt(receipt);
      const answered = { ...receipt, bodyBytesIn: 9, sha256In: "bb", status: 200 };
      await store.putReceipt(answered);
      expect(await store.receipts(task.id)).toEqual([answered]);
      // Also where the second comes before the first is stored.
      await Promise.all([receipt, answered].map((one) => store.putReceipt({ ...one, id: "r2" })));
      expect(await store.receipts(task.id)).toEqual([answered, { ...answered, id: "r2" }]);
    });
  });
}
