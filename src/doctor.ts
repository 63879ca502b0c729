import { access, constants, mkdir, readdir, statfs } from "node:fs/promises";
import { freemem } from "node:os";
import path from "node:path";

import type { Check } from "#core/doctor.ts";
import { AppError, reasonOf } from "#core/errors.ts";
import type { HolderKind } from "#core/operations.ts";
import type { Router } from "#core/router.ts";
import type { Store } from "#core/store.ts";

import type { Config } from "./config.ts";
import { engineIsInstalled } from "./models/embedded/engine-installed.ts";
import type { ModelSources } from "./models/sources.ts";
import { unwritable } from "./store/unwritable.ts";

/** What the doctor looks at; a part that cannot be made is a failed check, not a failed doctor. */
export interface Patient {
  readonly config: Config;
  /** What the process is that is looked at. */
  readonly kind: HolderKind;
  readonly store: () => Promise<Store>;
  readonly sources: () => Promise<ModelSources>;
  readonly router: () => Promise<Router>;
}

type Finding = Omit<Check, "name">;

/** Below this a download or a database may not fit. */
const littleDisk = 1e9;

async function check(name: string, look: () => Promise<Finding>): Promise<Check> {
  try {
    return { name, ...(await look()) };
  } catch (error) {
    if (error instanceof AppError) return { name, state: "failed", reason: error.message };
    return { name, state: "failed", reason: reasonOf(error), fix: "run it again with --verbose" };
  }
}

async function lookAtData({ config }: Patient): Promise<Finding> {
  const { state } = config.folders;
  try {
    await mkdir(state, { recursive: true, mode: 0o700 });
    await access(state, constants.W_OK);
  } catch (error) {
    throw unwritable(state, error);
  }
  const { bavail, bsize } = await statfs(state);
  const free = bavail * bsize;
  const reason = `${state}, ${(free / 1e9).toFixed(1)} GB free`;
  if (free >= littleDisk) return { state: "ok", reason };
  return { state: "warning", reason, fix: "free some space: models and the database grow" };
}

async function lookAtStore({ store }: Patient): Promise<Finding> {
  const { tasks } = await (await store()).stats(0);
  const total = Object.values(tasks).reduce((sum, count) => sum + count, 0);
  return { state: "ok", reason: `${total} tasks` };
}

async function lookAtLogs({ config }: Patient): Promise<Finding> {
  const folder = path.join(config.folders.state, "logs");
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await access(folder, constants.W_OK);
    const names = await readdir(folder);
    return { state: "ok", reason: `${folder}, ${names.length} files` };
  } catch (error) {
    const fix = "check the folder's owner; until then nothing is logged";
    return { state: "warning", reason: `${folder}: ${reasonOf(error)}`, fix };
  }
}

function lookAtService({ kind }: Patient): Promise<Finding> {
  const reason = `process ${process.pid}`;
  if (kind === "service") return Promise.resolve({ state: "ok", reason });
  return Promise.resolve({ state: "off", reason: "none runs; agent serve starts one" });
}

/** Which hosts may be used, and whether their keys are there; no key is shown. */
async function lookAtCloud({ config, sources }: Patient): Promise<Finding> {
  const { settings } = await sources();
  const wanted = Object.values(settings.hosts).flatMap((host) =>
    "key" in host && typeof host.key === "string" ? [host.key] : [],
  );
  const have = [...new Set(wanted)].filter((name) => config.secrets(name) !== undefined);
  const keys = have.length === 0 ? "no key" : `keys ${have.join(", ")}`;
  if (settings.cloud === "never") {
    return { state: "off", reason: `never: nothing is sent to a cloud (${keys})` };
  }
  const state = have.length === 0 ? "warning" : "ok";
  const fix = have.length === 0 ? { fix: "run agent setup --key ANTHROPIC_API_KEY" } : {};
  return { state, reason: `${settings.cloud} (${keys})`, ...fix };
}

async function lookAtConfig({ config, sources }: Patient): Promise<Finding> {
  await sources();
  const agents = await config.agents();
  return { state: "ok", reason: `agents ${agents.map(({ name }) => name).join(", ")}` };
}

const cloudFix =
  "set OLLAMA_NO_CLOUD=1 where Ollama runs (systemctl edit ollama; on macOS: launchctl setenv OLLAMA_NO_CLOUD 1), then restart it";

async function lookAtHost(sources: ModelSources, name: string): Promise<Finding> {
  const host = sources.hosts.get(name);
  if (host === undefined) return { state: "off", reason: "not configured" };
  try {
    const [version, cloud] = await Promise.all([host.version(), host.cloudIsOn()]);
    const reason = `Ollama ${version}`;
    if (cloud !== true) return { state: "ok", reason };
    return { state: "warning", reason: `${reason} may call its cloud`, fix: cloudFix };
  } catch (error) {
    const fix = "start Ollama, or go on with the embedded model";
    return { state: "off", reason: reasonOf(error), fix };
  }
}

function lookAtEngine(): Promise<Finding> {
  if (!engineIsInstalled()) {
    const reason = new AppError("engine.missing").message;
    return Promise.resolve({ state: "off", reason });
  }
  const memory = (freemem() / 1e9).toFixed(1);
  return Promise.resolve({ state: "ok", reason: `node-llama-cpp, ${memory} GB of memory free` });
}

async function lookAtChoice({ router }: Patient): Promise<Finding> {
  const made = await router();
  const ways = await made.explain("local-fast");
  const way = ways.find(({ usable }) => usable);
  if (way !== undefined) return { state: "ok", reason: `${way.deployment}: ${way.reason}` };
  const fix = "run agent models pull smollm2-135m, or start Ollama";
  return { state: "failed", reason: "there is no model to answer with", fix };
}

/** Checks each part; the order is that of what depends on what. */
export async function examine(patient: Patient): Promise<Check[]> {
  const checks = [
    await check("node", () => Promise.resolve({ state: "ok", reason: process.version })),
    await check("data directory", () => lookAtData(patient)),
    await check("database", () => lookAtStore(patient)),
    await check("settings", () => lookAtConfig(patient)),
    await check("logs", () => lookAtLogs(patient)),
    await check("service", () => lookAtService(patient)),
    await check("cloud", () => lookAtCloud(patient)),
  ];
  const sources = await patient.sources().catch(() => undefined);
  for (const name of sources?.hosts.keys() ?? []) {
    if (sources !== undefined) checks.push(await check(name, () => lookAtHost(sources, name)));
  }
  checks.push(await check("embedded engine", lookAtEngine));
  checks.push(await check("model", () => lookAtChoice(patient)));
  return checks;
}
