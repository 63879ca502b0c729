import { AppError } from "#core/errors.ts";
import type { ModelStop } from "#core/model.ts";

import { type Candidate, isCandidate, type Option } from "./candidates.ts";
import { untilAborted } from "./clients/deadline.ts";
import type { Desk, Seat } from "./desk.ts";
import { persist, type PersistDeps, type Run } from "./persisting.ts";
import type { Rest } from "./routing/circuit.ts";

function resting(deployment: string, rest: Rest): AppError {
  const seconds = Math.ceil(rest.leftMs / 1000);
  const when = seconds === 0 ? "is being tried" : `is tried again in ${seconds} s`;
  return new AppError("model.resting", { model: deployment, why: rest.why, when });
}

/** Why a candidate is left alone for now; who is being tried by another request may be well soon, if there is nobody else. */
function restOf(run: Run, candidate: Candidate, { circuits }: Desk): AppError | undefined {
  const { deployment } = candidate;
  const rest = circuits.resting(deployment);
  if (rest === undefined) return undefined;
  if (rest.leftMs > 0 || run.ask.deadline !== undefined) return resting(deployment, rest);
  if (run.isLast) return undefined;
  run.busy.push(candidate);
  return resting(deployment, rest);
}

/** Why a candidate is of no use after a prompt was too long for others. */
function tooSmallFor({ tooSmall }: Run, { context, deployment }: Candidate): AppError | undefined {
  const isLarger = tooSmall === 0 || context === undefined || context > tooSmall;
  return isLarger ? undefined : new AppError("model.context-overflow", { model: deployment });
}

/** Why a candidate is of no use for an answer that is wanted soon; who was never measured may show what it can do. */
function tooLateFor(
  { ask: { deadline } }: Run,
  { deployment, host }: Candidate,
  { speeds, waitMs }: Desk,
): AppError | undefined {
  if (deadline === undefined) return undefined;
  const { ms, ...size } = deadline;
  const expectedMs = waitMs(host) + (speeds.workMs(deployment, false, size) ?? 0);
  const isBusy = waitMs(host) > 0;
  const seconds = ms / 1000;
  return isBusy || expectedMs > ms
    ? new AppError("model.late", { model: deployment, seconds })
    : undefined;
}

/** The candidates that are of use for this request now; the others are told why not. */
async function fitting(
  { desk, purse }: PersistDeps,
  run: Run,
  candidates: readonly Candidate[],
): Promise<Candidate[]> {
  const fit: Candidate[] = [];
  for (const candidate of candidates) {
    const late = tooLateFor(run, candidate, desk);
    const why = late ?? tooSmallFor(run, candidate) ?? restOf(run, candidate, desk);
    const isFree = why !== undefined || candidate.trust !== "cloud";
    const unfit = isFree ? why : await purse.spentCap({ ask: run.ask, candidate });
    if (unfit === undefined) fit.push(candidate);
    else run.log.drop(candidate, unfit);
  }
  return fit;
}

/** The end of another request's try, for who has nowhere else to go. */
function trialOf(run: Run, { deployment }: Candidate, { circuits }: Desk) {
  const waits = run.isLast && run.ask.deadline === undefined && !run.signal.aborted;
  return waits ? circuits.tried(deployment) : undefined;
}

async function trySeat(
  deps: PersistDeps,
  run: Run,
  { candidate, queuedMs }: Omit<Seat, "leave">,
): Promise<ModelStop | undefined> {
  const { desk } = deps;
  // Of hosts with several slots one is had at once. From the last look on nothing is waited for, or two would try at a time.
  for (let trial = trialOf(run, candidate, desk); trial !== undefined;) {
    await untilAborted(trial, run.signal);
    trial = trialOf(run, candidate, desk);
  }
  if (run.signal.aborted) return { type: "stop", reason: "aborted" };
  // It may have failed for somebody else while this one waited.
  const why = restOf(run, candidate, desk);
  if (why !== undefined) {
    run.log.drop(candidate, why);
    return undefined;
  }
  // What nobody waits for keeps nobody off while it tries.
  const isWell = desk.circuits.enter(candidate.deployment, run.ask.priority !== "background");
  try {
    return await persist(deps, run, { candidate, queuedMs, isWell });
  } finally {
    // However it ended, also because nobody listens any more: the next one may try.
    isWell?.();
  }
}

/** Tries options that are equally good, the one that will answer soonest first; gives the stop that ends the request. */
export async function tryRank(
  deps: PersistDeps,
  run: Run,
  rank: readonly Option[],
): Promise<ModelStop | undefined> {
  run.log.look(rank);
  const isNew = (option: Option): option is Candidate =>
    isCandidate(option) && !run.givenUp.includes(option.deployment);
  let pool = await fitting(deps, run, rank.filter(isNew));
  while (pool.length > 0) {
    const { ask, signal } = run;
    const now = signal.aborted ? undefined : deps.desk.seatNow(ask, pool);
    const seat = now ?? (await deps.desk.seat(run, pool));
    if (seat === undefined) return { type: "stop", reason: "aborted" };
    const stop = await trySeat(deps, run, seat).finally(seat.leave);
    if (stop !== undefined) return stop;
    const others = pool.filter((other) => other !== seat.candidate);
    pool = await fitting(deps, run, others.filter(isNew));
  }
  return undefined;
}
