import type { Clock } from "#core/clock.ts";
import type { AppError } from "#core/errors.ts";
import type { ModelStop } from "#core/model.ts";
import type { RouteAsk } from "#core/router.ts";
import type { Origin } from "#core/trust.ts";

import type { Candidate } from "./candidates.ts";
import type { Desk, Seat } from "./desk.ts";
import { type Verdict, verdictOf, waitMs } from "./routing/verdict.ts";
import type { Voice } from "./telling.ts";
import type { Tries } from "./tries.ts";
import { type Narrowed, type Tried, type TryDeps, tryOnce } from "./trying.ts";

/** One request on its way. */
export interface Run {
  readonly ask: RouteAsk;
  readonly voice: Voice;
  readonly signal: AbortSignal;
  readonly log: Tries;
  withheld: readonly Origin[];
  /** Why a cloud may not be asked any more; asked right before each try, and keeps `withheld` as it is by then. */
  readonly refused: (candidate: Candidate) => Promise<AppError | undefined>;
  /** Tokens of the context that was too small for it; 0 while none was. */
  tooSmall: number;
  /** Candidates whose hosts had too much to do, or that others try just now: they are tried again where nobody else answers. */
  readonly busy: Candidate[];
  /** True once there is nobody else: who is being tried by others is then waited for. */
  isLast: boolean;
  /** Deployments that did not answer: named again in another list they are not tried again. */
  readonly givenUp: string[];
}

/** What persisting works with. */
export interface PersistDeps extends TryDeps {
  readonly clock: Clock;
  readonly desk: Desk;
  /** Deployments that turned out to refuse tools. */
  readonly toolless: Set<string>;
  /** A number from 0 to 1, so that those who wait do not all come back at once. */
  readonly random: () => number;
}

const jitter = 0.2;
/** What is left of a context that turned out to be too small. */
const trimmed = 0.6;

/** How the same deployment is asked in another way; undefined where there is none that was not tried. */
function otherWay(verdict: Verdict, tried: Tried, within: Narrowed): Narrowed | undefined {
  const { limits, sent, stop, text } = tried;
  if (verdict === "withoutTools" && within.tools !== false) return { ...within, tools: false };
  if (verdict === "longer" && within.longer !== true) return { ...within, longer: true };
  if (verdict === "repair" && within.repair === undefined) {
    return { ...within, repair: { said: text, problem: stop.failure?.sentence ?? "" } };
  }
  if (verdict !== "smaller" || within.below !== undefined || limits === undefined) return undefined;
  const contextTokens = Math.floor(limits.contextTokens * trimmed);
  return { ...within, contextTokens, below: sent };
}

/** Waits before the same deployment is tried again; false when it was aborted. */
export async function pause(
  { clock, random }: PersistDeps,
  ms: number,
  run: Run,
): Promise<boolean> {
  await clock.sleep(ms * (1 + jitter * random()), run.signal);
  return !run.signal.aborted;
}

/** What is remembered of a candidate that did not answer. */
function giveUp(
  deps: PersistDeps,
  run: Run,
  failed: { readonly candidate: Candidate; readonly stop: ModelStop; readonly verdict: Verdict },
): undefined {
  const { candidate, stop, verdict } = failed;
  if (verdict === "smaller") run.tooSmall = Math.max(run.tooSmall, candidate.context ?? 0);
  if (verdict === "later") run.busy.push(candidate);
  run.givenUp.push(candidate.deployment);
  deps.desk.ended(candidate, run.ask, stop);
}

/** True for a cloud that may not be asked any more. */
async function isShut({ refused, log }: Run, candidate: Candidate): Promise<boolean> {
  const why = candidate.trust === "cloud" ? await refused(candidate) : undefined;
  if (why !== undefined) log.drop(candidate, why);
  return why !== undefined;
}

/** Tries one candidate until it answers, or is of no use any more; gives the stop that ends the request. */
export async function persist(
  deps: PersistDeps,
  run: Run,
  seat: Pick<Seat, "candidate" | "queuedMs"> & {
    /** For one that was left alone until now, which has one try to show that it is well again: called when it has begun to. */
    readonly isWell: (() => void) | undefined;
  },
): Promise<ModelStop | undefined> {
  const { desk, toolless } = deps;
  const { ask, voice, signal, log } = run;
  const { candidate, queuedMs, isWell } = seat;
  const { deployment } = candidate;
  // Who waits for it to be well again need not wait for the end of an answer.
  const begun = (): void => isWell?.();
  const one = { ask, candidate, voice, signal, queuedMs, begun };
  let within: Narrowed = toolless.has(deployment) ? { tools: false } : {};
  for (let tries = 1; ; tries += 1) {
    if (await isShut(run, candidate)) return undefined;
    const why = { notice: log.noticeFor(candidate), reason: log.reasonFor(candidate) };
    const tried = await tryOnce(deps, { ...one, ...why, withheld: run.withheld, within });
    const { stop, attempt } = tried;
    desk.learn(candidate, ask, tried);
    log.add(attempt, stop.failure);
    const verdict = verdictOf(stop, { ...tried, tries });
    if (verdict === "end") {
      // Only an answer without tools shows that it was they that were refused.
      const isProven = within.tools === false && stop.failure === undefined;
      if (isProven) toolless.add(deployment);
      desk.ended(candidate, ask, stop);
      return stop;
    }
    if (verdict === "again" && isWell === undefined) {
      if (await pause(deps, waitMs(stop, tries) ?? 0, run)) continue;
      return { type: "stop", reason: "aborted" };
    }
    const next = otherWay(verdict, tried, within);
    if (next === undefined) return giveUp(deps, run, { candidate, stop, verdict });
    within = next;
  }
}
