import { z } from "zod";

import type { Agent } from "#core/agent.ts";
import { AppError } from "#core/errors.ts";
import type { ModelLimits, ModelRequest, PromptMessage, ToolSpec } from "#core/model.ts";
import { estimateMessage, estimatePrompt, estimateTokens } from "#core/model.ts";
import type { PersonSettings } from "#core/person.ts";
import type { Step, Summary, Turn } from "#core/task.ts";
import { languageName } from "#core/time.ts";
import type { Tool } from "#core/tool.ts";

/** A prompt without the task it is for. */
export type Prompt = Omit<ModelRequest, "taskId">;

/** What a prompt is made of. */
export interface PromptParts {
  readonly agent: Agent;
  /** Those the agent may use, as a model is told of them, in a fixed order. */
  readonly specs: readonly ToolSpec[];
  /** Earlier turns of the conversation, oldest first. */
  readonly turns: readonly Turn[];
  /** What was said before those turns. */
  readonly summary?: Summary | undefined;
  readonly person: PersonSettings;
  readonly input: string;
  /** What is told of the files that came with it; cut where it does not fit. */
  readonly files?: string;
  /** What the task has done so far. */
  readonly steps: readonly Step[];
}

/** A tool as a model is told of it; it takes long enough to be made once. */
export function toolSpec(tool: Tool): ToolSpec {
  const { $schema: _, ...schema } = z.toJSONSchema(tool.input, { io: "input" });
  const { name, description, gives } = tool;
  return { name, description, schema, gives };
}

function stepMessage(step: Step): PromptMessage {
  if (step.kind === "person") return { role: "user", text: step.text };
  if (step.kind === "tool") {
    return { role: "tool", callId: step.callId, name: step.name, text: step.result };
  }
  return { role: "assistant", text: step.text, toolCalls: step.toolCalls };
}

/** How many of the newest turns fit; never an answer without its question. */
function fitting(turns: readonly Turn[], budget: number): number {
  let kept = 0;
  let left = budget;
  for (const turn of turns.toReversed()) {
    left -= estimateMessage({ role: turn.role, text: turn.text });
    if (left < 0) break;
    kept += 1;
  }
  return turns.at(turns.length - kept)?.role === "assistant" ? kept - 1 : kept;
}

/** Turns that go on being told word for word; of more, the older ones are summed up, however short they are. */
const mostTurns = 80;

/**
 * The turns that are to be summed up, oldest first: where not all can stay, so many that what stays fills half of the room. From then on
 * prompts only grow, and a host reads nothing anew that it has read before, until the room is full again.
 */
function outgrown(turns: readonly Turn[], kept: number, room: number): readonly Turn[] {
  if (kept === turns.length && kept <= mostTurns) return [];
  const lately = fitting(turns.slice(-mostTurns / 2), room / 2);
  // The last answer is kept word for word, also where it is a long one.
  const stay = Math.max(lately, Math.min(kept, 2));
  return turns.slice(0, turns.length - stay);
}

/** The summary stands before the first words of the person, since many models take one system message alone. */
function withSummary(messages: PromptMessage[], summary: Summary | undefined): PromptMessage[] {
  const [first, ...others] = messages;
  if (summary === undefined || first?.role !== "user") return messages;
  const text = `What we said before, in short:\n${summary.text}\n\n${first.text}`;
  return [{ role: "user", text }, ...others];
}

/** The tools that a model of these limits is offered. */
function offered(specs: readonly ToolSpec[], limits: ModelLimits): readonly ToolSpec[] {
  if (!limits.tools || limits.bare) return [];
  const { withheld = [] } = limits;
  return specs.filter(({ gives }) => !withheld.includes(gives));
}

/** What the model must know of the person; nothing where the person set nothing. */
function aboutPerson({ timeZone, language }: PersonSettings): string {
  const zone = timeZone === null ? "" : `\nThe person's time zone is ${timeZone}.`;
  const name = language === null ? undefined : languageName(language);
  return `${zone}${name === undefined ? "" : `\nAnswer in ${name}, unless the person writes in another language.`}`;
}

function instructions({ agent, person }: PromptParts, limits: ModelLimits): PromptMessage[] {
  if (limits.bare) return [];
  return [{ role: "system", text: agent.system_prompt.trim() + aboutPerson(person) }];
}

const cutWords = "\n[Cut here: the rest does not fit into what you can read at once.]";

/** What is told of files, as much of it as so many tokens hold. */
function fittingFiles(files: string, tokens: number): string {
  if (files === "" || estimateTokens(files) <= tokens) return files;
  const share = Math.max(0, tokens - estimateTokens(cutWords)) / estimateTokens(files);
  return files.slice(0, Math.floor(files.length * share)).toWellFormed() + cutWords;
}

/** Throws `config.invalid` when instructions and tools take more than their share of every prompt. */
function checkBudget(agent: Agent, taken: number, budget: number): void {
  if (taken <= budget) return;
  const problem = `its instructions and tools take about ${taken} tokens, and ${budget} fit the model that answers: shorten system_prompt or tools.`;
  throw new AppError("config.invalid", { file: `config/agents/${agent.name}.yaml`, problem });
}

/**
 * The prompt for a model of these limits: instructions and tools first and unchanged from turn to turn, so that a server's
 * prompt cache holds, then the turns that fit, the request and the steps so far. Derived each time, never stored. `left` are the
 * turns that are to be summed up, since not all fit any more, oldest first.
 */
export function buildPrompt(
  parts: PromptParts,
  limits: ModelLimits,
): { readonly prompt: Prompt; readonly left: readonly Turn[] } {
  const tools = offered(parts.specs, limits);
  const head = instructions(parts, limits);
  const steps = parts.steps.map(stepMessage);
  const before = parts.summary === undefined ? 0 : estimateTokens(parts.summary.text) + 10;
  const asked: PromptMessage = { role: "user", text: parts.input };
  const fixed = estimatePrompt({ messages: [...head, asked, ...steps], tools }) + before;
  checkBudget(parts.agent, estimatePrompt({ messages: head, tools }), limits.promptBudget);
  const maxTokens = Math.min(limits.maxAnswerTokens, Math.floor(limits.contextTokens / 2));
  const room = limits.contextTokens - maxTokens - fixed;
  const files = fittingFiles(parts.files ?? "", room);
  const request = [parts.input, files].filter((words) => words !== "").join("\n\n");
  const tail: PromptMessage[] = [{ role: "user", text: request }, ...steps];
  const free = room - estimateTokens(files);
  const kept = fitting(parts.turns, free);
  const at = parts.turns.length - kept;
  const turns = parts.turns.slice(at).map(({ role, text }): PromptMessage => ({ role, text }));
  const said = withSummary([...turns, ...tail], parts.summary);
  return {
    prompt: { messages: [...head, ...said], tools, maxTokens },
    left: outgrown(parts.turns, kept, free),
  };
}
