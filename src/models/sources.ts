import path from "node:path";

import type { Clock } from "#core/clock.ts";
import { AppError, reasonOf } from "#core/errors.ts";
import type { Door } from "#core/http.ts";
import type { Model, ModelLimits } from "#core/model.ts";
import type { Spawn } from "#core/process.ts";
import type { DeploymentSettings, HostSettings } from "#core/settings.ts";

import type { Sources } from "./candidates.ts";
import {
  createEmbedded,
  type Embedded,
  type EmbeddedDeps,
  modelsFolder,
} from "./embedded-source.ts";
import type { ModelsFile } from "./model-rows.ts";
import { createOllamaModel } from "./ollama.ts";
import { createOllamaHost, type OllamaHost } from "./ollama-host.ts";
import { createScriptedModel, parseScript } from "./scripted.ts";

/** What the sources of models are made of. */
export interface SourcesDeps extends Omit<EmbeddedDeps, "settings" | "folder"> {
  readonly settings: ModelsFile;
  readonly home: string;
  /** The data directory. */
  readonly state: string;
  readonly door: Door;
  readonly spawn: Spawn;
  readonly clock: Clock;
  /** Reads a YAML or JSON file of the owner's. */
  readonly readData: (file: string) => Promise<unknown>;
}

/** The sources of models, with what `agent models` and `agent doctor` ask of them. */
export interface ModelSources extends Sources {
  readonly settings: ModelsFile;
  readonly embedded: Embedded;
  /** The Ollama hosts by name. */
  readonly hosts: ReadonlyMap<string, OllamaHost>;
  close(): void;
}

function limitsOf({
  context,
  max_answer: maxAnswerTokens,
  tools,
}: DeploymentSettings): ModelLimits {
  return { contextTokens: context, promptBudget: 2000, tools, bare: false, maxAnswerTokens };
}

async function scripted(
  deps: SourcesDeps,
  id: string,
  host: Extract<HostSettings, { kind: "scripted" }>,
): Promise<Model> {
  const file = path.resolve(deps.home, host.script);
  try {
    const script = parseScript(await deps.readData(file));
    return createScriptedModel({ id, script, clock: deps.clock });
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("config.invalid", { file, problem: reasonOf(error) }, { cause: error });
  }
}

/** The models of every host of the settings, and the embedded ones. Nothing is connected to until it is asked for. */
export function createSources(deps: SourcesDeps): ModelSources {
  const { settings, door, clock, state } = deps;
  const hosts = new Map<string, OllamaHost>();
  const models = new Map<string, Promise<Model>>();
  for (const [name, host] of Object.entries(settings.hosts)) {
    if (host.kind !== "ollama") continue;
    const url = new URL(host.url).origin;
    door.allow({ purpose: "model", origin: url, linksOut: false });
    const fetch = door.open({ purpose: "model", taskId: null, connectMs: 1000 });
    hosts.set(name, createOllamaHost({ url, fetch, clock }));
  }

  async function make(id: string, deployment: DeploymentSettings): Promise<Model> {
    const host = settings.hosts[deployment.host];
    if (host?.kind === "scripted") return scripted(deps, id, host);
    if (host?.kind !== "ollama") {
      const problem = "this version has no client for its service yet: choose another deployment.";
      throw new AppError("model.refused", { model: id, problem });
    }
    return createOllamaModel({
      id,
      url: new URL(host.url).origin,
      model: deployment.model,
      limits: limitsOf(deployment),
      fetchFor: (taskId) => door.open({ purpose: "model", taskId, connectMs: 2000 }),
      clock,
      keepAlive: host.keep_alive,
      firstTokenMs: host.first_token_seconds * 1000,
      idleMs: host.idle_seconds * 1000,
    });
  }

  const embedded = createEmbedded({ ...deps, folder: modelsFolder(state) });
  return {
    settings,
    embedded,
    hosts,
    installed: async (name) => (await hosts.get(name)?.installed()) ?? [],
    open(id, deployment) {
      const model = models.get(id) ?? make(id, deployment);
      models.set(id, model);
      return model;
    },
    close: () => embedded.close(),
  };
}
