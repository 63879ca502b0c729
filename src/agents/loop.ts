import type { Agent } from "#core/agent.ts";
import type { TaskFiles } from "#core/attachments.ts";
import type { Clock } from "#core/clock.ts";
import type { NewPart } from "#core/chat.ts";
import { AppError, type Failure } from "#core/errors.ts";
import { shortId } from "#core/ids.ts";
import type { Log } from "#core/log.ts";
import type { ModelLimits, ToolCall } from "#core/model.ts";
import type { PersonSettings } from "#core/person.ts";
import type { Router } from "#core/router.ts";
import type { Store, TaskEnd } from "#core/store.ts";
import type { Step, Summary, Task, TaskEvent, Turn, UsageRow } from "#core/task.ts";
import type { Tool } from "#core/tool.ts";

import { checkLimits, deadline } from "./limits.ts";
import { callModel, emptyAnswer, type ModelCall } from "./model-step.ts";
import { buildPrompt } from "./prompt.ts";
import { callTool } from "./tool-step.ts";

/** Most turns of a conversation that are looked at for a prompt. */
const turnLimit = 200;

/** What the loop works with. */
export interface LoopDeps {
  readonly store: Store;
  readonly router: Router;
  readonly tools: readonly Tool[];
  readonly clock: Clock;
  readonly log: Log;
  /** What is sent of an ended task, stored with its end; absent where no chat is sent messages. `notice` stands under the answer. */
  readonly partsOf?: (ended: Task, notice?: string) => readonly NewPart[];
  /**
   * Fetches the files of a task's messages where they are not stored yet, and gives what they add to it; ends early with the signal.
   * Absent where no files come in.
   */
  readonly prepare?: (task: Task, signal: AbortSignal) => Promise<TaskFiles>;
}

/** What ends a task early: a person who wants no more of it, or a process that ends and leaves it for the next. */
export interface Stops {
  readonly stop: AbortSignal;
  readonly park: AbortSignal;
}

/** A task with its agent, and what has been done for it so far. */
interface Job {
  readonly task: Task;
  readonly agent: Agent;
  readonly tools: readonly Tool[];
  readonly turns: readonly Turn[];
  readonly summary: Summary | undefined;
  readonly person: PersonSettings;
  readonly steps: Step[];
  readonly usage: UsageRow[];
  files: TaskFiles;
  /** Turns that did not fit the last prompt, oldest first. */
  left: readonly Turn[];
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
    build: (limits: ModelLimits) => {
      const { prompt, left } = buildPrompt({ ...job, input: task.input, files: job.files.words }, limits);
      job.left = left;
      return prompt;
    },
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
  job.files = (await deps.prepare?.(job.task, signal)) ?? job.files;
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

function failureOf({ log }: LoopDeps, error: unknown, taskId: string): Failure {
  if (error instanceof AppError) return error.failure;
  log.bug(error, { task: taskId });
  return new AppError("bug", { task: taskId }).failure;
}

/** What has been done for a task, and what was said before it. */
async function openJob(deps: LoopDeps, task: Task, agent: Agent): Promise<Job> {
  const { store } = deps;
  const [steps, usage, summary, all, person] = await Promise.all([
    store.steps(task.id),
    store.usage(task.id),
    store.summaryFor(task),
    store.turnsBefore(task, turnLimit),
    store.person(task.personId),
  ]);
  const covered = summary?.toMessage ?? 0;
  const turns = all.filter((turn) => turn.messageId > covered);
  const tools = deps.tools.filter((tool) => agent.tools.includes(tool.name));
  return { task, agent, tools, turns, summary, person, steps, usage, files: { words: "", notice: "" }, left: [] };
}

/** A task that has ended, and the turns that did not fit its prompt, oldest first. */
export interface Ended {
  readonly task: Task;
  readonly left: readonly Turn[];
}

/**
 * Works a running task to its end from its last stored step. Yields what a person watching sees; `end` comes last, after the
 * commit. Rejects when the store does, and with `task.parked` when it is parked: the task then stays open and is resumed at the
 * next start.
 */
export async function* runTask(
  deps: LoopDeps,
  { task, agent }: { readonly task: Task; readonly agent: Agent },
  stops: Stops,
): AsyncGenerator<TaskEvent, Ended> {
  yield { type: "start", task };
  const job = await openJob(deps, task, agent);
  let ending: Ending;
  try {
    ending = yield* work(deps, job, AbortSignal.any([stops.stop, stops.park]));
  } catch (error) {
    if (error instanceof AppError && error.code.startsWith("store.")) throw error;
    ending = failed(failureOf(deps, error, task.id));
  }
  if (ending.state === "cancelled" && stops.park.aborted && !stops.stop.aborted) {
    throw new AppError("task.parked", { task: shortId(task.id) });
  }
  const { output, state, failure } = ending;
  const ended: Task = { ...task, output, state, failure, finishedAt: deps.clock.now() };
  const parts = deps.partsOf?.(ended, job.files.notice) ?? [];
  await deps.store.finishTask({ taskId: task.id, ...ending, parts });
  yield { type: "end", task: ended };
  return { task: ended, left: job.left };
}
