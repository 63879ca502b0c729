import { z } from "zod";

import type { Agent } from "#core/agent.ts";
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

function instructions(parts: PromptParts, limits: ModelLimits): PromptMessage[] {
  return limits.bare ? [] : [{ role: "system", text: parts.agent.system_prompt.trim() }];
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
  const fixed =
    [...head, ...tail].reduce((sum, message) => sum + tokensOf(message), 0) +
    (tools.length === 0 ? 0 : estimateTokens(JSON.stringify(tools)));
  const maxTokens = Math.min(limits.maxAnswerTokens, Math.floor(limits.contextTokens / 2));
  const turns = fittingTurns(parts.turns, limits.contextTokens - maxTokens - fixed);
  return { messages: [...head, ...turns, ...tail], tools, maxTokens };
}
