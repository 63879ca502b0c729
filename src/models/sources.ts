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
import { createOllamaHost, type OllamaHost } from "./clients/ollama-host.ts";
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
    const { origin, hostname } = new URL(host.url);
    const isFar = trustOf(hostname) === "cloud";
    const isOllama = host.kind === "ollama";
    const rule = { purpose: "model", origin, linksOut: false } as const;
    // A second lock behind the router's: nothing in a cloud, and nothing that is passed on there, has a rule while none is allowed.
    const isShut = settings.cloud === "never" && !isOllama;
    if (!isFar) revoke.push(door.allow(rule));
    else if (!isShut) revokeClouds.push(door.allow(rule));
    if (!isFar && !isOllama && !isShut) revokeClouds.push(door.allow({ ...rule, passesOn: true }));
    if (!isOllama) continue;
    // What it is told to pull it asks a cloud for, wherever it runs.
    revoke.push(door.allow({ ...rule, purpose: "model-download", passesOn: !isFar }));
    const use = { taskId: null, connectMs: 1000 } as const;
    const fetch = door.open({ ...use, purpose: "model" });
    const pulling = door.open({ ...use, purpose: "model-download", trust: "cloud" });
    const ollama = createOllamaHost({ url: origin, fetch, pulling, clock });
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
