import { cp, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import type { ModelEvent } from "../../src/core/model.ts";
import type { Child, Spawn } from "../../src/core/process.ts";
import { createEmbeddedModel, type EmbeddedOptions } from "../../src/models/embedded/model.ts";
import { createSpawn } from "../../src/sandbox/spawn.ts";
import { ask, eventsOf, modelContract, nowSpec, stopOf, textOf } from "../contract/model.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { emptyFolder } from "../fakes/folder.ts";

import { findStarter } from "./starter.ts";

const root = path.join(import.meta.dirname, "../..");
const starter = await findStarter(await readFile(path.join(root, "config/models.yaml"), "utf8"));
const spawn = createSpawn();

function open(own: Partial<EmbeddedOptions> = {}) {
  const model = createEmbeddedModel({
    id: "smollm2-135m",
    name: "smollm2-135m",
    file: starter.file ?? "",
    limits: {
      contextTokens: 1024,
      promptBudget: 700,
      tools: true,
      bare: true,
      maxAnswerTokens: 64,
    },
    spawn,
    env: {},
    clock: systemClock,
    ...own,
  });
  onTestFinished(() => model.close());
  return model;
}

/** A spawn that remembers its children. */
function watchedSpawn(): { readonly spawn: Spawn; readonly children: readonly Child[] } {
  const children: Child[] = [];
  return {
    children,
    spawn(options) {
      const child = spawn(options);
      children.push(child);
      return child;
    },
  };
}

const story = ask("Tell me a long story about a river.", { maxTokens: 400 });

/** A real model on a machine that is busy with other tests. */
const timeout = 120_000;

describe.skipIf(starter.file === undefined)(
  `the embedded model ${starter.reason}`,
  { timeout },
  () => {
    modelContract("The starter", () => Promise.resolve({ model: open(), long: story }));

    test("a second turn reads only what is new", async () => {
      const model = open();
      const question = "My favourite colour is green and my dog is called Rex. ".repeat(8);
      const first = await eventsOf(model, ask(question));
      const again = await eventsOf(model, {
        ...ask("And now?"),
        messages: [
          { role: "user", text: question },
          { role: "assistant", text: textOf(first) },
          { role: "user", text: "And now?" },
        ],
      });
      const usage = again.find((event) => event.type === "usage");
      expect(usage?.cachedTokens).toBeGreaterThan(100);
      expect((usage?.promptTokens ?? 0) - (usage?.cachedTokens ?? 0)).toBeLessThan(30);
    });

    test("the whole first prompt for hello is at most 60 tokens", async () => {
      const usage = (await eventsOf(open(), ask("hello"))).find((event) => event.type === "usage");
      expect(usage?.promptTokens).toBeLessThanOrEqual(60);
    });

    test("a schema holds, whatever the model would say", async () => {
      const answerSchema = {
        type: "object",
        properties: { colour: { enum: ["red", "green"] }, count: { type: "integer" } },
        required: ["colour", "count"],
        additionalProperties: false,
      };
      const text = textOf(
        await eventsOf(open(), ask("A colour and a number?", { answerSchema, maxTokens: 100 })),
      );
      expect(JSON.parse(text)).toMatchObject({ colour: expect.stringMatching(/^(red|green)$/) });
    });

    test("a prompt with tools and their results is taken", async () => {
      const call = { id: "c1", name: "now", input: { zone: "UTC" } };
      const events = await eventsOf(open(), {
        ...ask("time?", { tools: [nowSpec] }),
        messages: [
          { role: "user", text: "What time is it?" },
          { role: "assistant", text: "", toolCalls: [call] },
          { role: "tool", callId: "c1", name: "now", text: "It is noon." },
        ],
      });
      expect(stopOf(events)?.failure).toBeUndefined();
    });

    test("a process killed in the middle of an answer is a failure, and the next request is answered", async () => {
      const watched = watchedSpawn();
      const model = open({ spawn: watched.spawn });
      const events: ModelEvent[] = [];
      for await (const event of model.stream(story, new AbortController().signal)) {
        events.push(event);
        if (event.type === "text") watched.children[0]?.kill("SIGKILL");
      }
      expect(stopOf(events)?.failure?.code).toBe("model.crashed");
      expect(textOf(await eventsOf(model, ask("hello")))).not.toBe("");
      expect(watched.children).toHaveLength(2);
    });

    test("a process that dies before its first word is started again, once", async () => {
      const mortal = (deaths: number) => {
        const watched = watchedSpawn();
        const dying: Spawn = (options) => {
          const child = watched.spawn(options);
          const dies = watched.children.length <= deaths;
          const send = (message: unknown): void => {
            const isQuestion = JSON.stringify(message).includes('"answer"');
            if (dies && isQuestion) child.kill("SIGKILL");
            else child.send(message);
          };
          return { ...child, send };
        };
        return { spawn: dying, children: watched.children };
      };
      const once = mortal(1);
      expect(textOf(await eventsOf(open({ spawn: once.spawn }), ask("hello")))).not.toBe("");
      const twice = mortal(2);
      const events = await eventsOf(open({ spawn: twice.spawn }), ask("hello"));
      expect([stopOf(events)?.failure?.code, twice.children.length]).toEqual(["model.crashed", 2]);
    });

    test("an abort while the prompt is read is an abort, not a failure", async () => {
      const watched = watchedSpawn();
      // However slow the machine is, the process is given the time to stop by itself.
      const model = open({ spawn: watched.spawn, clock: createFakeClock() });
      await eventsOf(model, ask("hello", { maxTokens: 1 }));
      const abort = new AbortController();
      const events = eventsOf(model, ask("one two three ".repeat(40)), abort.signal);
      setImmediate(() => abort.abort());
      expect(stopOf(await events)).toEqual({ type: "stop", reason: "aborted" });
      expect(textOf(await eventsOf(model, ask("hello")))).not.toBe("");
      expect(watched.children).toHaveLength(1);
    });

    test("words that do not fit are refused, and earlier turns go before they do", async () => {
      const model = open();
      const long = "word ".repeat(900);
      const refused = await eventsOf(model, ask(`${long} ${long}`));
      expect(stopOf(refused)?.failure?.code).toBe("model.context-overflow");
      const kept = await eventsOf(model, {
        ...ask("hello"),
        messages: [
          { role: "user", text: long },
          { role: "assistant", text: long },
          { role: "user", text: "hello" },
        ],
      });
      const usage = kept.find((event) => event.type === "usage");
      expect([stopOf(kept)?.failure, usage?.promptTokens]).toEqual([undefined, 11]);
    });

    test("a request that was given up in the queue does not end the one that runs", async () => {
      const watched = watchedSpawn();
      const clock = createFakeClock();
      const model = open({ spawn: watched.spawn, clock, idleMs: 1000 });
      const running = model.stream(story, new AbortController().signal)[Symbol.asyncIterator]();
      await running.next();
      await eventsOf(model, ask("hello"), AbortSignal.abort());
      clock.pass(1000);
      expect((await running.next()).value).toMatchObject({ type: "text" });
      await running.return?.();
      expect(watched.children).toHaveLength(1);
    });

    test("counting beside an answer uses the same process, and close ends it", async () => {
      const watched = watchedSpawn();
      const model = open({ spawn: watched.spawn });
      await Promise.all([eventsOf(model, ask("hello")), model.count(["hello"])]);
      expect(watched.children).toHaveLength(1);
      model.close();
      expect(await watched.children[0]?.exited).toMatchObject({ signal: "SIGKILL" });
    });

    test("an idle process is ended, and another is started when it is needed", async () => {
      const watched = watchedSpawn();
      const clock = createFakeClock();
      const model = open({ spawn: watched.spawn, clock, idleMs: 300_000 });
      await eventsOf(model, ask("hello"));
      clock.pass(300_000);
      expect(await watched.children[0]?.exited).toMatchObject({ signal: "SIGKILL" });
      expect(textOf(await eventsOf(model, ask("hello")))).not.toBe("");
      expect(watched.children).toHaveLength(2);
    });

    test("tokens are counted by the model's own tokenizer", async () => {
      expect(await open().count(["hello", "hello hello hello"])).toEqual([1, 3]);
    });
  },
);

test("a damaged file is one sentence with the fix", async () => {
  const file = path.join(await emptyFolder("gguf"), "broken.gguf");
  await writeFile(file, `GGUF${"x".repeat(5000)}`);
  const events = await eventsOf(open({ file }), ask("hello"));
  expect(stopOf(events)?.failure).toMatchObject({
    code: "model.damaged",
    sentence: expect.stringContaining("agent models pull smollm2-135m"),
  });
});

test("a missing engine is one sentence with the fix", async () => {
  // Away from the checkout there is no node_modules to find it in; what else it needs is linked.
  const folder = await emptyFolder("engineless");
  await cp(path.join(root, "src"), path.join(folder, "src"), { recursive: true });
  await cp(path.join(root, "package.json"), path.join(folder, "package.json"));
  await cp(path.join(root, "node_modules/zod"), path.join(folder, "node_modules/zod"), {
    recursive: true,
  });
  const program = path.join(folder, "src/models/embedded/child.ts");
  const events = await eventsOf(open({ program }), ask("hello"));
  expect(stopOf(events)?.failure).toMatchObject({
    code: "engine.missing",
    sentence: expect.stringContaining("npm install node-llama-cpp"),
  });
});
