import { z } from "zod";

import { type Agent, defaultAgent } from "#core/agent.ts";
import type { Clock } from "#core/clock.ts";
import { estimatePrompt } from "#core/model.ts";
import type { RouteAsk, Router } from "#core/router.ts";
import type { StageVote } from "#core/choice.ts";
import type { AgentChoice, Done, Task } from "#core/task.ts";
import { sourceOf } from "#core/trust.ts";

import { askModel, rowsOf } from "./model-step.ts";
import type { Prompt } from "./prompt.ts";

/** What a classifier gives one class; null is the class of texts that are for no agent. */
export interface ClassVote {
  readonly agent: string | null;
  /** From 0 to 1. */
  readonly score: number;
  /** From which score the agent is chosen; null where it never is. */
  readonly threshold: number | null;
}

/** Says from a text's words which agent it is for, or that it is not sure; all votes, the likeliest first. */
export type Classify = (text: string) => Promise<{
  readonly votes: readonly ClassVote[];
  readonly agent: string | undefined;
}>;

/** What deciding works with. */
export interface DecideDeps {
  readonly router: Router;
  readonly clock: Clock;
  readonly agents: readonly Agent[];
  /** Absent where nothing was trained. */
  readonly classify?: Classify | undefined;
}

/** An agent that was chosen now, with what that cost. */
export type Decided = Done & { readonly choice: AgentChoice };

/** A person waits for this before the answer begins. */
const patienceMs = 1500;
/** Fewer words than these say nothing about whose they are. */
const fewWords = 5;
/** What a message is about is seen at its beginning. */
const mostCharacters = 1000;
const answerTokens = 24;
/** Where a task is asked for that does not exist: votes are shown without one. */
const noTask = { id: null, chatId: "", personId: "owner", conversation: 0, agent: defaultAgent };

function promptFor(agents: readonly Agent[], input: string): Prompt {
  const names = agents.map(({ name }) => name);
  const list = agents.map(({ name, description }) => `- ${name}: ${description}`).join("\n");
  const instructions = `Which of these takes the person's message? Do not answer the message.\n${list}\nReply with JSON alone, such as {"agent":"${names[0] ?? ""}"}.`;
  return {
    messages: [
      { role: "system", text: instructions },
      { role: "user", text: input.slice(0, mostCharacters).toWellFormed() },
    ],
    tools: [],
    answerSchema: {
      type: "object",
      properties: { agent: { type: "string", enum: names } },
      required: ["agent"],
      additionalProperties: false,
    },
    maxTokens: answerTokens,
    temperature: 0,
  };
}

const replySchema = z.object({ agent: z.string() });

function agentIn(text: string, agents: readonly Agent[]): string | undefined {
  try {
    const { agent } = replySchema.parse(JSON.parse(text));
    return agents.find(({ name }) => name === agent)?.name;
  } catch {
    return undefined;
  }
}

/** The signal that aborts with `signal`, or when a person has waited long enough; call `over` when it is not needed any more. */
function patience(clock: Clock, signal: AbortSignal) {
  const late = new AbortController();
  const done = new AbortController();
  void clock.sleep(patienceMs, done.signal).then(() => late.abort());
  return { signal: AbortSignal.any([signal, late.signal]), over: () => done.abort() };
}

/** True for words that say nothing about whose they are. */
function isFragment(input: string): boolean {
  return input.trim().split(/\s+/, fewWords).length < fewWords;
}

/** Asks a fast model that is free; gives its agent, where it named one in time, and what that took. */
async function askFast(
  { router, clock, agents }: DecideDeps,
  { input, task }: { readonly input: string; readonly task: RouteAsk["task"] },
  signal: AbortSignal,
) {
  const prompt = promptFor(agents, input);
  const promptTokens = estimatePrompt(prompt);
  const ask: RouteAsk = {
    tier: "local-fast",
    forced: true,
    task,
    seq: 0,
    priority: "interactive",
    isShared: true,
    holdsOthers: false,
    sources: [sourceOf("instructions"), sourceOf("words")],
    deadline: { ms: patienceMs, promptTokens, answerTokens },
    build: () => prompt,
  };
  const limit = patience(clock, signal);
  try {
    const events = askModel({ router, clock }, ask, limit.signal);
    let next = await events.next();
    while (next.done !== true) next = await events.next();
    const { step, usage, routes, stop } = next.value;
    return { agent: agentIn(step.text, agents), usage, routes, stop };
  } finally {
    limit.over();
  }
}

/**
 * Decides on the agent of a task that nothing chose before: the classifier where it is sure, else a fast model that is free and fast
 * enough. Undefined where the default stays, and nothing was used to find that out.
 */
export async function decideAgent(
  deps: DecideDeps,
  task: Task,
  signal: AbortSignal,
): Promise<Decided | undefined> {
  const { agents, classify } = deps;
  if (task.chosenBy !== "default" || agents.length < 2) return undefined;
  const { agent } = (await classify?.(task.input)) ?? {};
  if (agent !== undefined && agents.some(({ name }) => name === agent)) {
    const choice = { agent, chosenBy: "classifier" } as const;
    return { steps: [], usage: [], routes: [], choice };
  }
  if (isFragment(task.input)) return undefined;
  const asked = await askFast(deps, { input: task.input, task }, signal);
  const { agent: named } = asked;
  if (named === undefined && asked.usage.length === 0) return undefined;
  const { usage, routes } = rowsOf(asked, { taskId: task.id, seq: 0 });
  const choice: AgentChoice =
    named === undefined
      ? { agent: defaultAgent, chosenBy: "default" }
      : { agent: named, chosenBy: "model" };
  return { steps: [], usage, routes, choice };
}

function inPercent({ agent, score, threshold }: ClassVote): string {
  const wanted = threshold === null ? "" : `, wants ${Math.round(threshold * 100)} %`;
  return `${agent ?? "none of them"} ${Math.round(score * 100)} %${wanted}`;
}

/** What the stages that read a message say of it; all are asked, whatever the first says. */
export async function votesOn(
  deps: DecideDeps,
  input: string,
  signal: AbortSignal,
): Promise<StageVote[]> {
  const { votes, agent = null } = (await deps.classify?.(input)) ?? { votes: [] };
  const why =
    votes.length === 0
      ? "it is not trained yet: a service or a chat does that"
      : votes.map(inPercent).join("; ");
  const classified: StageVote = { stage: "classifier", agent, why };
  if (isFragment(input)) {
    const fragment = "too few words to ask about";
    return [classified, { stage: "model", agent: null, why: fragment }];
  }
  const asked = await askFast(deps, { input, task: noTask }, signal);
  const by = asked.usage.map(({ deployment }) => deployment).join(", ");
  const named = asked.agent === undefined ? "no agent was named in time" : `said by ${by}`;
  const { failure } = asked.stop;
  // Other tasks may well have a model: this one must answer at once.
  const none = "no fast model is here, free and known to be quick enough";
  const said = failure?.code === "model.none" ? none : (failure?.sentence ?? named);
  return [classified, { stage: "model", agent: asked.agent ?? null, why: said }];
}
