import { AppError, reasonOf } from "#core/errors.ts";
import type { Model } from "#core/model.ts";
import type { Attempt, Explained, TierName } from "#core/router.ts";
import type { DeploymentSettings, ModelSettings } from "#core/settings.ts";
import { trustOf } from "#core/trust.ts";

import { isCloudName } from "./cloud-name.ts";

/** A deployment that may be tried. */
export interface Candidate {
  readonly deployment: string;
  readonly tier: Attempt["tier"];
  readonly reason: string;
  /** A line that the person must see when this one answers. */
  readonly notice?: string;
  /** Makes the model ready; rejects with an AppError that says why it cannot be. */
  open(signal: AbortSignal): Promise<Model>;
}

/** A deployment that was passed over, and why. */
export interface Skipped {
  readonly deployment: string;
  readonly tier: Attempt["tier"];
  readonly why: AppError;
  /** The model that its host lacks and could get. */
  readonly pull?: string;
}

/** A candidate, or why there is none in its place. */
export type Option = Candidate | Skipped;

/** True for an option that may be tried. */
export function isCandidate(option: Option): option is Candidate {
  return "open" in option;
}

/** An installed model as a host lists it. */
export interface Installed {
  readonly name: string;
  readonly sizeBytes: number;
  readonly tools: boolean;
  /** True when the host would only pass the words on to a cloud. */
  readonly remote: boolean;
}

/** A model file on this machine. */
export interface Found {
  readonly name: string;
  /** A line that the person must see when it answers. */
  readonly notice?: string;
}

/** Where models come from. Each member may be slow the first time and is asked only when its turn has come. */
export interface Sources {
  /** What a host has installed; rejects with an AppError when it does not answer. */
  installed(host: string): Promise<readonly Installed[]>;
  /** The model of a deployment. */
  open(id: string, deployment: DeploymentSettings): Promise<Model>;
  readonly embedded: {
    /** The model of this name, or the best one, that is on this machine already. */
    find(name?: string): Promise<Found | undefined>;
    open(name: string): Promise<Model>;
    /** Gets a model, asking first where there is someone to ask; rejects with an AppError. */
    obtain(signal: AbortSignal): Promise<Model>;
    /** What `obtain` would get, in words; undefined when it can get nothing. */
    readonly offer: string | undefined;
    /** False where the engine was left out of the install. */
    readonly installed: boolean;
  };
}

/** What the owner asked for. */
export interface Wish {
  readonly tier: TierName;
  readonly forced: boolean;
  readonly avoid?: string;
}

function sameName(installed: string, wanted: string): boolean {
  return installed === wanted || installed === `${wanted}:latest`;
}

/** The options of a wish in the order of the house, the one that it would avoid last. */
export async function* options(
  settings: ModelSettings,
  sources: Sources,
  wish: Wish,
): AsyncGenerator<Option> {
  const avoided: Option[] = [];
  for await (const option of ordered(settings, sources, wish)) {
    if (option.deployment === wish.avoid) avoided.push(option);
    else yield option;
  }
  yield* avoided;
}

/** The owner's own, the tier's list, a stand-in, embedded. */
async function* ordered(
  settings: ModelSettings,
  sources: Sources,
  wish: Wish,
): AsyncGenerator<Option> {
  const { use } = settings;
  if (use !== null && !wish.forced) yield* ownChoice(settings, sources, { ...wish, use });
  const asksCloud = wish.tier === "cloud-smart" && wish.forced;
  const tier = wish.tier === "cloud-smart" && !asksCloud ? "local-smart" : wish.tier;
  yield* tierOptions(settings, sources, { ...wish, tier });
  // Who asked for the cloud is not answered by a small model here without being told.
  if (!asksCloud) yield* embeddedOptions(sources);
}

async function* ownChoice(
  settings: ModelSettings,
  sources: Sources,
  wish: Wish & { readonly use: string },
): AsyncGenerator<Option> {
  const { use, tier } = wish;
  const deployment = settings.deployments[use];
  const why = forbidden(settings, use, wish);
  if (why !== undefined) {
    yield { deployment: use, tier, why };
    return;
  }
  const reason = "your own choice (use in config/models.local.yaml)";
  if (deployment !== undefined) {
    yield { deployment: use, tier, reason, open: () => sources.open(use, deployment) };
    return;
  }
  const file = await sources.embedded.find(use);
  if (file !== undefined) {
    yield { deployment: use, tier: "embedded", reason, open: () => sources.embedded.open(use) };
    return;
  }
  const known = Object.keys(settings.deployments).join(", ");
  yield { deployment: use, tier, why: new AppError("usage.unknown-model", { model: use, known }) };
}

function isCloud(url: string): boolean {
  return trustOf(new URL(url).hostname) === "cloud";
}

/** True where the words of a request to this deployment would end beyond the home network. */
function leavesHome(settings: ModelSettings, id: string): boolean {
  const { host: name = "", model = "" } = settings.deployments[id] ?? {};
  const host = settings.hosts[name];
  if (host === undefined || host.kind === "scripted") return false;
  // An Ollama here passes such a name on; its own client refuses it always.
  return isCloud(host.url) || (host.kind !== "ollama" && isCloudName(model));
}

/**
 * Why a deployment may not be tried, by the one rule on clouds: what is beyond the home network hears nothing unless the owner
 * allowed it and the request itself asked for the cloud tier.
 */
function forbidden(settings: ModelSettings, id: string, wish: Wish): AppError | undefined {
  if (!leavesHome(settings, id)) return undefined;
  const isAllowed = settings.cloud !== "never";
  if (isAllowed && wish.forced && wish.tier === "cloud-smart") return undefined;
  const host = settings.hosts[settings.deployments[id]?.host ?? ""];
  // A plain name such as "nas" could point anywhere.
  const isPlain = host?.kind === "ollama" && !new URL(host.url).hostname.includes(".");
  if (isPlain) {
    const problem =
      "its host's name could point anywhere: give its IP address, or a name under .local or .home.arpa.";
    return new AppError("model.refused", { model: id, problem });
  }
  const problem = isAllowed
    ? "it runs in a cloud, and only a request that asks for it is sent there: add --tier cloud."
    : "nothing is sent to a cloud until you allow it: run agent config set models.cloud when-asked.";
  return new AppError("model.refused", { model: id, problem });
}

async function* tierOptions(
  settings: ModelSettings,
  sources: Sources,
  wish: Wish,
): AsyncGenerator<Option> {
  const { tier } = wish;
  let pull: string | undefined;
  for (const id of settings.tiers[tier]) {
    const deployment = settings.deployments[id];
    if (deployment === undefined) continue;
    const why = forbidden(settings, id, wish);
    if (why !== undefined) {
      yield { deployment: id, tier, why };
      continue;
    }
    const option = await listedOption(settings, sources, { id, deployment, tier });
    if (!isCandidate(option)) pull ??= option.pull;
    yield option;
  }
  if (pull !== undefined && tier !== "cloud-smart")
    yield* standIns(settings, sources, { tier, pull });
}

async function listedOption(
  settings: ModelSettings,
  sources: Sources,
  listed: { readonly id: string; readonly deployment: DeploymentSettings; readonly tier: TierName },
): Promise<Option> {
  const { id, deployment, tier } = listed;
  const candidate: Candidate = {
    deployment: id,
    tier,
    reason: `first of ${tier} that can be reached`,
    open: () => sources.open(id, deployment),
  };
  if (settings.hosts[deployment.host]?.kind !== "ollama") return candidate;
  try {
    const installed = await sources.installed(deployment.host);
    if (installed.some((model) => sameName(model.name, deployment.model))) return candidate;
    const fix = `run agent models pull ${deployment.model}`;
    const missing = { model: deployment.model, host: deployment.host, fix };
    return {
      deployment: id,
      tier,
      why: new AppError("model.missing", missing),
      pull: deployment.model,
    };
  } catch (error) {
    return { deployment: id, tier, why: asAppError(error, deployment.host) };
  }
}

function asAppError(error: unknown, host: string): AppError {
  if (error instanceof AppError) return error;
  const details = { host, problem: reasonOf(error) };
  return new AppError("model.unavailable", details, { cause: error });
}

/** Another installed model whose template knows tools: the smallest for fast, the largest for smart. */
async function* standIns(
  settings: ModelSettings,
  sources: Sources,
  wanted: { readonly tier: TierName; readonly pull: string },
): AsyncGenerator<Option> {
  const sign = wanted.tier === "local-fast" ? 1 : -1;
  for (const [host, settled] of Object.entries(settings.hosts)) {
    if (settled.kind !== "ollama" || isCloud(settled.url)) continue;
    const installed = await sources.installed(host).catch(() => []);
    const fit = installed
      .filter((model) => model.tools && !model.remote)
      .toSorted((a, b) => sign * (a.sizeBytes - b.sizeBytes))[0];
    if (fit === undefined) continue;
    const id = `${host}/${fit.name}`;
    const reason = `stands in for ${wanted.pull}, which is not on ${host}`;
    const notice = `${fit.name} answers, since ${wanted.pull} is not on ${host}: agent models pull ${wanted.pull} gets it.`;
    const standIn = { host, model: fit.name, context: 8192, max_answer: 2048, tools: true };
    yield {
      deployment: id,
      tier: wanted.tier,
      reason,
      notice,
      open: () => sources.open(id, standIn),
    };
  }
}

async function* embeddedOptions({ embedded }: Sources): AsyncGenerator<Option> {
  if (!embedded.installed) {
    const why = new AppError("engine.missing");
    yield { deployment: "embedded", tier: "embedded", why };
    return;
  }
  const here = await embedded.find();
  if (here !== undefined) {
    const reason = "a model file on this machine";
    yield {
      ...here,
      deployment: here.name,
      tier: "embedded",
      reason,
      open: () => embedded.open(here.name),
    };
    return;
  }
  const { offer } = embedded;
  if (offer === undefined) return;
  yield {
    deployment: "embedded",
    tier: "embedded",
    reason: offer,
    open: (signal) => embedded.obtain(signal),
  };
}

/** An option in words. */
export function explainOption(option: Option): Explained {
  const { deployment, tier } = option;
  return isCandidate(option)
    ? { deployment, tier, reason: option.reason, usable: true }
    : {
        deployment,
        tier,
        reason: option.why.message,
        usable: false,
        ...(option.pull === undefined ? {} : { pull: option.pull }),
      };
}
