import type { Agent } from "#core/agent.ts";
import type { TaskFiles } from "#core/attachments.ts";
import type { ChatStore } from "#core/chat-store.ts";
import type { GoldLabels } from "#core/choice.ts";
import type { Clock } from "#core/clock.ts";
import type { Notices, Speech } from "#core/speech.ts";
import { AppError, type Failure } from "#core/errors.ts";
import { newId, shortId } from "#core/ids.ts";
import type { Log } from "#core/log.ts";
import type { ToolCall, ToolSpec } from "#core/model.ts";
import type { Question } from "#core/question.ts";
import type { QuestionStore } from "#core/question-store.ts";
import type { Router } from "#core/router.ts";
import type { Store, TaskEnd } from "#core/store.ts";
import { cutNotice, type Done, type Task, type TaskEvent, type Turn } from "#core/task.ts";
import type { Tool } from "#core/tool.ts";

import { type Classify, decideAgent } from "./decide-agent.ts";
import { handTo, type Job, nextMove, openJob, sourcesOf } from "./job.ts";
import { checkLimits, deadline } from "./limits.ts";
import { callModel, emptyAnswer, type ModelCall, type TaskAsk } from "./model-step.ts";
import { buildPrompt } from "./prompt.ts";
import { callTool } from "./tool-step.ts";

/** What the loop works with. */
export interface LoopDeps extends RunnerDeps {
  /** The tools as a model is told of them. */
  readonly specs: readonly ToolSpec[];
  readonly agents: readonly Agent[];
}

/** What a runner works with. */
export interface RunnerDeps {
  readonly store: Store & Pick<QuestionStore, "askPerson"> & Pick<ChatStore, "chat"> & GoldLabels;
  readonly router: Router;
  readonly tools: readonly Tool[];
  readonly clock: Clock;
  readonly log: Log;
  /** Says which agent words are for; absent where nothing was trained. */
  readonly classify?: Classify;
  /** Teaches it what holds now; true where it has learned that. Never rejects. */
  readonly learn?: () => Promise<boolean>;
  /** Absent where no chat is sent messages. */
  readonly speech?: Speech;
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
  /** The signal that breaks off the model call under way, because there is something new for it; asked for at each call. */
  readonly interrupted: () => AbortSignal;
}

/** What breaks off a model call: for good, or to go on with something new. */
interface Signals {
  readonly signal: AbortSignal;
  readonly interrupted: AbortSignal;
}

/** The same over all calls of a task. */
interface Halts extends Pick<Stops, "interrupted"> {
  readonly signal: AbortSignal;
}

type Ending = Omit<TaskEnd, "taskId" | "sources">;

/** The task goes on when a person has answered. */
interface Waiting {
  readonly state: "waiting";
  readonly question: Question;
}

const nothingNew = { steps: [], usage: [], routes: [] } as const;

function failed(failure: Failure): Ending {
  return { state: "failed", output: null, failure, ...nothingNew };
}

function cancelled(): Ending {
  return { state: "cancelled", output: null, failure: null, ...nothingNew };
}

/**
 * What is remembered of a call that did not come to its end, since the task may go on from it: nobody carries out the tool calls, and an
 * empty answer is nothing for a model to read.
 */
function remainsOf({ step, usage, routes }: ModelCall): Done {
  return { steps: step.text === "" ? [] : [{ ...step, toolCalls: [] }], usage, routes };
}

/** How the task ends with this call; undefined when it goes on. */
function endingOf(call: ModelCall): Ending | undefined {
  const { step, usage, routes, stop } = call;
  const output = step.text === "" ? null : step.text;
  const rest = { output, ...remainsOf(call) };
  if (stop.reason === "aborted") return { ...rest, state: "cancelled", failure: null };
  const failure = stop.failure ?? emptyAnswer(call)?.failure;
  if (failure !== undefined) return { ...rest, state: "failed", failure };
  if (step.toolCalls.length > 0) return undefined;
  return { output, steps: [step], usage, routes, state: "done", failure: null };
}

/** What is asked of the router for the task's next model call. */
function askOf(job: Job): TaskAsk {
  const { task, agent } = job;
  return {
    tier: task.tier ?? agent.model_tier,
    forced: task.tier !== null,
    task,
    seq: job.steps.length + 1,
    priority: job.steps.length === 0 ? "interactive" : "followUp",
    isShared: job.isShared,
    holdsOthers: job.holdsOthers,
    sources: sourcesOf(job),
    ...(task.avoid === null ? {} : { avoid: task.avoid }),
    build(limits) {
      const words = { input: task.input, files: job.files.words };
      const { prompt, left } = buildPrompt({ ...job, ...words }, limits);
      job.left = left;
      return prompt;
    },
  };
}

/** Calls the model once, for as long as the task may. */
async function* callOnce(
  deps: LoopDeps,
  job: Job,
  { signal, interrupted }: Signals,
): AsyncGenerator<TaskEvent, { readonly call: ModelCall; readonly expired: boolean }> {
  const limit = deadline(job.agent, job.steps, [signal, interrupted]);
  try {
    const call = yield* callModel(deps, askOf(job), limit.signal);
    return { call, expired: limit.expired() };
  } finally {
    limit.over();
  }
}

async function* modelMove(
  deps: LoopDeps,
  job: Job,
  stops: Signals,
): AsyncGenerator<TaskEvent, Ending | undefined> {
  const { agent } = job;
  checkLimits(agent, job.steps, job.usage);
  const { call, expired } = yield* callOnce(deps, job, stops);
  for (const notice of call.notices) job.notices.once.add(notice);
  if (call.stop.reason === "length") job.notices.always.add(cutNotice);
  const ending = endingOf(call);
  if (ending?.state === "cancelled" && expired) {
    const limited = new AppError("task.limit", { limit: `${agent.max_seconds} seconds` });
    return { ...ending, state: "failed", failure: limited.failure };
  }
  if (ending !== undefined && !isBrokenOff(ending, stops)) return ending;
  const { step, usage, routes } = call;
  const done = ending ?? { steps: [step], usage, routes };
  await deps.store.addSteps(job.task.id, done);
  remember(job, done);
  return undefined;
}

/** True for a call that was broken off because its person has said more. */
function isBrokenOff(ending: Ending, { signal, interrupted }: Signals): boolean {
  return ending.state === "cancelled" && interrupted.aborted && !signal.aborted;
}

function remember(job: Job, done: Done): void {
  job.steps.push(...done.steps);
  job.usage.push(...done.usage);
}

async function* toolMove(
  deps: LoopDeps,
  job: Job,
  move: { readonly calls: readonly ToolCall[]; readonly signal: AbortSignal },
): AsyncGenerator<TaskEvent, Ending | Waiting | undefined> {
  const { task, tools } = job;
  const { signal } = move;
  for (const call of move.calls) {
    if (signal.aborted) return cancelled();
    const { id: taskId, personId, chatId } = task;
    const context = { taskId, personId, chatId, signal };
    const at = { tools, clock: deps.clock, seq: job.steps.length + 1 };
    const step = await callTool(at, call, context);
    if ("ask" in step) {
      const question = { id: newId(deps.clock.now()), callId: call.id, ...context, ...step.ask };
      return { state: "waiting", question };
    }
    await deps.store.addSteps(task.id, { ...nothingNew, steps: [step] });
    job.steps.push(step);
    yield { type: "tool", name: step.name, input: step.input, isError: step.isError };
  }
  return undefined;
}

async function* work(
  deps: LoopDeps,
  job: Job,
  { signal, interrupted }: Halts,
): AsyncGenerator<TaskEvent, Ending | Waiting> {
  job.files = (await deps.prepare?.(job.task, signal)) ?? job.files;
  for (;;) {
    if (signal.aborted) return cancelled();
    // Asked for before it is looked at what was said: what comes after that look breaks the call off.
    const stops = { signal, interrupted: interrupted() };
    let move = nextMove(job.steps);
    // A model cannot read words between its tool calls and their results: they wait for the last one.
    if (move.do !== "tools") {
      const said = await deps.store.takeSteers(job.task.id, job.steps.length + 1);
      job.steps.push(...said);
      move = nextMove(job.steps);
    }
    if (move.do === "end") {
      return { state: "done", output: move.answer, failure: null, ...nothingNew };
    }
    const ending =
      move.do === "model"
        ? yield* modelMove(deps, job, stops)
        : yield* toolMove(deps, job, { calls: move.calls, signal });
    if (ending !== undefined) return ending;
  }
}

function failureOf({ log }: LoopDeps, error: unknown, taskId: string): Failure {
  if (error instanceof AppError) return error.failure;
  log.bug(error, { task: taskId });
  return new AppError("bug", { task: taskId }).failure;
}

async function* workSafely(
  deps: LoopDeps,
  job: Job,
  stops: Halts,
): AsyncGenerator<TaskEvent, Ending | Waiting> {
  try {
    return yield* work(deps, job, stops);
  } catch (error) {
    if (error instanceof AppError && error.code.startsWith("store.")) throw error;
    return failed(failureOf(deps, error, job.task.id));
  }
}

/** A task that has ended, or waits for a person, and the turns that did not fit its prompt, oldest first. */
export interface Ended {
  readonly task: Task;
  readonly left: readonly Turn[];
}

function noticesOf({ notices, files }: Job): Notices {
  const always = [...notices.always, files.notice].filter((line) => line !== "");
  return { once: [...notices.once], always };
}

/** What was done before a task was stopped, for its person to read. */
function withDone(ending: Ending, job: Job): Ending {
  if (ending.state !== "cancelled" || ending.output !== null) return ending;
  const said = job.steps.findLast((step) => step.kind === "model" && step.text !== "");
  return said?.kind === "model" ? { ...ending, output: said.text } : ending;
}

/** The job of a task; one that has not begun goes to the agent that is chosen for it now. */
async function openDecided(
  deps: LoopDeps,
  { task, agent }: { readonly task: Task; readonly agent: Agent },
  signal: AbortSignal,
): Promise<Job> {
  const job = await openJob(deps, task, agent);
  if (job.steps.length > 0) return job;
  const decided = await decideAgent(deps, task, signal);
  if (decided === undefined) return job;
  await deps.store.addSteps(task.id, decided);
  const { choice } = decided;
  const { chosenBy } = choice;
  deps.log.info("agent chosen", { task: task.id, agent: choice.agent, by: chosenBy });
  const chosen = deps.agents.find(({ name }) => name === choice.agent) ?? agent;
  const handed = handTo(deps, job, { agent: chosen, chosenBy });
  handed.usage.push(...decided.usage);
  return handed;
}

/**
 * Works a running task from its last stored step to its end, or until it waits for a person. Yields what a person watching sees;
 * `end` or `waiting` comes last, after the commit. Rejects when the store does, and with `task.parked` when it is parked: the task
 * then stays open and is resumed at the next start.
 */
export async function* runTask(
  deps: LoopDeps,
  { task, agent }: { readonly task: Task; readonly agent: Agent },
  stops: Stops,
): AsyncGenerator<TaskEvent, Ended> {
  const { store, speech, clock } = deps;
  yield { type: "start", task };
  const signal = AbortSignal.any([stops.stop, stops.park]);
  const job = await openDecided(deps, { task, agent }, signal);
  for (;;) {
    const ending = yield* workSafely(deps, job, { signal, interrupted: stops.interrupted });
    if (ending.state === "waiting") {
      const { question } = ending;
      await store.askPerson(question, speech?.question(question, task) ?? []);
      yield { type: "waiting", question };
      return { task: { ...job.task, state: "waiting" }, left: [] };
    }
    if (ending.state === "cancelled" && stops.park.aborted && !stops.stop.aborted) {
      // The next process asks anew; what was asked here has its cost all the same.
      const { usage, routes } = ending;
      await store.addSteps(task.id, { steps: [], usage, routes });
      throw new AppError("task.parked", { task: shortId(task.id) });
    }
    const end = withDone(ending, job);
    const { output, state, failure } = end;
    const ended: Task = { ...job.task, output, state, failure, finishedAt: clock.now() };
    const parts = speech?.answer(ended, noticesOf(job)) ?? [];
    const last = { taskId: task.id, ...end, sources: sourcesOf(job), parts };
    if ((await store.finishTask(last)) !== "steered") {
      yield { type: "end", task: ended };
      return { task: ended, left: job.left };
    }
    remember(job, end);
    // Taken at once: whatever fails again, it has been heard.
    job.steps.push(...(await store.takeSteers(task.id, job.steps.length + 1)));
  }
}
