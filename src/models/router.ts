import type { Clock } from "#core/clock.ts";
import { lazily } from "#core/lazy.ts";
import type { ModelStop } from "#core/model.ts";
import { owner } from "#core/person.ts";
import type { PrivacyRule } from "#core/privacy.ts";
import type { Attempt, TierName } from "#core/route.ts";
import type { RouteAsk, RoutedEvent, Router } from "#core/router.ts";
import type { ModelSettings } from "#core/settings.ts";

import { explainOption, type Sources } from "./candidates.ts";
import { createDesk } from "./desk.ts";
import { pause, type PersistDeps, type Run } from "./persisting.ts";
import type { Purse } from "./purse.ts";
import { createOptions } from "./options.ts";
import { tryRank } from "./ranking.ts";
import { type Standing, standingOf, withheldBy } from "./routing/policy.ts";
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

/** The router over the owner's settings. */
export function createRouter(deps: RouterDeps): Router {
  const { settings, sources, clock, purse, random = Math.random } = deps;
  const desk = createDesk(settings, clock);
  const optionsFor = createOptions(settings, sources);

  const totalMs = (host: string): number => totalMsOf(settings, host);
  const trying: PersistDeps = { clock, purse, totalMs, desk, toolless: new Set<string>(), random };

  const known = { isRecalled: false };
  const recall = lazily(async () => {
    const attempts = (await deps.lastAttempts?.()) ?? [];
    for (const attempt of attempts.toReversed()) desk.speeds.observe(attempt);
    known.isRecalled = true;
  });

  async function tryAll(run: Run, standing: Standing): Promise<ModelStop | undefined> {
    for await (const rank of optionsFor({ ...run.ask, standing })) {
      const stop = await tryRank(trying, run, rank);
      if (stop !== undefined) return stop;
    }
    for (const waitMs of busyWaitsMs) {
      const busy = run.busy.splice(0);
      if (busy.length === 0) return undefined;
      if (!(await pause(trying, waitMs, run))) return { type: "stop", reason: "aborted" };
      const stop = await tryRank(trying, run, busy);
      if (stop !== undefined) return stop;
    }
    return undefined;
  }

  async function work(ask: RouteAsk, voice: Voice, signal: AbortSignal): Promise<void> {
    const log = createTries(settings.use, ask);
    if (!known.isRecalled) await recall();
    const standing = standingOf(settings, ask, await deps.rulesFor(ask.task.id));
    const withheld = withheldBy(standing);
    const run: Run = { ask, voice, signal, log, withheld, tooSmall: 0, busy: [] };
    const stop = await tryAll(run, standing);
    voice.say({ type: "route", route: log.route() });
    voice.say(stop ?? { type: "stop", reason: "error", failure: log.nothingLeft() });
  }

  const stream = (ask: RouteAsk, signal: AbortSignal): AsyncGenerator<RoutedEvent> =>
    telling(signal, (voice, own) => work(ask, voice, own));

  async function warm(ask: RouteAsk, signal: AbortSignal) {
    if (!known.isRecalled) await recall();
    return warmUp(desk, optionsFor({ ...ask, ...idle }), { ask, signal });
  }

  return { stream, warm, explain: (tier) => explainTier(deps, tier) };
}

async function explainTier({ settings, sources, rulesFor }: RouterDeps, tier: TierName) {
  const forced = tier === "cloud-smart";
  const task = { id: null, chatId: "", personId: owner, conversation: 0, agent: "" };
  const whose = { task, isShared: false, holdsOthers: false };
  const ask = { tier, forced, ...whose, priority: "interactive" } as const;
  const standing = standingOf(settings, ask, await rulesFor(null));
  const wish = { tier, forced, sources: [], standing };
  const ranks = await Array.fromAsync(createOptions(settings, sources)(wish));
  return ranks.flat().map(explainOption);
}
