import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { promisify } from "node:util";

import { z } from "zod";

import { systemClock } from "../src/core/clock.ts";
import type { ModelRequest } from "../src/core/model.ts";
import { createEmbeddedModel, type EmbeddedModel } from "../src/models/embedded/model.ts";
import { createSpawn } from "../src/sandbox/spawn.ts";
import { findStarter } from "../test/models/starter.ts";

import { type BenchResult, figure, median, resultOf } from "./result.ts";

const exec = promisify(execFile);
const here = import.meta.dirname;
const rounds = 5;
const question = "Tell me about the sea, the river and the mountain.";
const answerTokens = 150;
const longPrompt = `${question} `.repeat(20);

const limits = {
  contextTokens: 2048,
  promptBudget: 700,
  tools: false,
  bare: true,
  maxAnswerTokens: 256,
} as const;

function open(file: string): EmbeddedModel {
  const shared = {
    id: "starter",
    name: "starter",
    spawn: createSpawn(),
    env: {},
    clock: systemClock,
  };
  return createEmbeddedModel({ ...shared, file, limits });
}

const spoken = (text: string): ModelRequest["messages"] => [{ role: "user", text }];

interface Timing {
  readonly firstMs: number;
  readonly perSecond: number;
  readonly promptTokens: number;
  readonly readTokens: number;
  readonly text: string;
}

async function timed(
  model: EmbeddedModel,
  messages: ModelRequest["messages"],
  maxTokens = answerTokens,
): Promise<Timing> {
  const start = performance.now();
  let first = 0;
  let text = "";
  const usage = { promptTokens: 0, cachedTokens: 0, answerTokens: 0 };
  const request = { taskId: null, messages, tools: [], maxTokens, temperature: 0 };
  for await (const event of model.stream(request, new AbortController().signal)) {
    if (event.type === "text") {
      if (first === 0) first = performance.now();
      text += event.text;
    } else if (event.type === "usage") Object.assign(usage, event);
  }
  const perSecond = ((usage.answerTokens - 1) / (performance.now() - first)) * 1000;
  const { promptTokens, cachedTokens } = usage;
  return {
    firstMs: first - start,
    perSecond,
    promptTokens,
    readTokens: promptTokens - cachedTokens,
    text,
  };
}

const bareSchema = z.object({
  perSecond: z.number(),
  /** Milliseconds to the first token of the long prompt. */
  longFirstMs: z.number(),
});

async function bare(file: string): Promise<z.infer<typeof bareSchema>> {
  const args = [
    path.join(here, "bare-engine.ts"),
    file,
    question,
    String(answerTokens),
    longPrompt,
  ];
  const { stdout } = await exec(process.execPath, args);
  return bareSchema.parse(JSON.parse(stdout));
}

/** Milliseconds until a fresh process has engine and model ready. */
async function readyMs(file: string): Promise<number> {
  const model = open(file);
  const start = performance.now();
  await model.count(["ready"]);
  const ms = performance.now() - start;
  model.close();
  return ms;
}

/** The loop of this process while the model answers: its p99 delay, and the CPU time of the longest stretch of our own. */
async function watchLoop(model: EmbeddedModel) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  let longest = 0;
  let before = process.threadCpuUsage();
  const timer = setInterval(() => {
    const used = process.threadCpuUsage(before);
    longest = Math.max(longest, (used.user + used.system) / 1000);
    before = process.threadCpuUsage();
  }, 1);
  await timed(model, spoken(question), 256);
  clearInterval(timer);
  delay.disable();
  return { p99: delay.percentile(99) / 1e6, longest };
}

/** The embedded model against its bare library, in turns in one run. */
export async function run(): Promise<BenchResult> {
  const settings = await readFile(path.join(here, "../config/models.yaml"), "utf8");
  const { file, reason } = await findStarter(settings);
  if (file === undefined) throw new Error(`no starter: ${reason}`);
  const ready = [];
  for (let i = 0; i < rounds; i += 1) ready.push(await readyMs(file));
  const model = open(file);
  try {
    await timed(model, spoken("warm up"), 5);
    const hello = await timed(model, spoken("hello"), 20);
    const ratios = [];
    const ours = [];
    const alone = [];
    const bareFirst = [];
    for (let i = 0; i < rounds; i += 1) {
      const library = await bare(file);
      alone.push(library.perSecond);
      bareFirst.push(library.longFirstMs);
      ours.push((await timed(model, spoken(question))).perSecond);
      ratios.push((ours.at(-1) ?? 0) / (alone.at(-1) ?? 1));
    }
    const first = await timed(model, spoken(longPrompt), 60);
    const second = await timed(
      model,
      [...spoken(longPrompt), { role: "assistant", text: first.text }, ...spoken("And the wind?")],
      10,
    );
    const loop = await watchLoop(model);
    const { stdout: idle } = await exec(process.execPath, [path.join(here, "idle.ts"), "3000"]);
    const ratio = median(ratios);
    return resultOf("embedded", 0, [
      figure("engine and model ready ms", median(ready), 1500),
      figure("whole first prompt for hello, tokens", hello.promptTokens, 60),
      figure("first token for hello, ms", hello.firstMs, 300),
      figure("tokens a second", median(ours)),
      figure("tokens a second of the bare library", median(alone)),
      {
        name: "ratio to the bare library",
        value: Math.round(ratio * 1000) / 1000,
        bound: { words: ">= 0.9", holds: ratio >= 0.9 },
      },
      figure("long first turn, tokens read", first.readTokens),
      figure("long first turn, first token ms", first.firstMs, median(bareFirst) + 200),
      figure("the same of the bare library, ms", median(bareFirst)),
      figure("second turn, tokens of its prompt", second.promptTokens),
      figure("second turn, tokens read again", second.readTokens, 30),
      figure("second turn, first token ms", second.firstMs),
      figure("own loop delay p99 ms", loop.p99, 20),
      figure("an idle process's loop delay p99 ms", Number(idle)),
      figure("longest stretch of own CPU ms", loop.longest, 20),
    ]);
  } finally {
    model.close();
  }
}
