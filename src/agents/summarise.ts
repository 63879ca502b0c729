import type { ModelLimits } from "#core/model.ts";
import { estimateTokens } from "#core/model.ts";
import type { RouteAsk } from "#core/router.ts";
import type { Summary, Task, Turn } from "#core/task.ts";
import { allSources } from "#core/trust.ts";

import type { LoopDeps } from "./loop.ts";
import { callModel } from "./model-step.ts";
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

/**
 * Sums up the turns of a conversation that no longer fit a prompt, with what was summed up before, by a local model, and stores it.
 * What does not fit the summary's own prompt is left for the next time. Rejects when the store does; without an answer of a model
 * nothing is stored.
 */
export async function summarise(
  deps: LoopDeps,
  ended: { readonly task: Task; readonly left: readonly Turn[] },
  signal: AbortSignal,
): Promise<void> {
  const { store, router, clock, log } = deps;
  const { task, left } = ended;
  const before = await store.summaryFor(task);
  const covered: { turns: readonly Turn[] } = { turns: [] };
  const build = (limits: ModelLimits): Prompt => {
    const taken = estimateTokens(instructions + (before?.text ?? "")) + 60;
    covered.turns = fitting(left, limits.contextTokens - summaryTokens - taken);
    return buildPrompt(before, covered.turns);
  };
  const sources = allSources(...left.map((turn) => turn.sources), before?.sources ?? []);
  const ask: RouteAsk = {
    tier: "local-fast",
    forced: false,
    task,
    // Beside the task's own steps.
    seq: 0,
    // Nobody asked for it, so it also goes to no cloud.
    priority: "background",
    isShared: (await store.chat(task.chatId))?.kind === "group",
    sources,
    build,
  };
  const events = callModel({ router, clock }, ask, signal);
  let next = await events.next();
  while (next.done !== true) next = await events.next();
  const { step, usage, routes, stop } = next.value;
  const text = step.text.trim().slice(0, longestSummary).toWellFormed();
  const [first, last] = [covered.turns[0], covered.turns.at(-1)];
  if (stop.reason !== "end" || text === "" || first === undefined || last === undefined) {
    log.warn("the conversation was not summarised", {
      task: task.id,
      reason: stop.failure?.code ?? stop.reason,
    });
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
    sources,
    tainted: before?.tainted ?? false,
    deployment: step.deployment,
    createdAt: clock.now(),
  };
  await store.addSummary(summary, { usage, routes });
  log.info("conversation summarised", { task: task.id, turns: covered.turns.length });
}
