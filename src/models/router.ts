import type { Clock } from "#core/clock.ts";
import { AppError } from "#core/errors.ts";
import { lazily } from "#core/lazy.ts";
import type { ModelStop } from "#core/model.ts";
import { owner } from "#core/person.ts";
import type { PrivacyRule } from "#core/privacy.ts";
import type { Attempt, RouteAsk, RoutedEvent, Router, TierName } from "#core/router.ts";
import type { ModelSettings } from "#core/settings.ts";

import {
  type Candidate,
  explainOption,
  isCandidate,
  type Option,
  options,
  type Sources,
} from "./candidates.ts";
import { createDesk, type Desk } from "./desk.ts";
import { persist, type Run } from "./persisting.ts";
import type { Purse } from "./purse.ts";
import { standingOf, withheldBy } from "./routing/policy.ts";
import { createTries } from "./tries.ts";

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

/** Why a candidate is left alone for now. */
function restOf({ deployment }: Candidate, { circuits }: Desk): AppError | undefined {
  const rest = circuits.resting(deployment);
  if (rest === undefined) return undefined;
  const seconds = Math.ceil(rest.leftMs / 1000);
  const when = seconds === 0 ? "is being tried" : `is tried again in ${seconds} s`;
  return new AppError("model.resting", { model: deployment, why: rest.why, when });
}

/** Why a candidate is of no use after a prompt was too long for others. */
function tooSmallFor({ tooSmall }: Run, { context, deployment }: Candidate): AppError | undefined {
  const isLarger = tooSmall === 0 || context === undefined || context > tooSmall;
  return isLarger ? undefined : new AppError("model.context-overflow", { model: deployment });
}

/** The router over the owner's settings. */
export function createRouter(deps: RouterDeps): Router {
  const { settings, sources, clock, purse, random = Math.random } = deps;
  const desk = createDesk(settings, clock);

  function totalMs(host: string): number {
    const given = settings.hosts[host];
    return given === undefined || given.kind === "scripted"
      ? usualTotalMs
      : given.total_seconds * 1000;
  }

  const persisting = { clock, purse, totalMs, desk, toolless: new Set<string>(), random };

  const recall = lazily(async () => {
    const attempts = (await deps.lastAttempts?.()) ?? [];
    for (const attempt of attempts.toReversed()) desk.speeds.observe(attempt);
  });

  /** Why a candidate is of no use for this request any more. */
  async function unfit(run: Run, candidate: Candidate): Promise<AppError | undefined> {
    const { ask } = run;
    const why = restOf(candidate, desk) ?? tooSmallFor(run, candidate);
    return why ?? (await purse.spentCap({ ask, candidate }));
  }

  async function fitting(run: Run, candidates: readonly Candidate[]): Promise<Candidate[]> {
    const fit: Candidate[] = [];
    for (const candidate of candidates) {
      const why = await unfit(run, candidate);
      if (why === undefined) fit.push(candidate);
      else run.log.drop(candidate, why);
    }
    return fit;
  }

  /** Tries the candidates of one rank, the one that will answer soonest first; gives the stop that ends the request. */
  async function* tryRank(
    run: Run,
    rank: readonly Option[],
  ): AsyncGenerator<RoutedEvent, ModelStop | undefined> {
    for (const option of rank) run.log.look(option);
    let pool = await fitting(run, rank.filter(isCandidate));
    while (pool.length > 0) {
      const seat = yield* desk.seat(run.ask, pool, run.signal);
      if (seat === undefined) return { type: "stop", reason: "aborted" };
      const { candidate, leave } = seat;
      try {
        // It may have failed for somebody else while this one waited.
        const why = restOf(candidate, desk);
        if (why === undefined) {
          const stop = yield* persist(persisting, run, seat);
          if (stop !== undefined) return stop;
        } else run.log.drop(candidate, why);
      } finally {
        leave();
      }
      pool = await fitting(
        run,
        pool.filter((other) => other !== candidate),
      );
    }
    return undefined;
  }

  async function* stream(ask: RouteAsk, signal: AbortSignal): AsyncGenerator<RoutedEvent> {
    const log = createTries(settings.use, ask);
    await recall();
    const standing = standingOf(settings, ask, await deps.rulesFor(ask.task.id));
    const run: Run = { ask, signal, log, withheld: withheldBy(standing), tooSmall: 0 };
    let stop: ModelStop | undefined;
    for await (const rank of options(settings, sources, { ...ask, standing })) {
      stop = yield* tryRank(run, rank);
      if (stop !== undefined) break;
    }
    yield { type: "route", route: log.route() };
    yield stop ?? { type: "stop", reason: "error", failure: log.nothingLeft() };
  }

  return { stream, explain: (tier) => explainTier(deps, tier) };
}

async function explainTier({ settings, sources, rulesFor }: RouterDeps, tier: TierName) {
  const forced = tier === "cloud-smart";
  const task = { id: "", chatId: "", personId: owner, conversation: 0, agent: "" };
  const ask = { tier, forced, task, isShared: false, priority: "interactive" } as const;
  const standing = standingOf(settings, ask, await rulesFor(null));
  const wish = { tier, forced, sources: [], standing };
  const ranks = await Array.fromAsync(options(settings, sources, wish));
  return ranks.flat().map(explainOption);
}
