import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { systemClock } from "../src/core/clock.ts";
import type { Ledger } from "../src/core/ledger.ts";
import type { Model, ModelEvent, ModelRequest } from "../src/core/model.ts";
import type { Attempt } from "../src/core/route.ts";
import type { RouteAsk, Router } from "../src/core/router.ts";
import { modelSettingsSchema } from "../src/core/settings.ts";
import type { Installed } from "../src/models/clients/ollama-host.ts";
import { createPurse } from "../src/models/purse.ts";
import { createRouter } from "../src/models/router.ts";
import type { Price } from "../src/models/routing/prices.ts";
import { openStore } from "../src/store/open-store.ts";
import { askWith, noRules, sourcesWith } from "../test/fakes/router.ts";

import { type BenchResult, type Figure, figure, median, resultOf } from "./result.ts";

const exec = promisify(execFile);

const decisions = 20_000;
const calls = 4000;
const committed = 400;
/** Calls before the measured ones, until the engine has compiled what it will. */
const warmUp = 2000;
const chunks = 50;

const hosts = ["study", "cellar", "attic", "nas"] as const;
const models = hosts.flatMap((host) =>
  ["qwen3:1.7b", "qwen3:8b"].map((model) => ({
    id: `${host}-${model.replace(":", "-")}`,
    host,
    model,
  })),
);

/** Eight deployments on four hosts, any of which may answer, and one in a cloud. */
const settings = modelSettingsSchema.parse({
  cloud: "when-asked",
  hosts: {
    ...Object.fromEntries(
      hosts.map((host, at) => [host, { kind: "ollama", url: `http://192.168.1.${at + 10}:11434` }]),
    ),
    anthropic: { kind: "anthropic" },
  },
  deployments: {
    ...Object.fromEntries(models.map(({ id, host, model }) => [id, { host, model }])),
    sonnet: { host: "anthropic", model: "claude-sonnet-5" },
  },
  budgets: { day: 1_000_000, month: 1_000_000 },
  tiers: { "local-fast": [models.map(({ id }) => id)], "cloud-smart": ["sonnet"] },
});

const installed: readonly Installed[] = ["qwen3:1.7b", "qwen3:8b"].map((name) => {
  return { name, sizeBytes: 1e9, tools: true, remote: false };
});

/** What was measured of each deployment before, so that there is something to choose by. */
const lastAttempts: readonly Attempt[] = models.map(({ id }, at) => ({
  id: String(at),
  deployment: id,
  tier: "local-fast",
  reason: "",
  outcome: "ok",
  startedAt: 0,
  queuedMs: 0,
  durationMs: 2000 + at * 100,
  firstTokenMs: 500,
  promptTokens: 600,
  answerTokens: 150,
}));

const price: Price = {
  input: { base: 2, tiers: [] },
  output: { base: 10, tiers: [] },
  cacheRead: { base: 0.2, tiers: [] },
  cacheWrite: { base: 2.5, tiers: [] },
  source: "table",
};

const prompt: Omit<ModelRequest, "taskId"> = {
  messages: [
    { role: "system", text: "You are an assistant that answers in few words. ".repeat(10) },
    {
      role: "user",
      text: "Which birds stand in the water of the pond at six in the morning? ".repeat(10),
    },
  ],
  tools: [],
  maxTokens: 500,
};

const never = new AbortController().signal;
const home: RouteAsk = askWith({ build: () => prompt });
const cloud: RouteAsk = { ...home, tier: "cloud-smart", forced: true };

/** A model that takes no time, and says when it was asked. */
function createInstant(id: string, asked: () => void = () => {}): Model {
  async function* events(): AsyncGenerator<ModelEvent> {
    for (let i = 0; i < chunks; i += 1) yield { type: "text", text: `word ${i} ` };
    yield { type: "usage", promptTokens: 250, answerTokens: 100 };
    yield { type: "stop", reason: "end" };
  }
  const limits = { contextTokens: 8192, promptBudget: 2000, tools: true, bare: false };
  return {
    id,
    trust: "local",
    limits: { ...limits, maxAnswerTokens: 500 },
    stream() {
      asked();
      return events();
    },
  };
}

/** A ledger that keeps nothing: what is left is the router's own work. */
const noLedger: Ledger = {
  reserve: () => Promise.resolve(undefined),
  settle: () => Promise.resolve(),
  spent: (caps) => Promise.resolve(caps.map(() => 0)),
};

/** Told when a deployment was decided on, and when its model is asked. */
interface Told {
  readonly decided: () => void;
  readonly asked: () => void;
}

function open(ledger: Ledger, told?: Told): Router {
  const made = new Map<string, Model>();
  return createRouter({
    settings,
    clock: systemClock,
    rulesFor: noRules,
    lastAttempts: () => Promise.resolve(lastAttempts),
    purse: createPurse({
      settings,
      ledger,
      clock: systemClock,
      priceOf: () => Promise.resolve(price),
      timeZone: () => Promise.resolve("Europe/Amsterdam"),
    }),
    sources: sourcesWith({
      installed: () => installed,
      open(id) {
        told?.decided();
        const model = made.get(id) ?? createInstant(id, told?.asked);
        made.set(id, model);
        return Promise.resolve(model);
      },
    }),
  });
}

async function drain(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of events);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/**
 * Microseconds from the call of the router's `stream` until it has decided and opens the chosen deployment: candidates, policy, what is
 * installed, circuits, caps, speeds, slots. And until that model is asked: also the prompt's building and size, its price and reservation.
 */
async function decisionTimes(ask: RouteAsk) {
  const at = { decided: 0, asked: 0 };
  const router = open(noLedger, {
    decided: () => (at.decided = performance.now()),
    asked: () => (at.asked = performance.now()),
  });
  const decided: number[] = [];
  const asked: number[] = [];
  for (let i = 0; i < warmUp + decisions; i += 1) {
    const from = performance.now();
    await drain(router.stream(ask, never));
    decided.push((at.decided - from) * 1000);
    asked.push((at.asked - from) * 1000);
  }
  return { decided: decided.slice(warmUp), asked: asked.slice(warmUp) };
}

/** Milliseconds of whole answers, of the model itself and through the router, one after the other. */
async function interleaved(router: Router, ask: RouteAsk, count: number) {
  const model = createInstant("direct");
  const request = { ...prompt, taskId: null };
  const direct: number[] = [];
  const routed: number[] = [];
  for (let i = 0; i < warmUp + count; i += 1) {
    const from = performance.now();
    await drain(model.stream(request, never));
    const between = performance.now();
    await drain(router.stream(ask, never));
    if (i < warmUp) continue;
    direct.push(between - from);
    routed.push(performance.now() - between);
  }
  return { direct, routed };
}

function addedFigures(
  name: string,
  { direct, routed }: { readonly direct: readonly number[]; readonly routed: readonly number[] },
  bounds: { readonly p50?: number; readonly p99?: number },
): Figure[] {
  const added = routed.map((ms, at) => ms - (direct[at] ?? 0));
  const p99 = percentile(routed, 0.99) - percentile(direct, 0.99);
  return [
    figure(`${name}: added p50 ms`, median(added), bounds.p50),
    figure(`${name}: added p99 ms`, p99, bounds.p99),
  ];
}

/** The same with the product's store, whose reservation is on the disk before anything is sent. */
async function withStore(): Promise<Figure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), "bench-router-"));
  const store = await openStore({ folder, clock: systemClock });
  try {
    await store.ensureChat({ id: "terminal:main", platform: "terminal", personId: "owner" });
    const task = await store.createTask({
      chatId: "terminal:main",
      personId: "owner",
      agent: "assistant",
      chosenBy: "default",
      tier: null,
      input: "hi",
      newConversation: false,
    });
    const ask = { ...cloud, task: { ...cloud.task, id: task.id } };
    const times = await interleaved(open(store), ask, committed);
    return addedFigures("cloud, with the ledger's commit", times, {});
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Megabytes that the router adds to a fresh process, prices of the shipped cloud deployments in use. As in every process that the launcher
 * starts, what was compiled is kept from one start to the next; the first one, which fills that cache, is not counted.
 */
async function addedMb(): Promise<number> {
  const child = path.join(import.meta.dirname, "router-memory.ts");
  const cache = await mkdtemp(path.join(tmpdir(), "bench-compiled-"));
  const env = { ...process.env, NODE_COMPILE_CACHE: cache };
  try {
    const runs: number[] = [];
    for (let i = 0; i < 6; i += 1) {
      const { stdout } = await exec(process.execPath, ["--expose-gc", child], { env });
      runs.push(Number(stdout));
    }
    return median(runs.slice(1));
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
}

/** What the router costs: the choice, the way of a whole answer through it, memory. */
export async function run(): Promise<BenchResult> {
  const decision = await decisionTimes(home);
  const decisionCloud = await decisionTimes(cloud);
  const athome = await interleaved(open(noLedger), home, calls);
  const incloud = await interleaved(open(noLedger), cloud, calls);
  return resultOf("router", 0, [
    figure("decision over 8 deployments: p50 us", median(decision.decided), 10),
    figure("decision over 8 deployments: p99 us", percentile(decision.decided, 0.99)),
    figure("until the model is asked: p50 us", median(decision.asked)),
    figure("decision for a cloud, with caps: p50 us", median(decisionCloud.decided)),
    figure("until a cloud's model is asked: p50 us", median(decisionCloud.asked)),
    figure("model alone, 50 chunks: p50 ms", median(athome.direct)),
    ...addedFigures("at home", athome, { p50: 0.1, p99: 1 }),
    ...addedFigures("cloud", incloud, { p50: 0.1, p99: 1 }),
    ...(await withStore()),
    figure("memory added MB", await addedMb(), 8),
  ]);
}
