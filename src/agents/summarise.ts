import { estimateTokens } from "#core/model.ts";
import type { Summary, Task, Turn } from "#core/task.ts";
import { allSources, type Source } from "#core/trust.ts";

import type { LoopDeps } from "./loop.ts";
import { callModel, type TaskAsk } from "./model-step.ts";
import type { Prompt } from "./prompt.ts";

/** Most tokens of a summary. */
const summaryTokens = 300;
/** A model that does not keep to that is cut: a summary that grows would crowd out what it is for. */
const longestSummary = 4000;

const instructions = `You keep the memory of a conversation. Say in at most 150 words, in the conversation's own language, what was said:
names, numbers, dates, decisions, what the person wants and what is still open. No introduction, no advice, nothing that was not said.`;

function lineOf({ role, text }: Turn): string {
  return `${role === "user" ? "Person" : "Assistant"}: ${text}`;
}

/** As many of the oldest turns as fit, and at least one. */
function fitting(turns: readonly Turn[], budget: number): readonly Turn[] {
  let left = budget;
  const at = turns.findIndex((turn) => {
    left -= estimateTokens(lineOf(turn)) + 1;
    return left < 0;
  });
  return at === -1 ? turns : turns.slice(0, Math.max(1, at));
}

function buildPrompt(before: Summary | undefined, turns: readonly Turn[]): Prompt {
  const earlier = before === undefined ? "" : `What was said before:\n${before.text}\n\n`;
  return {
    messages: [
      { role: "system", text: instructions },
      {
        role: "user",
        text: `${earlier}The conversation goes on:\n${turns.map(lineOf).join("\n")}`,
      },
    ],
    tools: [],
    maxTokens: summaryTokens,
    temperature: 0,
  };
}

interface Left {
  readonly task: Task;
  readonly left: readonly Turn[];
  readonly before: Summary | undefined;
}

/** Asks a model for the summary; gives what it made and the turns that it covers. */
async function askForSummary(deps: LoopDeps, { task, left, before }: Left, signal: AbortSignal) {
  const covered: { turns: readonly Turn[] } = { turns: [] };
  const isShared = (await deps.store.chat(task.chatId))?.kind === "group";
  const ask: TaskAsk = {
    tier: "local-fast",
    forced: false,
    task,
    // Beside the task's own steps.
    seq: 0,
    // Nobody asked for it, so it also goes to no cloud.
    priority: "background",
    isShared,
    holdsOthers: isShared,
    sources: sourcesOf({ left, before }),
    build(limits) {
      const taken = estimateTokens(instructions + (before?.text ?? "")) + 60;
      covered.turns = fitting(left, limits.contextTokens - summaryTokens - taken);
      return buildPrompt(before, covered.turns);
    },
  };
  const events = callModel(deps, ask, signal);
  let next = await events.next();
  while (next.done !== true) next = await events.next();
  return { call: next.value, turns: covered.turns };
}

function sourcesOf({ left, before }: Pick<Left, "left" | "before">): Source[] {
  return allSources(...left.map(({ sources }) => sources), before?.sources ?? []);
}

/**
 * Sums up the turns of a conversation that no longer fit a prompt, with what was summed up before, by a local model, and stores it.
 * What does not fit the summary's own prompt is left for the next time. Rejects when the store does; without an answer of a model
 * nothing is stored.
 */
export async function summarise(
  deps: LoopDeps,
  { task, left }: Omit<Left, "before">,
  signal: AbortSignal,
): Promise<void> {
  const { store, clock, log } = deps;
  const before = await store.summaryFor(task);
  const { call, turns } = await askForSummary(deps, { task, left, before }, signal);
  const { step, usage, routes, stop } = call;
  const text = step.text.trim().slice(0, longestSummary).toWellFormed();
  const [first, last] = [turns[0], turns.at(-1)];
  if (stop.reason !== "end" || text === "" || first === undefined || last === undefined) {
    const reason = stop.failure?.code ?? stop.reason;
    log.warn("the conversation was not summarised", { task: task.id, reason });
    return;
  }
  const summary: Summary = {
    chatId: task.chatId,
    conversation: task.conversation,
    fromMessage: before?.fromMessage ?? first.messageId,
    toMessage: last.messageId,
    text,
    // What a person types is personal, and so far nothing untrusted can be read in a conversation.
    label: "personal",
    sources: sourcesOf({ left, before }),
    tainted: before?.tainted ?? false,
    deployment: step.deployment,
    createdAt: clock.now(),
  };
  await store.addSummary(summary, { usage, routes });
  log.info("conversation summarised", { task: task.id, turns: turns.length });
}
