import assert from "node:assert/strict";

import { AppError } from "../../../src/core/errors.ts";
import type { PullProgress } from "../../../src/models/clients/ollama-host.ts";
import { never } from "../../contract/ask.ts";
import type { OllamaState } from "../../fakes/providers/ollama-state.ts";

import type { FaultCase } from "./fault-case.ts";
import { tells } from "./harness.ts";
import { answered, failed, inAll, saw } from "./judge.ts";
import { answers, openStage, type World } from "./stage.ts";

const kind = "ollama";

function layer(digest: string, completed?: number): object {
  const status = `pulling ${digest}`;
  return { status, digest, total: 100, ...(completed === undefined ? {} : { completed }) };
}

/** What each download says; the last is the whole one. */
const downloads: readonly (readonly object[])[] = [
  [{ status: "pulling manifest" }, layer("aaaa", 40), { error: "max retries exceeded: EOF" }],
  [{ status: "pulling manifest" }, layer("aaaa", 30), layer("bbbb", 50)],
  [
    { status: "pulling manifest" },
    layer("aaaa"),
    layer("aaaa", 60),
    layer("bbbb", 40),
    layer("aaaa", 20),
    layer("bbbb", 10),
    layer("aaaa", 100),
    layer("bbbb", 100),
    { status: "verifying sha256 digest" },
    { status: "success" },
    { status: "success" },
  ],
];

async function pulls(world: World): Promise<void> {
  let attempt = 0;
  const pull = (): readonly object[] => downloads[attempt++] ?? [];
  const { subject } = await openStage(world, {
    kind,
    primary: () => answers(kind),
    ollama: { pull },
  });
  const once = async (): Promise<PullProgress[]> =>
    Array.fromAsync(subject.host("first")?.pull("primary", never) ?? []);
  await assert.rejects(once, AppError, "an error of a layer is no failure");
  await assert.rejects(once, AppError, "an end without success is no failure");
  const progress = await once();
  const bytes = progress.map(({ completedBytes }) => completedBytes);
  assert.deepEqual(
    bytes,
    bytes.toSorted((a, b) => a - b),
    "progress went back",
  );
  assert.equal(
    progress.at(-1)?.completedBytes,
    progress.at(-1)?.totalBytes,
    "it ended before its end",
  );
  assert.equal(progress.at(-1)?.status, "success", "the last line is no success");
}

async function evicted(world: World): Promise<void> {
  const loaded = { names: ["primary"] };
  const stage = await openStage(world, {
    kind,
    host: { load_seconds: 10 },
    ollama: { loaded: () => loaded.names },
    primary() {
      // Loaded when it was looked, gone when it is asked: it has to be read from disk again.
      loaded.names = [];
      return { steps: [2500, ...answers(kind).steps] };
    },
  });
  const outcome = await stage.call();
  answered(outcome, "primary");
  saw(stage.primary.log, 1, 1);
  assert.ok(tells(outcome.events, "loading"), "nothing tells that the model is loading");
}

const remote = { remote_host: "https://cloud.example", remote_model: "far" };

async function remoteIn(world: World, ollama: OllamaState): Promise<void> {
  const stage = await openStage(world, { kind, primary: () => answers(kind), ollama });
  answered(await stage.call(), "backup");
  saw(stage.primary.log, 0, 0);
}

async function remoteInAnswer(world: World): Promise<void> {
  const steps = answers(kind).steps.map((step) =>
    step.replace('"model":"m"', '"model":"m","remote_host":"x.example"'),
  );
  const stage = await openStage(world, { kind, primary: () => ({ steps }), backup: null });
  const first = await stage.call();
  failed(first, ["model.passed-on"]);
  assert.equal(first.text, "", "its words were shown");
  failed(await stage.call(), ["model.refused", "model.resting"]);
  saw(stage.primary.log, 1, 1);
}

/** What only an Ollama does. */
export const ollamaCases: readonly FaultCase[] = [
  {
    row: 34,
    failure: "download: a layer fails, starts again, goes back, ends twice",
    simulated: "the lines of /api/pull, in three tries",
    required: "a failure is told, and progress never goes back",
    run: pulls,
  },
  {
    row: 35,
    failure: "evicted between check and call",
    simulated: "listed as loaded, then loaded for 2.5 s",
    required: "the person is told of a load, and nothing fails",
    run: evicted,
  },
  {
    row: 36,
    failure: "a local model that is secretly remote",
    simulated: "remote_host in the list, in the model's description, in the answer",
    required: "nothing is sent; in an answer: it is refused, and not asked again",
    run: (world) =>
      inAll([
        ["list", () => remoteIn(world, { tags: () => ({ primary: remote }) })],
        ["description", () => remoteIn(world, { show: () => remote })],
        ["answer", () => remoteInAnswer(world)],
      ]),
  },
];
