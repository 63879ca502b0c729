import { AppError } from "#core/errors.ts";
import type { Model, ModelStop } from "#core/model.ts";
import type { RouteAsk } from "#core/router.ts";

import { failedStop } from "./clients/answering.ts";
import { type Candidate, isCandidate, type Option } from "./candidates.ts";
import type { Desk } from "./desk.ts";

/** What was done. */
type Warmed = "nothing" | "loaded" | "read";

/** A first prompt of a full budget that takes longer than this is read ahead. */
const slowMs = 10_000;
const fullPrompt = 2000;

/** True where a host is known to read so slowly that a first prompt would keep a person waiting. */
function isSlow({ speeds }: Desk, { deployment }: Candidate): boolean {
  const { promptRate } = speeds.of(deployment);
  return promptRate !== undefined && (fullPrompt / promptRate) * 1000 > slowMs;
}

/** True where the host has read the beginning of this agent's prompts last, and so still knows it. */
function isRead(desk: Desk, { host, deployment }: Candidate, { task }: RouteAsk): boolean {
  const last = desk.lastAt(host);
  return last?.deployment === deployment && last.task.agent === task.agent;
}

/** Work of idle time, and what may end it. */
interface Idle {
  readonly ask: RouteAsk;
  readonly signal: AbortSignal;
}

const done: ModelStop = { type: "stop", reason: "end" };

/** Has the candidate read the prompt; it is asked for one token, since for none it would write without an end. */
async function read(model: Model, { ask, signal }: Idle): Promise<ModelStop> {
  const labels = [...new Set(ask.sources.map(({ label }) => label))];
  const request = { ...ask.build(model.limits), taskId: null, maxTokens: 1, labels };
  let last = done;
  for await (const event of model.stream(request, signal)) if (event.type === "stop") last = event;
  return last;
}

/** Makes the candidate ready. Throws what its model does. */
async function makeReady(desk: Desk, candidate: Candidate, work: Idle): Promise<Warmed> {
  const { ask, signal } = work;
  const model = await candidate.open(signal, null);
  if ((await model.load?.(signal)) === true) {
    desk.ended(candidate, ask, done);
    return "loaded";
  }
  if (!isSlow(desk, candidate) || isRead(desk, candidate, ask)) return "nothing";
  const stop = await read(model, work);
  desk.ended(candidate, ask, stop);
  if (stop.failure !== undefined || signal.aborted) return "nothing";
  desk.hasRead(candidate, ask);
  return "read";
}

/** The same; whoever asks next is told what failed, or is answered by another one. */
async function tryReady(desk: Desk, candidate: Candidate, work: Idle): Promise<Warmed> {
  try {
    return await makeReady(desk, candidate, work);
  } catch (error) {
    if (error instanceof AppError) desk.ended(candidate, work.ask, failedStop(error));
    return "nothing";
  }
}

/** Does what is worth doing in idle time for the first host at home that would answer; never rejects. */
export async function warmUp(
  desk: Desk,
  ranks: AsyncIterable<readonly Option[]>,
  work: Idle,
): Promise<Warmed> {
  for await (const rank of ranks) {
    const candidate = rank
      .filter(isCandidate)
      .find(({ trust, deployment }) => trust !== "cloud" && !desk.circuits.resting(deployment));
    if (candidate === undefined) continue;
    const seat = desk.seatNow(work.ask, [candidate]);
    if (seat === undefined) return "nothing";
    try {
      return await tryReady(desk, candidate, work);
    } finally {
      seat.leave();
    }
  }
  return "nothing";
}
