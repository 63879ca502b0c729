import { freemem, totalmem } from "node:os";
import path from "node:path";

import type { Clock } from "#core/clock.ts";
import { AppError } from "#core/errors.ts";
import type { Door } from "#core/http.ts";
import type { Model, ModelLimits } from "#core/model.ts";
import type { DownloadOffer, Person } from "#core/person.ts";
import type { Environment, Spawn } from "#core/process.ts";

import type { Found } from "./candidates.ts";
import { childEnvironment } from "./child-environment.ts";
import { createEmbeddedModel, type EmbeddedModel } from "./embedded/model.ts";
import { engineIsInstalled } from "./embedded/engine-installed.ts";
import {
  createModelFiles,
  type LocalFile,
  type ModelFiles,
  type PullWatch,
} from "./model-files.ts";
import type { ModelRow, ModelsFile } from "./model-rows.ts";

/** What embedded models are made of. */
export interface EmbeddedDeps {
  readonly settings: ModelsFile;
  /** The folder of model files. */
  readonly folder: string;
  readonly door: Door;
  readonly spawn: Spawn;
  readonly clock: Clock;
  readonly environment: Environment;
  readonly person: Person;
}

/** What a download is for, and what stops it. */
type Puller = Pick<PullWatch, "signal" | "taskId">;

/** The models that run in this program. */
export interface Embedded {
  find(name?: string): Promise<Found | undefined>;
  open(name: string): Promise<EmbeddedModel>;
  readonly obtain: (signal: AbortSignal, taskId: string | null) => Promise<Model>;
  pull(name: string, by: Puller): Promise<void>;
  local(): Promise<LocalFile[]>;
  readonly offer: string | undefined;
  /** False where the engine was left out of the install. */
  readonly installed: boolean;
  close(): void;
}

function limitsOf(row: ModelRow | undefined): ModelLimits {
  return {
    contextTokens: row?.context ?? 4096,
    promptBudget: 700,
    tools: row?.tools ?? false,
    bare: row?.starter ?? false,
    maxAnswerTokens: row?.max_answer ?? 1024,
  };
}

/** Bytes of memory that this machine, or its container, has. */
function machineMemory(): number {
  const allowed = process.constrainedMemory();
  return allowed > 0 ? Math.min(allowed, totalmem()) : totalmem();
}

/** Bytes that a model may take without pressing on what else runs here. */
function memoryForModels(): number {
  return Math.min(machineMemory(), freemem()) * 0.6;
}

/** The largest row that fits this machine, then the starter. */
function offersOf({ embedded, hub }: ModelsFile): DownloadOffer[] {
  const rows = Object.entries(embedded);
  const fitting = rows
    .filter(([, row]) => !row.starter && row.memory * 1e6 <= memoryForModels())
    .toSorted(([, a], [, b]) => b.memory - a.memory)
    .slice(0, 1);
  const chosen = [...fitting, ...rows.filter(([, row]) => row.starter)];
  return chosen.flatMap(([name, { title, license, files }]) => {
    const [place] = files;
    if (place === undefined) return [];
    const from = "wheel" in place.from ? "the Python package index" : new URL(hub).host;
    return [{ name, title, license, sizeBytes: place.size, from }];
  });
}

/** The line that a toy comes with: it must never pass for more. */
function toyNotice(row: ModelRow | undefined): { readonly notice?: string } {
  if (row?.starter !== true) return {};
  return {
    notice: `${row.title} answers: a toy. For real answers: agent models pull qwen3-1.7b, or start Ollama.`,
  };
}

/** Makes each model once, from the file of its name. */
function createOpener(deps: EmbeddedDeps, files: ModelFiles) {
  const models = new Map<string, EmbeddedModel>();

  async function find(name?: string): Promise<LocalFile | undefined> {
    const local = await files.local();
    return name === undefined ? local[0] : local.find((file) => file.name === name);
  }

  async function open(name: string): Promise<EmbeddedModel> {
    const made = models.get(name);
    if (made !== undefined) return made;
    const found = await find(name);
    if (found === undefined) {
      const fix = `agent models pull ${name}`;
      throw new AppError("model.missing", { model: name, host: "this machine", fix });
    }
    const { spawn, clock } = deps;
    const { file, row } = found;
    const limits = limitsOf(row);
    const env = childEnvironment(deps.environment);
    const model = createEmbeddedModel({ id: name, name, file, limits, spawn, clock, env });
    models.set(name, model);
    return model;
  }

  const close = (): void => {
    for (const model of models.values()) model.close();
  };
  return { find, open, close };
}

/** The embedded models of a data directory. */
export function createEmbedded(deps: EmbeddedDeps): Embedded {
  const { settings, person } = deps;
  const files = createModelFiles({ ...deps, rows: settings.embedded, hub: settings.hub });
  const opener = createOpener(deps, files);
  const starter = Object.entries(settings.embedded).find(([, row]) => row.starter)?.[0];

  async function pull(name: string, by: Puller): Promise<void> {
    const needs = (settings.embedded[name]?.memory ?? 0) * 1e6;
    if (needs > machineMemory()) {
      const text = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
      const problem = `it needs ${text(needs)}, and this machine has ${text(machineMemory())}`;
      throw new AppError("model.memory", { model: name, problem });
    }
    await files.pull(name, { ...by, onProgress: (done) => person.progress(name, done) });
  }

  async function chosenDownload(): Promise<string | undefined> {
    if (person.chooseDownload === undefined) return starter;
    return (await person.chooseDownload(offersOf(settings)))?.name;
  }

  return {
    pull,
    installed: engineIsInstalled(),
    open: (name) => opener.open(name),
    local: () => files.local(),
    offer: starter === undefined ? undefined : "a model that runs in this program, downloaded once",
    close: () => opener.close(),
    async find(name) {
      const found = await opener.find(name);
      return found === undefined ? undefined : { name: found.name, ...toyNotice(found.row) };
    },
    async obtain(signal, taskId) {
      const name = await chosenDownload();
      if (name === undefined) throw new AppError("model.none", { because: "" });
      const row = settings.embedded[name];
      person.notice(`Downloading ${row?.title ?? name} (once).`);
      await pull(name, { signal, taskId }).catch((error: unknown) => {
        if (!(error instanceof AppError)) throw error;
        throw new AppError("model.none", { because: ` (${error.message})` }, { cause: error });
      });
      const { notice } = toyNotice(row);
      if (notice !== undefined) person.notice(notice);
      return opener.open(name);
    },
  };
}

/** Where the model files of a data directory lie. */
export function modelsFolder(state: string): string {
  return path.join(state, "models");
}
