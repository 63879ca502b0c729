import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import type { Agent } from "../src/core/agent.ts";
import { systemClock } from "../src/core/clock.ts";
import { createRunner } from "../src/agents/runner.ts";
import { createScriptedModel } from "../src/models/clients/scripted.ts";
import { openStore } from "../src/store/open-store.ts";
import { createFakeLog } from "../test/fakes/log.ts";
import { createSingleRouter } from "../test/fakes/router.ts";

import { bareCommitMs } from "./bare-commit.ts";
import { fill } from "./fill.ts";
import { type BenchResult, figure, median, resultOf } from "./result.ts";

const assistant: Agent = {
  name: "assistant",
  description: "bench",
  model_tier: "local-fast",
  max_iterations: 5,
  max_seconds: 60,
  max_tokens: 100_000,
  approval_required: [],
  tools: [],
  system_prompt: "Answer.",
  examples: [],
  rules: [],
};

const chat = (id: string) => ({ id, platform: "terminal", personId: "owner" });

async function openBench(folder: string) {
  const store = await openStore({ folder, clock: systemClock });
  const model = createScriptedModel({
    id: "scripted",
    clock: systemClock,
    script: { scenes: [{ replies: [{ text: "An answer of a few words." }] }] },
  });
  const runner = createRunner(
    {
      store,
      router: createSingleRouter(model, systemClock),
      tools: [],
      clock: systemClock,
      log: createFakeLog((error) => {
        throw error;
      }),
    },
    [assistant],
  );
  return { store, runner };
}

type Bench = Awaited<ReturnType<typeof openBench>>;

async function turns(bench: Bench, count: number) {
  const times: number[] = [];
  const cpus: number[] = [];
  const before = bench.store.commits();
  for (let i = 0; i < count; i += 1) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    await bench.runner.run({
      chatId: "terminal:main",
      personId: "owner",
      words: "What is a durable task?",
      newConversation: true,
    });
    times.push(performance.now() - start);
    const used = process.cpuUsage(cpu);
    cpus.push((used.user + used.system) / 1000);
  }
  const commits = (bench.store.commits() - before) / count;
  return { ms: median(times), cpu: median(cpus), commits };
}

async function together(bench: Bench): Promise<number> {
  const chats = Array.from({ length: 20 }, (_, i) => `terminal:bench-${i}`);
  await Promise.all(chats.map((id) => bench.store.ensureChat(chat(id))));
  const before = bench.store.commits();
  await Promise.all(
    chats.map((chatId) => bench.runner.run({ chatId, personId: "owner", words: "All at once." })),
  );
  return (bench.store.commits() - before) / chats.length;
}

/** A one-step turn with the scripted model: commits, time against the bare commit, CPU, and how both grow with stored tasks. */
export async function run(args: readonly string[]): Promise<BenchResult> {
  const many = Number(args[0] ?? 100_000);
  const folder = await mkdtemp(path.join(tmpdir(), "bench-turn-"));
  const bench = await openBench(folder);
  try {
    await bench.store.ensureChat(chat("terminal:main"));
    await turns(bench, 100);
    const bare = bareCommitMs(folder);
    const few = await turns(bench, 200);
    const shared = await together(bench);
    await fill(bench.store, many);
    await turns(bench, 20);
    const bareLater = bareCommitMs(folder);
    const later = await turns(bench, 200);
    return resultOf("turn", 0, [
      figure("bare commit ms", bare),
      figure("commits per turn", few.commits, 3),
      figure("turn p50 ms", few.ms, 4 + few.commits * bare),
      figure("turn CPU ms", few.cpu, 6),
      figure(`turn p50 ms at ${many} tasks`, later.ms),
      figure("bare commit ms then", bareLater),
      figure(`ratio of p50 at ${many} to 100 tasks`, later.ms / few.ms, 1.2),
      figure("commits per task, 20 at once", shared, 1),
    ]);
  } finally {
    await bench.store.close();
    await rm(folder, { recursive: true, force: true });
  }
}
