import type { Agent } from "#core/agent.ts";
import { knownCost } from "#core/cost.ts";
import { AppError } from "#core/errors.ts";
import type { Step, UsageRow } from "#core/task.ts";

/** How often the same call may be made before it counts as going round in circles. */
const sameCallLimit = 3;

/** JSON with sorted keys, so that equal inputs read equal. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function checkSameCall(steps: readonly Step[]): void {
  const counts = new Map<string, number>();
  for (const step of steps) {
    if (step.kind !== "tool") continue;
    const key = `${step.name} ${canonicalJson(step.input)}`;
    const times = (counts.get(key) ?? 0) + 1;
    counts.set(key, times);
    if (times >= sameCallLimit) throw new AppError("task.loop", { tool: step.name, times });
  }
}

/** Milliseconds that the steps took; time while no process worked on the task does not count. */
function workedMs(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => sum + step.finishedAt - step.startedAt, 0);
}

/** Throws `task.limit` or `task.loop` when the task may not make another model call. */
export function checkLimits(
  agent: Agent,
  steps: readonly Step[],
  usage: readonly UsageRow[],
): void {
  const calls = steps.filter((step) => step.kind === "model").length;
  if (calls >= agent.max_iterations) {
    throw new AppError("task.limit", { limit: `${agent.max_iterations} model calls` });
  }
  if (workedMs(steps) >= agent.max_seconds * 1000) {
    throw new AppError("task.limit", { limit: `${agent.max_seconds} seconds` });
  }
  const tokens = usage.reduce(
    (sum, row) => sum + (row.promptTokens ?? 0) + (row.answerTokens ?? 0),
    0,
  );
  if (tokens >= agent.max_tokens) {
    throw new AppError("task.limit", { limit: `${agent.max_tokens} tokens` });
  }
  const { max_cost: most } = agent;
  // What is not known may be more than the limit already.
  if (most !== undefined && (knownCost(usage) ?? most) >= most) {
    throw new AppError("task.limit", { limit: `$${most.toFixed(2)}` });
  }
  checkSameCall(steps);
}

/** The end of one model call. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** True where it was the time that ended it. */
  readonly expired: () => boolean;
  /** The call is over: nothing of it is waited for any more. */
  readonly over: () => void;
}

/** Aborts when one of `signals` does or when the task has worked for its agent's seconds. */
export function deadline(
  agent: Agent,
  steps: readonly Step[],
  signals: readonly AbortSignal[],
): Deadline {
  const controller = new AbortController();
  const state = { expired: false };
  const abort = (): void => controller.abort();
  const expire = (): void => {
    state.expired = !controller.signal.aborted;
    abort();
  };
  const timer = setTimeout(expire, Math.max(1, agent.max_seconds * 1000 - workedMs(steps)));
  for (const signal of signals) {
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
  }
  return {
    signal: controller.signal,
    expired: () => state.expired,
    over() {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener("abort", abort);
    },
  };
}
