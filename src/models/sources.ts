import type { Model } from "#core/model.ts";
import type { Spawn } from "#core/process.ts";
import { trustOf } from "#core/trust.ts";

import type { Sources } from "./candidates.ts";
import {
  createEmbedded,
  type Embedded,
  type EmbeddedDeps,
  modelsFolder,
} from "./embedded-source.ts";
import { createInventory, type Inventory } from "./inventory.ts";
import { type MakeDeps, makeModel } from "./make-model.ts";
import type { ModelsFile } from "./model-rows.ts";
import { createOllamaHost, type OllamaHost } from "./ollama-host.ts";
import { createPriceTable } from "./price-table.ts";
import type { Price } from "./routing/prices.ts";

/** What the sources of models are made of. */
export interface SourcesDeps extends Omit<EmbeddedDeps, "settings" | "folder">, MakeDeps {
  readonly settings: ModelsFile;
  /** The data directory. */
  readonly state: string;
  readonly spawn: Spawn;
}

/** The sources of models, with what `agent models` and `agent doctor` ask of them. */
export interface ModelSources extends Sources {
  readonly settings: ModelsFile;
  readonly embedded: Embedded;
  /** The Ollama hosts by name. */
  readonly hosts: ReadonlyMap<string, OllamaHost>;
  /** What a deployment costs; undefined where nobody knows. */
  readonly priceOf: (deployment: string) => Promise<Price | undefined>;
  /** What hosts have installed has changed. */
  changed(): void;
  /** Takes back what lets anything go to a cloud, also for what is under way. */
  shutClouds(): void;
  close(): void;
}

/** The models of every host of the settings, and the embedded ones. Nothing is connected to until it is asked for. */
export function createSources(deps: SourcesDeps): ModelSources {
  const { settings, door, clock, state } = deps;
  const hosts = new Map<string, OllamaHost>();
  const inventories = new Map<string, Inventory>();
  const models = new Map<string, Promise<Model>>();
  const revoke: (() => void)[] = [];
  const revokeClouds: (() => void)[] = [];
  for (const [name, host] of Object.entries(settings.hosts)) {
    if (host.kind === "scripted") continue;
    const { origin: url, hostname } = new URL(host.url);
    const isShut = settings.cloud === "never" && trustOf(hostname) === "cloud";
    // A second lock behind the router's: a service in a cloud has no rule while none is allowed.
    if (host.kind === "ollama" || !isShut) {
      const back = door.allow({ purpose: "model", origin: url, linksOut: false });
      (trustOf(hostname) === "cloud" ? revokeClouds : revoke).push(back);
    }
    if (host.kind !== "ollama") continue;
    const use = { purpose: "model", taskId: null, connectMs: 1000 } as const;
    // What it is told to pull it asks a cloud for, wherever it runs.
    const pulling = door.open({ ...use, trust: "cloud" });
    const ollama = createOllamaHost({ url, fetch: door.open(use), pulling, clock });
    hosts.set(name, ollama);
    inventories.set(name, createInventory(ollama, clock));
  }

  const embedded = createEmbedded({ ...deps, folder: modelsFolder(state) });
  return {
    settings,
    embedded,
    hosts,
    priceOf: createPriceTable(settings, deps),
    installed: (name) => inventories.get(name)?.installed() ?? [],
    changed: () => inventories.forEach((inventory) => inventory.forget()),
    open(id, deployment) {
      const { host } = deployment;
      const changed = (): void => inventories.get(host)?.forget();
      const model =
        models.get(id) ?? makeModel({ ...deps, changed }, settings.hosts[host], { id, deployment });
      models.set(id, model);
      return model;
    },
    shutClouds: () => revokeClouds.splice(0).forEach((back) => back()),
    close() {
      embedded.close();
      for (const back of [...revoke, ...revokeClouds]) back();
    },
  };
}
