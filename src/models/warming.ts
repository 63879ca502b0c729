import type { RouteAsk } from "#core/router.ts";

import { type Candidate, isCandidate, type Option } from "./candidates.ts";
import type { Desk } from "./desk.ts";

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
  return last?.deployment === deployment && last.agent === task.agent;
}

/** Has the candidate read the prompt; it is asked for one token, since for none it would write without an end. */
async function read(
  desk: Desk,
  candidate: Candidate,
  { ask, signal }: { readonly ask: RouteAsk; readonly signal: AbortSignal },
): Promise<"nothing" | "read"> {
  const model = await candidate.open(signal, null);
  const labels = [...new Set(ask.sources.map(({ label }) => label))];
  const request = { ...ask.build(model.limits), taskId: null, maxTokens: 1, labels };
  for await (const event of model.stream(request, signal)) {
    if (event.type !== "stop" || event.failure !== undefined || signal.aborted) continue;
    desk.hasRead(candidate, ask);
    return "read";
  }
  return "nothing";
}

/** Does what is worth doing in idle time for the first host at home that would answer; never rejects. */
export async function warmUp(
  desk: Desk,
  ranks: AsyncIterable<readonly Option[]>,
  work: { readonly ask: RouteAsk; readonly signal: AbortSignal },
): Promise<"nothing" | "loaded" | "read"> {
  try {
    return await warmFirst(desk, ranks, work);
  } catch {
    // Nobody waits for it: who asks next is told what is wrong.
    return "nothing";
  }
}

async function warmFirst(
  desk: Desk,
  ranks: AsyncIterable<readonly Option[]>,
  work: { readonly ask: RouteAsk; readonly signal: AbortSignal },
): Promise<"nothing" | "loaded" | "read"> {
  const { ask, signal } = work;
  for await (const rank of ranks) {
    const candidate = rank
      .filter(isCandidate)
      .find(({ trust, deployment }) => trust !== "cloud" && !desk.circuits.resting(deployment));
    if (candidate === undefined) continue;
    const seat = desk.seatNow(ask, [candidate]);
    if (seat === undefined) return "nothing";
    try {
      const model = await candidate.open(signal, null);
      if ((await model.load?.(signal)) === true) return "loaded";
      if (!isSlow(desk, candidate) || isRead(desk, candidate, ask)) return "nothing";
      return await read(desk, candidate, work);
    } finally {
      seat.leave();
    }
  }
  return "nothing";
}
