import { z } from "zod";

import type { Agent } from "#core/agent.ts";
import { AppError } from "#core/errors.ts";
import type { ModelLimits, ModelRequest, PromptMessage, ToolSpec } from "#core/model.ts";
import { estimateTokens } from "#core/model.ts";
import type { Step, Turn } from "#core/task.ts";
import type { Tool } from "#core/tool.ts";

/** A prompt without the task it is for. */
export type Prompt = Omit<ModelRequest, "taskId">;

/** What a prompt is made of. */
export interface PromptParts {
  readonly agent: Agent;
  /** Those the agent may use, in a fixed order. */
  readonly tools: readonly Tool[];
  /** Earlier turns of the conversation, oldest first. */
  readonly turns: readonly Turn[];
  readonly input: string;
  /** What the task has done so far. */
  readonly steps: readonly Step[];
}

/** A tool as a model is told of it. */
function toolSpec(tool: Tool): ToolSpec {
  const { $schema: _, ...schema } = z.toJSONSchema(tool.input, { io: "input" });
  return { name: tool.name, description: tool.description, schema };
}

function stepMessage(step: Step): PromptMessage {
  if (step.kind === "tool") {
    return { role: "tool", callId: step.callId, name: step.name, text: step.result };
  }
  return { role: "assistant", text: step.text, toolCalls: step.toolCalls };
}

function tokensOf(message: PromptMessage): number {
  const calls = message.role === "assistant" ? JSON.stringify(message.toolCalls ?? []) : "";
  return estimateTokens(message.text + calls) + 4;
}

/** The newest turns that fit, oldest first, and never an answer without its question. */
function fittingTurns(turns: readonly Turn[], budget: number): PromptMessage[] {
  const kept: PromptMessage[] = [];
  let left = budget;
  for (const turn of turns.toReversed()) {
    const message: PromptMessage = { role: turn.role, text: turn.text };
    left -= tokensOf(message);
    if (left < 0) break;
    kept.unshift(message);
  }
  return kept[0]?.role === "assistant" ? kept.slice(1) : kept;
}

function sizeOf(messages: readonly PromptMessage[], tools: readonly ToolSpec[]): number {
  const schemas = tools.length === 0 ? 0 : estimateTokens(JSON.stringify(tools));
  return messages.reduce((sum, message) => sum + tokensOf(message), schemas);
}

function instructions(parts: PromptParts, limits: ModelLimits): PromptMessage[] {
  return limits.bare ? [] : [{ role: "system", text: parts.agent.system_prompt.trim() }];
}

/** Throws `config.invalid` when instructions and tools take more than their share of every prompt. */
function checkBudget(agent: Agent, taken: number, budget: number): void {
  if (taken <= budget) return;
  const problem = `its instructions and tools take about ${taken} tokens, and ${budget} fit the model that answers: shorten system_prompt or tools.`;
  throw new AppError("config.invalid", { file: `config/agents/${agent.name}.yaml`, problem });
}

/**
 * The prompt for a model of these limits: instructions and tools first and unchanged from turn to turn, so that a server's
 * prompt cache holds, then the turns that fit, the request and the steps so far. Derived each time, never stored.
 */
export function buildPrompt(parts: PromptParts, limits: ModelLimits): Prompt {
  const tools = limits.tools && !limits.bare ? parts.tools.map(toolSpec) : [];
  const head = instructions(parts, limits);
  const tail: PromptMessage[] = [
    { role: "user", text: parts.input },
    ...parts.steps.map(stepMessage),
  ];
  const fixed = sizeOf([...head, ...tail], tools);
  checkBudget(parts.agent, sizeOf(head, tools), limits.promptBudget);
  const maxTokens = Math.min(limits.maxAnswerTokens, Math.floor(limits.contextTokens / 2));
  const turns = fittingTurns(parts.turns, limits.contextTokens - maxTokens - fixed);
  return { messages: [...head, ...turns, ...tail], tools, maxTokens };
}
