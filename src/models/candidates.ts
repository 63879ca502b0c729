import { AppError, reasonOf } from "#core/errors.ts";
import type { Model } from "#core/model.ts";
import type { Attempt, Explained, TierName } from "#core/route.ts";
import type { RouteAsk } from "#core/router.ts";
import type { DeploymentSettings, ModelSettings } from "#core/settings.ts";
import { type Trust, trustOf } from "#core/trust.ts";

import { isCloudName } from "./cloud-name.ts";
import { refusalOf, type Standing } from "./routing/policy.ts";

/** A deployment that may be tried. */
export interface Candidate {
  readonly deployment: string;
  readonly tier: Attempt["tier"];
  readonly reason: string;
  /** The host whose slots its work takes. */
  readonly host: string;
  readonly trust: Exclude<Trust, "platform">;
  /** Among equals the heavier one goes first. */
  readonly weight: number;
  /** Tokens of prompt and answer together; absent where only the model itself knows. */
  readonly context?: number;
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

/** What is asked for, and how far its words may go. */
export interface Wish extends Pick<RouteAsk, "tier" | "forced" | "sources" | "avoid" | "deadline"> {
  readonly standing: Standing;
}

/** What options are made from. */
interface Given {
  readonly settings: ModelSettings;
  readonly sources: Sources;
  readonly trusts: (deployment: DeploymentSettings) => Candidate["trust"];
  readonly wish: Wish;
}

function sameName(installed: string, wanted: string): boolean {
  return installed === wanted || installed === `${wanted}:latest`;
}

/**
 * The options of a wish in the order of the house: those of one list are equally good. What it would avoid comes last. Lists come
 * one by one, since a later one may be slow to make.
 */
export function createOptions(
  settings: ModelSettings,
  sources: Sources,
): (wish: Wish) => AsyncGenerator<Option[]> {
  const known = new Map<DeploymentSettings, Candidate["trust"]>();
  /** Told once, since an address has to be read for it. */
  function trusts(deployment: DeploymentSettings): Candidate["trust"] {
    const trust = known.get(deployment) ?? trustOfDeployment(settings, deployment);
    known.set(deployment, trust);
    return trust;
  }
  return (wish) => {
    const given = { settings, sources, trusts, wish };
    return wish.avoid === undefined ? ordered(given) : withLast(given, wish.avoid);
  };
}

/** The options with what would be avoided at their end. */
async function* withLast(given: Given, avoid: string): AsyncGenerator<Option[]> {
  const avoided: Option[] = [];
  for await (const rank of ordered(given)) {
    const isAvoided = ({ deployment }: Option): boolean => deployment === avoid;
    avoided.push(...rank.filter(isAvoided));
    const kept = rank.filter((option) => !isAvoided(option));
    if (kept.length > 0) yield kept;
  }
  if (avoided.length > 0) yield avoided;
}

/** The owner's own, the tier's lists, those of the next tier, a stand-in, embedded, and a cloud where it may help out. */
async function* ordered(given: Given): AsyncGenerator<Option[]> {
  const { settings, wish } = given;
  if (wish.deadline !== undefined) {
    yield* tierOptions(given, wish.tier);
    return;
  }
  if (settings.use !== null && !wish.forced) yield [await ownChoice(given, settings.use)];
  const asksCloud = wish.tier === "cloud-smart" && wish.forced;
  // Who asked for a cloud that no rule allows is told so, and not answered by something else.
  if (asksCloud && !(yield* anyOf(tierOptions(given, "cloud-smart")))) return;
  // A tier helps out where the one below it fails.
  if (wish.tier === "local-fast") yield* tierOptions(given, "local-fast");
  yield* tierOptions(given, "local-smart");
  yield* lastOptions(given, asksCloud);
}

/** What answers where no tier at home does; who asked for a cloud is not answered by a toy. */
async function* lastOptions(given: Given, asksCloud: boolean): AsyncGenerator<Option[]> {
  const here = await given.sources.embedded.find();
  // A toy, or one that would have to be downloaded first, goes behind a cloud that may help out.
  const isModel = here !== undefined && here.notice === undefined;
  const embedded = embeddedOptions(given.sources, here);
  if (isModel) yield embedded;
  if (asksCloud) return;
  if (given.wish.standing.mayGo) yield* tierOptions(given, "cloud-smart");
  if (!isModel && embedded.length > 0) yield embedded;
}

/** The ranks as they come; true where any of their options may be tried. */
async function* anyOf(ranks: AsyncIterable<Option[]>): AsyncGenerator<Option[], boolean> {
  let found = false;
  for await (const rank of ranks) {
    found ||= rank.some(isCandidate);
    yield rank;
  }
  return found;
}

async function ownChoice(given: Given, use: string): Promise<Option> {
  const { settings, sources, wish } = given;
  const { tier } = wish;
  const reason = "your own choice (use in config/models.local.yaml)";
  if (settings.deployments[use] !== undefined) return candidateOf(given, { id: use, tier, reason });
  const file = await sources.embedded.find(use);
  if (file !== undefined) {
    return embeddedCandidate({ deployment: use, reason, open: () => sources.embedded.open(use) });
  }
  const known = Object.keys(settings.deployments).join(", ");
  return { deployment: use, tier, why: new AppError("usage.unknown-model", { model: use, known }) };
}

/** How far words go that are sent to a deployment. */
export function trustOfDeployment(
  settings: Pick<ModelSettings, "hosts">,
  { host: name, model }: Pick<DeploymentSettings, "host" | "model">,
): Candidate["trust"] {
  const host = settings.hosts[name];
  if (host === undefined || host.kind === "scripted") return "local";
  // An Ollama here passes such a name on; its own client refuses it always.
  if (host.kind !== "ollama" && isCloudName(model)) return "cloud";
  return trustOf(new URL(host.url).hostname);
}

/** Why the wish's words may not go there. */
function refused(
  { settings, wish, trusts }: Given,
  { id, deployment }: { readonly id: string; readonly deployment: DeploymentSettings },
): AppError | undefined {
  const problem = refusalOf(settings, wish, trusts(deployment));
  if (problem === undefined) return undefined;
  const host = settings.hosts[deployment.host];
  // A plain name such as "nas" could point anywhere.
  const isPlain = host?.kind === "ollama" && !new URL(host.url).hostname.includes(".");
  const plain =
    "its host's name could point anywhere: give its IP address, or a name under .local or .home.arpa.";
  return new AppError("model.refused", { model: id, problem: isPlain ? plain : problem });
}

interface Listed {
  readonly id: string;
  readonly tier: TierName;
  readonly reason: string;
}

/** The candidate of a deployment, unless its words may not go there. */
function candidateOf(given: Given, { id, tier, reason }: Listed): Option {
  const { settings, sources } = given;
  const deployment = settings.deployments[id];
  if (deployment === undefined) {
    const problem = "it is not among deployments in config/models.yaml.";
    return { deployment: id, tier, why: new AppError("model.refused", { model: id, problem }) };
  }
  const why = refused(given, { id, deployment });
  if (why !== undefined) return { deployment: id, tier, why };
  return {
    deployment: id,
    tier,
    reason,
    host: deployment.host,
    trust: given.trusts(deployment),
    weight: deployment.weight,
    context: deployment.context,
    open: () => sources.open(id, deployment),
  };
}

async function* tierOptions(given: Given, tier: TierName): AsyncGenerator<Option[]> {
  let pull: string | undefined;
  for (const entry of given.settings.tiers[tier]) {
    const ids = typeof entry === "string" ? [entry] : entry;
    const rank = await Promise.all(ids.map((id) => listedOption(given, { id, tier })));
    for (const option of rank) if (!isCandidate(option)) pull ??= option.pull;
    yield rank;
  }
  const mayStandIn = tier !== "cloud-smart" && given.wish.deadline === undefined;
  if (pull !== undefined && mayStandIn) yield* standIns(given, { tier, pull });
}

async function listedOption(given: Given, { id, tier }: Omit<Listed, "reason">): Promise<Option> {
  const { settings, sources } = given;
  const option = candidateOf(given, { id, tier, reason: `of ${tier}` });
  const deployment = settings.deployments[id];
  if (deployment === undefined || !isCandidate(option)) return option;
  const { host, model } = deployment;
  if (settings.hosts[host]?.kind !== "ollama") return option;
  try {
    const installed = await sources.installed(host);
    const found = installed.find(({ name }) => sameName(name, model));
    if (found?.remote === true) {
      const problem = "it runs in a cloud, though a host here lists it: choose one that runs here.";
      return { deployment: id, tier, why: new AppError("model.refused", { model, problem }) };
    }
    if (found !== undefined) return option;
    const missing = { model, host, fix: `run agent models pull ${model}` };
    return { deployment: id, tier, why: new AppError("model.missing", missing), pull: model };
  } catch (error) {
    return { deployment: id, tier, why: asAppError(error, host) };
  }
}

function asAppError(error: unknown, host: string): AppError {
  if (error instanceof AppError) return error;
  const details = { host, problem: reasonOf(error) };
  return new AppError("model.unavailable", details, { cause: error });
}

/** Another installed model whose template knows tools: the smallest for fast, the largest for smart. */
async function* standIns(
  { settings, sources, wish }: Given,
  wanted: { readonly tier: TierName; readonly pull: string },
): AsyncGenerator<Option[]> {
  const sign = wanted.tier === "local-fast" ? 1 : -1;
  for (const [host, settled] of Object.entries(settings.hosts)) {
    if (settled.kind !== "ollama") continue;
    const trust = trustOf(new URL(settled.url).hostname);
    if (refusalOf(settings, wish, trust) !== undefined) continue;
    const installed = await sources.installed(host).catch(() => []);
    const fit = installed
      .filter((model) => model.tools && !model.remote)
      .toSorted((a, b) => sign * (a.sizeBytes - b.sizeBytes))[0];
    if (fit === undefined) continue;
    const id = `${host}/${fit.name}`;
    const reason = `stands in for ${wanted.pull}, which is not on ${host}`;
    const notice = `${fit.name} answers, since ${wanted.pull} is not on ${host}: agent models pull ${wanted.pull} gets it.`;
    const standIn = { ...standInSettings, host, model: fit.name };
    const open = (): Promise<Model> => sources.open(id, standIn);
    yield [{ deployment: id, tier: wanted.tier, reason, notice, host, trust, weight: 1, open }];
  }
}

const standInSettings = { context: 8192, max_answer: 2048, tools: true, weight: 1 } as const;

/** Embedded models share one engine, as those of a host share its slots. */
const embeddedPlace = { tier: "embedded", host: "embedded", trust: "local", weight: 1 } as const;

function embeddedCandidate(
  own: Pick<Candidate, "deployment" | "reason" | "notice" | "open">,
): Candidate {
  return { ...embeddedPlace, ...own };
}

function embeddedOptions({ embedded }: Sources, here: Found | undefined): Option[] {
  if (!embedded.installed) {
    return [{ deployment: "embedded", tier: "embedded", why: new AppError("engine.missing") }];
  }
  if (here !== undefined) {
    const { name, notice } = here;
    const reason = "a model file on this machine";
    const own = { deployment: name, reason, open: () => embedded.open(name) };
    return [embeddedCandidate(notice === undefined ? own : { ...own, notice })];
  }
  const { offer } = embedded;
  if (offer === undefined) return [];
  const open = (signal: AbortSignal): Promise<Model> => embedded.obtain(signal);
  return [embeddedCandidate({ deployment: "embedded", reason: offer, open })];
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
