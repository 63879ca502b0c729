import type { Agent } from "#core/agent.ts";
import { AppError } from "#core/errors.ts";
import type { Runner, Watch } from "#core/runner.ts";
import type { Task } from "#core/task.ts";

import { chooseAgent } from "./choose-agent.ts";
import { type LoopDeps, runTask } from "./loop.ts";

/** Runs pieces of work that share a key one after the other, in the order they were handed in. */
function createLanes() {
  const tails = new Map<string, Promise<unknown>>();
  return <Result>(key: string, piece: () => Promise<Result>): Promise<Result> => {
    const before = tails.get(key) ?? Promise.resolve();
    const result = before.then(piece);
    const tail = result
      .catch(() => undefined)
      .finally(() => {
        if (tails.get(key) === tail) tails.delete(key);
      });
    tails.set(key, tail);
    return result;
  };
}

/** The runner over a loop's parts and the configured agents. */
export function createRunner(deps: LoopDeps, agents: readonly Agent[]): Runner {
  const { store } = deps;
  const inOrder = createLanes();
  // A request stored while open tasks are being listed would be worked twice, so it waits for the list.
  const listing: { done: Promise<unknown> } = { done: Promise.resolve() };
  const never = new AbortController().signal;

  async function endUnknown(task: Task): Promise<Task> {
    const known = agents.map((agent) => agent.name).join(", ");
    const { failure } = new AppError("usage.unknown-agent", { agent: task.agent, known });
    const end = { state: "failed", output: null, failure } as const;
    await store.finishTask({ taskId: task.id, ...end, steps: [], usage: [] });
    return { ...task, ...end, finishedAt: deps.clock.now() };
  }

  async function execute(task: Task, watch: Watch): Promise<Task> {
    const agent = agents.find((candidate) => candidate.name === task.agent);
    if (agent === undefined) return endUnknown(task);
    await store.startTask(task.id);
    const events = runTask(deps, { task, agent }, watch.signal ?? never);
    for (;;) {
      const next = await events.next();
      if (next.done === true) return next.value;
      watch.onEvent?.(next.value);
    }
  }

  return {
    async run(request, watch = {}) {
      const choice = chooseAgent(request.words, agents, request.agent);
      await listing.done;
      const task = await store.createTask({
        chatId: request.chatId,
        personId: request.personId,
        agent: choice.agent.name,
        chosenBy: choice.chosenBy,
        tier: request.tier === undefined ? null : deps.router.tierOf(request.tier),
        input: choice.input,
        newConversation: request.newConversation ?? false,
      });
      return inOrder(task.chatId, () => execute(task, watch));
    },
    async resume(watch = {}) {
      const opening = store.openTasks();
      listing.done = opening;
      const open = await opening;
      return Promise.all(open.map((task) => inOrder(task.chatId, () => execute(task, watch))));
    },
  };
}
