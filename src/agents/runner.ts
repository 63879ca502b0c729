import { type Agent, defaultAgent } from "#core/agent.ts";
import type { Clock } from "#core/clock.ts";
import { AppError, reasonOf } from "#core/errors.ts";
import { insist } from "#core/insist.ts";
import { shortId } from "#core/ids.ts";
import { tierOf } from "#core/route.ts";
import type { Request, Runner, Watch } from "#core/runner.ts";
import type { NewTask } from "#core/store.ts";
import type { Task, TaskEvent } from "#core/task.ts";

import { chooseAgent, examplesOf, findAgent, type Known, plainVotes } from "./choose-agent.ts";
import { createCorrections } from "./corrections.ts";
import { votesOn } from "./decide-agent.ts";
import { type Ended, type LoopDeps, type RunnerDeps, runTask } from "./loop.ts";
import { toolSpec } from "./prompt.ts";
import { summarise } from "./summarise.ts";

/** Runs pieces of work that share a key one after the other, in the order they were handed in. */
function createLanes() {
  const tails = new Map<string, Promise<unknown>>();
  const counts = new Map<string, number>();

  function leave(key: string): void {
    const left = (counts.get(key) ?? 1) - 1;
    if (left > 0) counts.set(key, left);
    else {
      counts.delete(key);
      tails.delete(key);
    }
  }

  return {
    /** Pieces of this key that are not done. */
    ahead: (key: string): number => counts.get(key) ?? 0,
    run<Result>(key: string, piece: () => Promise<Result>): Promise<Result> {
      counts.set(key, (counts.get(key) ?? 0) + 1);
      const result = (tails.get(key) ?? Promise.resolve()).then(piece);
      const settled = result.catch(() => undefined).finally(() => leave(key));
      tails.set(key, settled);
      return result;
    },
  };
}

/** What goes on, and how it is ended early. */
function createWork(clock: Clock) {
  const going = new Set<Promise<unknown>>();
  const park = new AbortController();
  const state = { stopping: false };
  return {
    park: park.signal,
    isStopping: () => state.stopping,
    add<Result>(work: Promise<Result>): Promise<Result> {
      going.add(work);
      void work.catch(() => undefined).finally(() => going.delete(work));
      return work;
    },
    async stop(graceMs: number): Promise<void> {
      state.stopping = true;
      const done = new AbortController();
      void clock.sleep(graceMs, done.signal).then(() => park.abort());
      while (going.size > 0) await Promise.allSettled(going);
      done.abort();
    },
  };
}

function parked(task: Task): AppError {
  return new AppError("task.parked", { task: shortId(task.id) });
}

/** Works one task, from wherever it stands. */
function createExecute(deps: LoopDeps, agents: readonly Agent[], park: AbortSignal) {
  const { store, log, clock } = deps;
  const never = new AbortController().signal;

  async function endUnknown(task: Task): Promise<Task> {
    const known = agents.map((agent) => agent.name).join(", ");
    const { failure } = new AppError("usage.unknown-agent", { agent: task.agent, known });
    const end = { state: "failed", output: null, failure } as const;
    const ended = { ...task, ...end, finishedAt: clock.now() };
    const parts = deps.speech?.answer(ended, { once: [], always: [] }) ?? [];
    const nothing = { steps: [], usage: [], routes: [], sources: [] };
    // What was said to it meanwhile is answered with the same.
    do await store.takeSteers(task.id, (await store.steps(task.id)).length + 1);
    while ((await store.finishTask({ taskId: task.id, ...end, ...nothing, parts })) === "steered");
    return ended;
  }

  function tell(task: Task, event: TaskEvent, watch: Watch): void {
    const fields = { task: task.id };
    if (event.type === "start") log.info("task started", { ...fields, agent: task.agent });
    else if (event.type === "chosen")
      log.info("model chosen", { ...fields, deployment: event.deployment, reason: event.reason });
    else if (event.type === "tool")
      log.info("tool called", { ...fields, tool: event.name, failed: event.isError });
    else if (event.type === "waiting") log.info("task waits for a person", fields);
    else if (event.type === "end")
      log.info("task ended", {
        ...fields,
        state: event.task.state,
        failure: event.task.failure?.code,
      });
    watch.onEvent?.(event);
  }

  return async (task: Task, watch: Watch): Promise<Ended> => {
    if (park.aborted) throw parked(task);
    const agent = agents.find((candidate) => candidate.name === task.agent);
    if (agent === undefined) return { task: await endUnknown(task), left: [] };
    const started = task.state === "running" ? task : await store.startTask(task.id);
    // It may have been stopped while it waited for its turn, and its words may have changed.
    if (started === undefined) return { task: (await store.task(task.id)) ?? task, left: [] };
    const interrupted = watch.interrupted ?? (() => never);
    const stops = { stop: watch.signal ?? never, park, interrupted };
    const events = runTask(deps, { task: started, agent }, stops);
    for (;;) {
      const next = await events.next();
      if (next.done === true) return next.value;
      tell(task, next.value, watch);
    }
  };
}

/** Puts tasks into the lanes of their chats. */
function createQueue(
  deps: LoopDeps,
  agents: readonly Agent[],
  work: ReturnType<typeof createWork>,
) {
  const lanes = createLanes();
  const execute = createExecute(deps, agents, work.park);
  const working = new Map<string, Promise<Task>>();

  const summing = new Set<string>();

  function executeWhole(task: Task, watch: Watch): Promise<Ended> {
    if (watch.persists !== true) return execute(task, watch);
    const onTrouble = (error: unknown): void =>
      deps.log.warn("the store takes nothing: tried again", {
        task: task.id,
        reason: reasonOf(error),
      });
    return insist(() => execute(task, watch), {
      clock: deps.clock,
      signal: work.park,
      onTrouble,
    });
  }

  /** Off the answer's path, one at a time in a chat; undone it is only done later. */
  function afterwards({ task, left }: Ended): void {
    if (left.length === 0 || work.isStopping() || summing.has(task.chatId)) return;
    summing.add(task.chatId);
    const summary = summarise(deps, { task, left }, work.park).finally(() =>
      summing.delete(task.chatId),
    );
    work.add(summary).catch((error: unknown) => {
      deps.log.warn("conversation not summarised", { task: task.id, reason: reasonOf(error) });
    });
  }

  return {
    isFree: (chatId: string) => lanes.ahead(chatId) === 0,
    /** The task's end, where it is being worked or waits for its turn. */
    find: (taskId: string) => working.get(taskId),
    add(task: Task, watch: Watch): Promise<Task> {
      const ahead = lanes.ahead(task.chatId);
      if (ahead > 0) watch.onEvent?.({ type: "queued", ahead });
      const done = lanes.run(task.chatId, async () => {
        const ended = await executeWhole(task, watch);
        afterwards(ended);
        return ended.task;
      });
      working.set(task.id, done);
      void done.catch(() => undefined).finally(() => working.delete(task.id));
      return work.add(done);
    },
  };
}

function choose(known: Known, request: Request): NewTask {
  const { quoted } = request;
  const choice = chooseAgent(request.words, { ...known, quoted }, request.agent);
  return {
    id: request.taskId,
    chatId: request.chatId,
    personId: request.personId,
    agent: choice.agent.name,
    chosenBy: choice.chosenBy,
    tier: choice.tier ?? (request.tier === undefined ? null : tierOf(request.tier)),
    input: choice.input,
    newConversation: request.newConversation ?? false,
    localOnly: request.localOnly ?? false,
  };
}

/** Chooses by words alone, says what every stage says of them, and takes the owner's word of it. */
function createChoosing(
  deps: LoopDeps,
  agents: readonly Agent[],
): Pick<Runner, "choose" | "correct" | "votes"> {
  const corrections = createCorrections(deps.store);
  const exampleOf = examplesOf(agents);
  const know = async (): Promise<Known> => {
    return { agents, exampleOf, ownersWord: await corrections.read() };
  };
  const last = {
    stage: "default",
    agent: defaultAgent,
    why: "where nothing else decides",
  } as const;
  return {
    choose: async (request) => choose(await know(), request),
    async correct({ text, agent }) {
      const { name } = findAgent(agents, agent);
      const { input } = chooseAgent(text, await know(), undefined);
      await corrections.add({ text: input, agent: name });
      return { learned: deps.learn?.() ?? Promise.resolve(false) };
    },
    async votes(words, signal) {
      await deps.learn?.();
      const known = await know();
      const { input } = chooseAgent(words, known, undefined);
      return [...plainVotes(words, known), ...(await votesOn(deps, input, signal)), last];
    },
  };
}

/** The runner over a loop's parts and the configured agents. */
export function createRunner(given: RunnerDeps, agents: readonly Agent[]): Runner {
  const { store } = given;
  const deps = { ...given, agents, specs: given.tools.map(toolSpec) };
  const work = createWork(deps.clock);
  const queue = createQueue(deps, agents, work);
  const choosing = createChoosing(deps, agents);
  // A request stored while open tasks are being listed would be worked twice, so it waits for the list.
  const listing: { done: Promise<unknown> } = { done: Promise.resolve() };

  async function create(request: Request): Promise<Task> {
    const chosen = await choosing.choose(request);
    await listing.done;
    return store.createTask(chosen);
  }

  return {
    ...choosing,
    isFree: (chatId) => queue.isFree(chatId),
    async work(task, watch = {}) {
      // Its question may be answered before the work that asked it is over.
      const before = await queue.find(task.id);
      if (before !== undefined && before.finishedAt !== null) return before;
      if (work.isStopping()) throw new AppError("service.stopping");
      if (task.finishedAt !== null) return task;
      return queue.find(task.id) ?? queue.add(task, watch);
    },
    async run(request, watch = {}) {
      if (work.isStopping()) throw new AppError("service.stopping");
      const task = await work.add(create(request));
      if (task.finishedAt !== null) return task;
      return queue.find(task.id) ?? queue.add(task, watch);
    },
    async resume(watchOf = () => ({})) {
      const opening = store.openTasks();
      listing.done = opening;
      const open = (await opening).filter((task) => queue.find(task.id) === undefined);
      const watched = open.map((task) => ({ task, watch: watchOf(task) }));
      return Promise.all(
        watched.flatMap(({ task, watch }) => (watch === undefined ? [] : queue.add(task, watch))),
      );
    },
    stop: (graceMs) => work.stop(graceMs),
  };
}
