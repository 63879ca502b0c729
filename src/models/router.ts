import type { Clock } from "#core/clock.ts";
import { AppError } from "#core/errors.ts";
import { lazily } from "#core/lazy.ts";
import type { ModelStop } from "#core/model.ts";
import { owner } from "#core/person.ts";
import type { PrivacyRule } from "#core/privacy.ts";
import type { Attempt, TierName } from "#core/route.ts";
import type { RouteAsk, RoutedEvent, Router } from "#core/router.ts";
import type { ModelSettings } from "#core/settings.ts";

import { type Candidate, explainOption, type Option, type Sources } from "./candidates.ts";
import { createDesk } from "./desk.ts";
import { pause, type PersistDeps, type Run } from "./persisting.ts";
import type { Purse } from "./purse.ts";
import { createOptions } from "./options.ts";
import { tryRank } from "./ranking.ts";
import { refusalOf, type Standing, standingOf, withheldBy } from "./routing/policy.ts";
import { telling, type Voice } from "./telling.ts";
import { createTries } from "./tries.ts";
import { warmUp } from "./warming.ts";

/** What the router works with. */
export interface RouterDeps {
  readonly settings: ModelSettings;
  readonly sources: Sources;
  readonly clock: Clock;
  readonly purse: Purse;
  /** What the owner decided for a task; null for what holds everywhere. */
  readonly rulesFor: (taskId: string | null) => Promise<ReadonlySet<PrivacyRule>>;
  /** What was answered lately, newest first, so that speeds are known from the start; absent where nothing is remembered. */
  readonly lastAttempts?: () => Promise<readonly Attempt[]>;
  /** A number from 0 to 1, so that those who wait do not all come back at once. */
  readonly random?: () => number;
}

const aborted: ModelStop = { type: "stop", reason: "aborted" };
const usualTotalMs = 30 * 60_000;
/** How long hosts that have too much to do are left alone before they are asked again. */
const busyWaitsMs = [700, 1400];

/** Milliseconds that one answer of a host may take. */
function totalMsOf({ hosts }: ModelSettings, name: string): number {
  const host = hosts[name];
  return host === undefined || host.kind === "scripted" ? usualTotalMs : host.total_seconds * 1000;
}

/** Nothing may go to a cloud, and nothing is got ready: for work that nobody asked for. */
const idle = {
  standing: { rules: new Set<never>(), mayGo: false, holdsOthers: false },
  deadline: { ms: 0, promptTokens: 0, answerTokens: 0 },
};

/** Why a cloud may not be asked by now: since the request began, or while it waited, the owner may have decided otherwise. */
async function refusedNow(
  { settings, rulesFor }: Pick<RouterDeps, "settings" | "rulesFor">,
  run: Run,
  { deployment }: Candidate,
): Promise<AppError | undefined> {
  const { ask } = run;
  const standing = standingOf(settings, ask, await rulesFor(ask.task.id));
  run.withheld = withheldBy(standing);
  const problem = refusalOf(settings, { standing, sources: ask.sources }, "cloud");
  if (problem === undefined) return undefined;
  return new AppError("model.refused", { model: deployment, problem });
}

interface TryAllDeps {
  readonly trying: PersistDeps;
  readonly optionsFor: ReturnType<typeof createOptions>;
}

/** Tries what there is, list by list, then again what had too much to do; gives the stop that ends the request. */
async function tryAll(
  deps: TryAllDeps,
  run: Run,
  standing: Standing,
): Promise<ModelStop | undefined> {
  const { trying, optionsFor } = deps;
  for await (const rank of optionsFor({ ...run.ask, standing }, run.signal)) {
    const stop = await tryRank(trying, run, rank);
    if (stop !== undefined) return stop;
    if (run.signal.aborted) return aborted;
  }
  for (const waitMs of busyWaitsMs) {
    const busy = run.busy.splice(0);
    if (busy.length === 0) return run.signal.aborted ? aborted : undefined;
    if (!(await pause(trying, waitMs, run))) return aborted;
    run.givenUp.length = 0;
    run.isLast = true;
    const stop = await tryRank(trying, run, busy);
    if (stop !== undefined) return stop;
  }
  return undefined;
}

/** The router over the owner's settings. */
export function createRouter(deps: RouterDeps): Router {
  const { settings, sources, clock, purse, random = Math.random } = deps;
  const desk = createDesk(settings, clock);
  const optionsFor = createOptions(settings, sources);

  const totalMs = (host: string): number => totalMsOf(settings, host);
  const trying: PersistDeps = { clock, purse, totalMs, desk, toolless: new Set<string>(), random };
  const parts: TryAllDeps = { trying, optionsFor };

  const known = { isRecalled: false };
  const recall = lazily(async () => {
    const attempts = (await deps.lastAttempts?.()) ?? [];
    // What their hosts knew before is not on record.
    for (const attempt of attempts.toReversed()) desk.speeds.observe(attempt, { hadBegun: true });
    known.isRecalled = true;
  });

  async function work(ask: RouteAsk, voice: Voice, signal: AbortSignal): Promise<void> {
    const log = createTries(settings.use, ask);
    if (!known.isRecalled) await recall();
    const standing = standingOf(settings, ask, await deps.rulesFor(ask.task.id));
    const withheld = withheldBy(standing);
    const run: Run = {
      ask,
      voice,
      signal,
      log,
      withheld,
      refused: (candidate) => refusedNow(deps, run, candidate),
      tooSmall: 0,
      busy: [],
      isLast: false,
      givenUp: [],
    };
    const stop = await tryAll(parts, run, standing);
    voice.say({ type: "route", route: log.route() });
    voice.say(stop ?? { type: "stop", reason: "error", failure: log.nothingLeft() });
  }

  const stream = (ask: RouteAsk, signal: AbortSignal): AsyncGenerator<RoutedEvent> =>
    telling(signal, (voice, own) => work(ask, voice, own));

  async function warm(ask: RouteAsk, signal: AbortSignal) {
    if (!known.isRecalled) await recall();
    return warmUp(desk, optionsFor({ ...ask, ...idle }, signal), { ask, signal });
  }

  return { stream, warm, explain: (tier) => explainTier(deps, tier) };
}

async function explainTier({ settings, sources, rulesFor }: RouterDeps, tier: TierName) {
  const forced = tier === "cloud-smart";
  const task = { id: null, chatId: "", personId: owner, conversation: 0, agent: "" };
  const whose = { task, isShared: false, holdsOthers: false };
  const ask = { tier, forced, ...whose, priority: "interactive" } as const;
  const standing = standingOf(settings, ask, await rulesFor(null));
  const wish = { tier, forced, sources: [], standing, priority: ask.priority };
  const ranks = await Array.fromAsync(
    createOptions(settings, sources)(wish, new AbortController().signal),
  );
  const options = ranks.flat();
  // A tier that helps out may list what was listed before; it is tried once.
  const isFirst = ({ deployment }: Option, at: number): boolean =>
    options.findIndex((option) => option.deployment === deployment) === at;
  return options.filter(isFirst).map(explainOption);
}
