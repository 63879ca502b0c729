import { AppError, reasonOf } from "#core/errors.ts";
import type { Model } from "#core/model.ts";
import type { TierName } from "#core/route.ts";
import type { RouteAsk } from "#core/router.ts";
import type { ModelSettings } from "#core/settings.ts";
import { trustOf } from "#core/trust.ts";

import {
  type Candidate,
  type Found,
  isCandidate,
  type Option,
  type Sources,
  trustOfDeployment,
} from "./candidates.ts";
import { untilAborted } from "./clients/deadline.ts";
import type { Installed } from "./clients/ollama-host.ts";
import { refusalOf, type Standing } from "./routing/policy.ts";

/** What is asked for, and how far its words may go. */
export interface Wish extends Pick<
  RouteAsk,
  "tier" | "forced" | "sources" | "avoid" | "deadline" | "priority"
> {
  readonly standing: Standing;
}

/** A deployment as a tier lists it. */
interface Listed {
  readonly id: string;
  readonly tier: TierName;
  /** Refused or not; undefined where the settings have none of this name. */
  readonly candidate: Candidate | undefined;
}

/** One deployment of a tier, or several that are equally good. */
type TierEntry = ModelSettings["tiers"][TierName][number];

/** The deployments of an entry; of equals the heavier one goes first. */
type Listing = (tier: TierName, entry: TierEntry) => readonly Listed[];

/** What options are made from. */
interface Given {
  readonly settings: ModelSettings;
  readonly sources: Sources;
  readonly listed: Listing;
  readonly wish: Wish;
  readonly signal: AbortSignal;
  /** Why the wish's words may not go to a host of this trust. */
  readonly refusal: (trust: Candidate["trust"]) => string | undefined;
}

/** The function, asked once for each argument. */
function rememberedBy<Key, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<Key, { readonly value: Value }>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined) return found.value;
    const value = make(key);
    known.set(key, { value });
    return value;
  };
}

/** The deployments of the settings; what does not change from one request to the next is worked out once. */
function createListing(settings: ModelSettings, sources: Sources): Listing {
  const weightOf = (id: string): number => settings.deployments[id]?.weight ?? 1;

  function list(tier: TierName, id: string): Listed {
    const deployment = settings.deployments[id];
    if (deployment === undefined) return { id, tier, candidate: undefined };
    const { host, model, context } = deployment;
    const isOllama = settings.hosts[host]?.kind === "ollama";
    const candidate: Candidate = {
      deployment: id,
      tier,
      reason: `listed in ${tier}`,
      host,
      trust: trustOfDeployment(settings, deployment),
      context,
      ...(isOllama ? { wanted: { model, latest: `${model}:latest` } } : {}),
      open: () => sources.open(id, deployment),
    };
    return { id, tier, candidate };
  }

  const ofTier = rememberedBy((tier: TierName) =>
    rememberedBy((entry: TierEntry) => {
      const ids = typeof entry === "string" ? [entry] : entry;
      return ids.toSorted((a, b) => weightOf(b) - weightOf(a)).map((id) => list(tier, id));
    }),
  );
  return (tier, entry) => ofTier(tier)(entry);
}

/**
 * The options of a wish in the order of the house: those of one list are equally good. What it would avoid comes last. Lists come
 * one by one, since a later one may be slow to make; none comes when the signal has aborted.
 */
export function createOptions(
  settings: ModelSettings,
  sources: Sources,
): (wish: Wish, signal: AbortSignal) => AsyncGenerator<Option[]> {
  const listed = createListing(settings, sources);
  return (wish, signal) => {
    const refusal = rememberedBy((trust: Candidate["trust"]) => refusalOf(settings, wish, trust));
    const given = { settings, sources, listed, wish, signal, refusal };
    return wish.avoid === undefined ? ordered(given) : withLast(given, wish.avoid);
  };
}

/** The options with what would be avoided behind all that are as good, and before what only helps out where none of those can. */
async function* withLast(given: Given, avoid: string): AsyncGenerator<Option[]> {
  const avoided: Option[] = [];
  for await (const rank of ordered(given)) {
    if (rank.length === 0 && avoided.length > 0) yield avoided.splice(0);
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
  if (settings.use !== null && !wish.forced) {
    const own = await ownChoice(given, settings.use);
    if (given.signal.aborted) return;
    yield [own];
  }
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
  const embedded = embeddedOptions(given, here);
  if (isModel) yield embedded;
  // From here on comes what only helps out: a cloud, a toy, a download.
  if (given.wish.avoid !== undefined) yield [];
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
  const [own] = given.listed(tier, use);
  if (own?.candidate !== undefined) {
    const option = candidateOf(given, own);
    if (!isCandidate(option)) return option;
    const { lists, asked } = installedFor(sources, [option]);
    await untilAborted(Promise.all(asked), given.signal);
    const listed = ifInstalled(option, lists);
    // A host that lacks it, or does not answer, says so itself when it is asked.
    const isRemote = !isCandidate(listed) && listed.why.code === "model.refused";
    return isRemote ? listed : { ...option, reason };
  }
  const file = await sources.embedded.find(use);
  if (file !== undefined) {
    return embeddedCandidate({ deployment: use, reason, open: () => sources.embedded.open(use) });
  }
  const known = Object.keys(settings.deployments).join(", ");
  return { deployment: use, tier, why: new AppError("usage.unknown-model", { model: use, known }) };
}

/** Why the wish's words may not go there. */
function refused(
  { settings, refusal }: Given,
  { deployment, host, trust }: Candidate,
): AppError | undefined {
  const problem = refusal(trust);
  if (problem === undefined) return undefined;
  const settled = settings.hosts[host];
  // A plain name such as "nas" could point anywhere.
  const isPlain = settled?.kind === "ollama" && !new URL(settled.url).hostname.includes(".");
  const plain =
    "its host's name could point anywhere: give its IP address, or a name under .local or .home.arpa.";
  return new AppError("model.refused", { model: deployment, problem: isPlain ? plain : problem });
}

/** The candidate of a deployment, unless its words may not go there. */
function candidateOf(given: Given, { id, tier, candidate }: Listed): Option {
  if (candidate === undefined) {
    const problem = "it is not among deployments in config/models.yaml.";
    return { deployment: id, tier, why: new AppError("model.refused", { model: id, problem }) };
  }
  const why = refused(given, candidate);
  return why === undefined ? candidate : { deployment: id, tier, why };
}

async function* tierOptions(given: Given, tier: TierName): AsyncGenerator<Option[]> {
  let pull: string | undefined;
  for (const entry of given.settings.tiers[tier]) {
    const allowed = given.listed(tier, entry).map((one) => candidateOf(given, one));
    const { lists, asked } = installedFor(given.sources, allowed);
    if (asked.length > 0) {
      await untilAborted(Promise.all(asked), given.signal);
      if (given.signal.aborted) return;
    }
    const rank = allowed.map((option) => ifInstalled(option, lists));
    for (const option of rank) if (!isCandidate(option)) pull ??= option.pull;
    yield rank;
  }
  const mayStandIn = tier !== "cloud-smart" && given.wish.deadline === undefined;
  if (pull !== undefined && mayStandIn) yield* standIns(given, { tier, pull });
}

/** What each host that lists its models has installed, or why it does not say. */
type Lists = ReadonlyMap<string, readonly Installed[] | AppError>;

/** Asks the hosts of what is allowed, each once; the lists are whole when those that had to be `asked` have said theirs. */
function installedFor(
  sources: Sources,
  allowed: readonly Option[],
): { readonly lists: Lists; readonly asked: readonly Promise<unknown>[] } {
  const lists = new Map<string, readonly Installed[] | AppError>();
  const asked: Promise<unknown>[] = [];
  for (const option of allowed) {
    if (!isCandidate(option) || option.wanted === undefined) continue;
    const { host } = option;
    if (lists.has(host)) continue;
    const list = sources.installed(host);
    lists.set(host, list instanceof Promise ? [] : list);
    if (!(list instanceof Promise)) continue;
    const failed = (error: unknown): AppError => asAppError(error, host);
    asked.push(list.catch(failed).then((answer) => lists.set(host, answer)));
  }
  return { lists, asked };
}

/** The option, or why its host cannot answer with it. */
function ifInstalled(option: Option, lists: Lists): Option {
  if (!isCandidate(option) || option.wanted === undefined) return option;
  const { host, deployment: id, tier, wanted } = option;
  const list = lists.get(host) ?? [];
  if (list instanceof AppError) return { deployment: id, tier, why: list };
  const { model, latest } = wanted;
  const found = list.find(({ name }) => name === model || name === latest);
  if (found?.remote === true) {
    const problem = "it runs in a cloud, though a host here lists it: choose one that runs here.";
    return { deployment: id, tier, why: new AppError("model.refused", { model, problem }) };
  }
  if (found !== undefined) return option;
  const missing = { model, host, fix: `run agent models pull ${model}` };
  return { deployment: id, tier, why: new AppError("model.missing", missing), pull: model };
}

function asAppError(error: unknown, host: string): AppError {
  if (error instanceof AppError) return error;
  const details = { host, problem: reasonOf(error) };
  return new AppError("model.unavailable", details, { cause: error });
}

/** Another installed model whose template knows tools: the smallest for fast, the largest for smart. */
async function* standIns(
  { settings, sources, signal, refusal }: Given,
  wanted: { readonly tier: TierName; readonly pull: string },
): AsyncGenerator<Option[]> {
  const sign = wanted.tier === "local-fast" ? 1 : -1;
  for (const [host, settled] of Object.entries(settings.hosts)) {
    if (settled.kind !== "ollama") continue;
    const trust = trustOf(new URL(settled.url).hostname);
    if (refusal(trust) !== undefined) continue;
    const list = Promise.resolve(sources.installed(host)).catch(() => []);
    await untilAborted(list, signal);
    if (signal.aborted) return;
    const installed = await list;
    const fit = installed
      .filter((model) => model.tools && !model.remote)
      .toSorted((a, b) => sign * (a.sizeBytes - b.sizeBytes))[0];
    if (fit === undefined) continue;
    const own = Object.entries(settings.deployments).find(
      ([, { host: at, model }]) =>
        at === host && (model === fit.name || `${model}:latest` === fit.name),
    );
    // Asked for with other options than its own deployment's, it would be loaded anew each time.
    const [id, standIn] = own ?? [
      `${host}/${fit.name}`,
      { ...standInSettings, host, model: fit.name },
    ];
    const reason = `stands in for ${wanted.pull}, which is not on ${host}`;
    const notice = `${fit.name} answers, since ${wanted.pull} is not on ${host}: agent models pull ${wanted.pull} gets it.`;
    const open = (): Promise<Model> => sources.open(id, standIn);
    yield [{ deployment: id, tier: wanted.tier, reason, notice, host, trust, open }];
  }
}

const standInSettings = { context: 8192, max_answer: 2048, tools: true, weight: 1 } as const;

/** Embedded models share one engine, as those of a host share its slots. */
const embeddedPlace = { tier: "embedded", host: "embedded", trust: "local" } as const;

function embeddedCandidate(
  own: Pick<Candidate, "deployment" | "reason" | "notice" | "open">,
): Candidate {
  return { ...embeddedPlace, ...own };
}

function embeddedOptions(
  { sources: { embedded }, wish }: Pick<Given, "sources" | "wish">,
  here: Found | undefined,
): Option[] {
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
  // A download asks a cloud for it.
  if (wish.standing.rules.has("local-only")) return [];
  // Nobody waits for what nobody asked for: a model is not downloaded for it.
  if (wish.priority === "background") return [];
  const open: Candidate["open"] = (signal, taskId) => embedded.obtain(signal, taskId);
  return [embeddedCandidate({ deployment: "embedded", reason: offer, open })];
}
