import type { Agent } from "#core/agent.ts";
import type { Clock } from "#core/clock.ts";
import { AppError, type Failure } from "#core/errors.ts";
import type { ToolCall } from "#core/model.ts";
import type { Router } from "#core/router.ts";
import type { Store, TaskEnd } from "#core/store.ts";
import type { Step, Task, TaskEvent, Turn, UsageRow } from "#core/task.ts";
import type { Tool } from "#core/tool.ts";

import { checkLimits, deadline } from "./limits.ts";
import { callModel, emptyAnswer, type ModelCall } from "./model-step.ts";
import { buildPrompt } from "./prompt.ts";
import { callTool } from "./tool-step.ts";

/** Most turns of a conversation that are looked at for a prompt. */
const turnLimit = 40;

/** What the loop works with. */
export interface LoopDeps {
  readonly store: Store;
  readonly router: Router;
  readonly tools: readonly Tool[];
  readonly clock: Clock;
  /** Told of what was not raised on purpose. */
  readonly onBug: (error: unknown, taskId: string) => void;
}

/** A task with its agent, and what has been done for it so far. */
interface Job {
  readonly task: Task;
  readonly agent: Agent;
  readonly tools: readonly Tool[];
  readonly turns: readonly Turn[];
  readonly steps: Step[];
  readonly usage: UsageRow[];
}

type Ending = Omit<TaskEnd, "taskId">;

type Move =
  | { readonly do: "model" }
  | { readonly do: "tools"; readonly calls: readonly ToolCall[] }
  | { readonly do: "end"; readonly answer: string };

/** What comes next, read off the steps alone: the same for a new task, one under way and one resumed after a crash. */
function nextMove(steps: readonly Step[]): Move {
  const at = steps.findLastIndex((step) => step.kind === "model");
  const last = steps[at];
  if (last?.kind !== "model") return { do: "model" };
  const done = new Set(steps.slice(at).map((step) => (step.kind === "tool" ? step.callId : "")));
  const calls = last.toolCalls.filter((call) => !done.has(call.id));
  if (calls.length > 0) return { do: "tools", calls };
  return last.toolCalls.length > 0 ? { do: "model" } : { do: "end", answer: last.text };
}

const nothingNew = { steps: [], usage: [] } as const;

function failed(failure: Failure): Ending {
  return { state: "failed", output: null, failure, ...nothingNew };
}

function cancelled(): Ending {
  return { state: "cancelled", output: null, failure: null, ...nothingNew };
}

/** How the task ends with this call; undefined when it goes on. */
function endingOf(call: ModelCall): Ending | undefined {
  const { step, usage, stop } = call;
  const output = step.text === "" ? null : step.text;
  const rest = { output, steps: [step], usage };
  if (stop.reason === "aborted") return { ...rest, state: "cancelled", failure: null };
  const failure = stop.failure ?? emptyAnswer(call)?.failure;
  if (failure !== undefined) return { ...rest, state: "failed", failure };
  return step.toolCalls.length > 0 ? undefined : { ...rest, state: "done", failure: null };
}

async function* modelMove(
  deps: LoopDeps,
  job: Job,
  signal: AbortSignal,
): AsyncGenerator<TaskEvent, Ending | undefined> {
  checkLimits(job.agent, job.steps, job.usage);
  const { task, agent } = job;
  const limit = deadline(agent, job.steps, signal);
  const ask = {
    tier: task.tier ?? agent.model_tier,
    forced: task.tier !== null,
    taskId: task.id,
    build: (limits: Parameters<typeof buildPrompt>[1]) =>
      buildPrompt({ ...job, input: task.input }, limits),
  };
  const at = { router: deps.router, clock: deps.clock, seq: job.steps.length + 1 };
  const call = yield* callModel(at, ask, limit.signal);
  const ending = endingOf(call);
  if (ending?.state === "cancelled" && limit.expired()) {
    const limited = new AppError("task.limit", { limit: `${agent.max_seconds} seconds` });
    return { ...ending, state: "failed", failure: limited.failure };
  }
  if (ending !== undefined) return ending;
  await deps.store.addSteps(task.id, [call.step], call.usage);
  job.steps.push(call.step);
  job.usage.push(...call.usage);
  return undefined;
}

async function* toolMove(
  deps: LoopDeps,
  job: Job,
  move: { readonly calls: readonly ToolCall[]; readonly signal: AbortSignal },
): AsyncGenerator<TaskEvent, Ending | undefined> {
  const { task, tools } = job;
  for (const call of move.calls) {
    if (move.signal.aborted) return cancelled();
    const context = {
      taskId: task.id,
      personId: task.personId,
      chatId: task.chatId,
      signal: move.signal,
    };
    const step = await callTool(
      { tools, clock: deps.clock, seq: job.steps.length + 1 },
      call,
      context,
    );
    await deps.store.addSteps(task.id, [step], []);
    job.steps.push(step);
    yield { type: "tool", name: step.name, input: step.input, isError: step.isError };
  }
  return undefined;
}

async function* work(
  deps: LoopDeps,
  job: Job,
  signal: AbortSignal,
): AsyncGenerator<TaskEvent, Ending> {
  for (;;) {
    const move = nextMove(job.steps);
    if (signal.aborted) return cancelled();
    if (move.do === "end") {
      return { state: "done", output: move.answer, failure: null, ...nothingNew };
    }
    const ending =
      move.do === "model"
        ? yield* modelMove(deps, job, signal)
        : yield* toolMove(deps, job, { calls: move.calls, signal });
    if (ending !== undefined) return ending;
  }
}

function failureOf(deps: LoopDeps, error: unknown, taskId: string): Failure {
  if (error instanceof AppError) return error.failure;
  deps.onBug(error, taskId);
  return new AppError("bug", { task: taskId }).failure;
}

/**
 * Works a running task to its end from its last stored step. Yields what a person watching sees; `end` comes last, after the
 * commit. Rejects only when the store does: the task then stays open and is resumed at the next start.
 */
export async function* runTask(
  deps: LoopDeps,
  { task, agent }: { readonly task: Task; readonly agent: Agent },
  signal: AbortSignal,
): AsyncGenerator<TaskEvent, Task> {
  yield { type: "start", task };
  const [steps, usage, turns] = await Promise.all([
    deps.store.steps(task.id),
    deps.store.usage(task.id),
    deps.store.turnsBefore(task, turnLimit),
  ]);
  const tools = deps.tools.filter((tool) => agent.tools.includes(tool.name));
  let ending: Ending;
  try {
    ending = yield* work(deps, { task, agent, tools, turns, steps, usage }, signal);
  } catch (error) {
    if (error instanceof AppError && error.code.startsWith("store.")) throw error;
    ending = failed(failureOf(deps, error, task.id));
  }
  await deps.store.finishTask({ taskId: task.id, ...ending });
  const { output, state, failure } = ending;
  const ended: Task = { ...task, output, state, failure, finishedAt: deps.clock.now() };
  yield { type: "end", task: ended };
  return ended;
}
