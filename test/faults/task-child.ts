/**
 * The process that the task campaign kills: works three-step tasks over a real store and writes what it did, each line flushed,
 * to a journal that the checker trusts alone.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

import { z } from "zod";

import { createRunner } from "../../src/agents/runner.ts";
import type { Agent } from "../../src/core/agent.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { Model } from "../../src/core/model.ts";
import type { ChatStore } from "../../src/core/chat-store.ts";
import type { GoldLabels } from "../../src/core/choice.ts";
import type { QuestionStore } from "../../src/core/question-store.ts";
import type { Store } from "../../src/core/store.ts";
import type { Step } from "../../src/core/task.ts";
import type { Tool } from "../../src/core/tool.ts";
import { createScriptedModel, type ScriptedReply } from "../../src/models/clients/scripted.ts";
import { openStore } from "../../src/store/open-store.ts";
import { createFakeLog } from "../fakes/log.ts";
import { createSingleRouter } from "../fakes/router.ts";

import { faultSettingsSchema } from "./task-journal.ts";

const settings = faultSettingsSchema.parse(JSON.parse(process.argv[2] ?? "{}"));
const journal = openSync(settings.journal, "a");

function note(entry: object): void {
  writeSync(journal, `${JSON.stringify(entry)}\n`);
  fdatasyncSync(journal);
}

const markSchema = z.strictObject({ task: z.string(), part: z.int() });

/** An outside effect: it is done the moment its line is in the journal. */
const mark: Tool<z.infer<typeof markSchema>> = {
  name: "mark",
  description: "Writes a line.",
  input: markSchema,
  risk: "write",
  gives: "instructions",
  run: async ({ part }, { taskId }) => {
    await pause(settings.stepMs);
    note({ did: "effect", task: taskId, part });
    return `marked ${part}`;
  },
};

const agent: Agent = {
  name: "assistant",
  description: "fault campaign",
  model_tier: "local-fast",
  max_iterations: 10,
  max_seconds: 600,
  max_tokens: 1_000_000,
  approval_required: [],
  tools: ["mark"],
  system_prompt: "Mark twice, then answer.",
  examples: [],
  rules: [],
};

function call(part: number): ScriptedReply {
  return { toolCalls: [{ id: `call-${part}`, name: "mark", input: { task: "this", part } }] };
}

/** Model calls are parts too: the first is 100, the second 101; each but the last is followed by one tool step. */
const firstModelPart = 100;

function partOf(step: Step): number {
  if (step.kind === "tool") return markSchema.parse(step.input).part;
  return firstModelPart + (step.seq - 1) / 2;
}

/** Says in the journal that a model was asked for a step; a summary of the conversation is none, and has no tools. */
function journalledModel(model: Model): Model {
  return {
    ...model,
    stream(request, signal) {
      const asked = request.messages.findLastIndex((message) => message.role === "user");
      const since = request.messages.slice(asked);
      const turn = since.filter((message) => message.role === "assistant").length;
      if (request.tools.length > 0) {
        note({ did: "effect", task: request.taskId, part: firstModelPart + turn });
      }
      return model.stream(request, signal);
    },
  };
}

type Both = Store & QuestionStore & ChatStore & GoldLabels;

/** Says in the journal which steps the store has promised to keep; the broken variant forgets them. */
function journalled(store: Both): Both {
  return {
    ...store,
    async addSteps(taskId, done) {
      if (!settings.forgetSteps) await store.addSteps(taskId, done);
      for (const step of done.steps) note({ did: "stored", task: taskId, part: partOf(step) });
    },
    async finishTask(end) {
      const how = await store.finishTask(end);
      if (how === "ended")
        note({ did: "ended", task: end.taskId, state: end.state, output: end.output });
      return how;
    },
  };
}

const store = journalled(await openStore({ folder: settings.folder, clock: systemClock }));
const scripted = createScriptedModel({
  id: "scripted",
  clock: systemClock,
  script: { scenes: [{ replies: [call(1), call(2), { text: "Both are marked." }] }] },
});
const runner = createRunner(
  {
    store,
    router: createSingleRouter(journalledModel(scripted), systemClock),
    tools: [mark],
    clock: systemClock,
    log: createFakeLog((error, task) => note({ did: "bug", task, error: String(error) })),
  },
  [agent],
);

const chatId = "terminal:main";
await store.ensureChat({ id: chatId, platform: "terminal", personId: "owner" });
process.stdout.write("ready\n");
const working = [runner.resume()];
for (let i = 0; i < settings.newTasks; i += 1) {
  working.push(
    runner.run({ chatId, personId: "owner", words: `Mark number ${i}` }).then((task) => [task]),
  );
}
await Promise.all(working);
await runner.stop(0);
await store.close();
closeSync(journal);
process.stdout.write("idle\n");
