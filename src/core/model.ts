import type { Failure } from "./errors.ts";
import type { Label, Origin, Trust } from "./trust.ts";

/** A model's request to call one tool. */
export interface ToolCall {
  /** Unique within its task. */
  readonly id: string;
  readonly name: string;
  /** Parsed JSON as the model wrote it, not yet checked against the tool's schema. */
  readonly input: unknown;
}

/** One message of a prompt, in the order it was said. */
export type PromptMessage =
  | { readonly role: "system" | "user"; readonly text: string }
  | { readonly role: "assistant"; readonly text: string; readonly toolCalls?: readonly ToolCall[] }
  | {
      readonly role: "tool";
      readonly callId: string;
      readonly name: string;
      readonly text: string;
    };

/** A tool as a model is told of it. */
export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the input, draft 2020-12. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** Where what it gives comes from; no part of what a model is told. */
  readonly gives: Origin;
}

/** What a request's receipt says of it. */
export interface Carried {
  /** The task whose receipts the request is written to; null for work that belongs to none. */
  readonly taskId: string | null;
  /** How private it is, and identifiers that were taken out. Absent where nothing of a person is in it. */
  readonly labels?: readonly Label[];
  readonly redactions?: number;
}

/** All that a model is asked. */
export interface ModelRequest extends Carried {
  readonly messages: readonly PromptMessage[];
  readonly tools: readonly ToolSpec[];
  /** JSON Schema that the answer's text must satisfy. */
  readonly answerSchema?: Readonly<Record<string, unknown>>;
  /** Most tokens of the answer. */
  readonly maxTokens: number;
  /** 0 is greedy; absent is the model's own default. */
  readonly temperature?: number;
}

/** Why a model stopped: it was done, wants tools, reached `maxTokens`, was aborted, or failed. */
export type StopReason = "end" | "toolCalls" | "length" | "aborted" | "error";

/** Tokens of one model call; absent is unknown, never zero. */
export interface TokenUsage {
  /** Tokens of the prompt, those read from a cache included. */
  readonly promptTokens?: number;
  readonly answerTokens?: number;
  /** Of `promptTokens`, those that did not have to be evaluated again. */
  readonly cachedTokens?: number;
  /** Of `promptTokens`, those that were written into a cache, which may cost more. */
  readonly cacheWrittenTokens?: number;
  /** US dollars, as the service itself reported them. */
  readonly costUsd?: number;
}

/** The last event of every stream. `failure` is there exactly when `reason` is "error". */
export interface ModelStop {
  readonly type: "stop";
  readonly reason: StopReason;
  readonly failure?: Failure;
  /** What the service asks to wait for before the next request, in milliseconds; absent where it does not say. */
  readonly retryMs?: number;
}

/**
 * What a model says while it works. Thinking is never part of the answer; `loading` says that its host reads it from disk first.
 * `promptMs` is how long the host itself says that it read the prompt, without loading and waiting.
 */
export type ModelEvent =
  | { readonly type: "loading" }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly text: string }
  | { readonly type: "toolCall"; readonly call: ToolCall }
  | ({ readonly type: "usage"; readonly promptMs?: number } & TokenUsage)
  | ModelStop;

/** What a prompt for a model must fit into. */
export interface ModelLimits {
  /** Prompt and answer together. */
  readonly contextTokens: number;
  /** Most tokens of instructions and tool schemas in the first prompt. */
  readonly promptBudget: number;
  /** False where the model cannot be trusted with tools: it is then offered none. */
  readonly tools: boolean;
  /** True for a model so small that long instructions harm it: it gets the words and next to nothing else. */
  readonly bare: boolean;
  /** Most tokens of an answer. */
  readonly maxAnswerTokens: number;
  /** What may not go to where the model is: it is offered no tool that gives it. Absent is nothing. */
  readonly withheld?: readonly Origin[];
}

/**
 * A model that answers. `stream` never throws: a failure is its last event. It yields text, thinking and tool calls in the
 * order they come, usage at most once, and exactly one stop, last. When `signal` aborts, or the consumer stops iterating,
 * the work behind it ends within a second.
 */
export interface Model {
  /** Deployment id, for example "ollama/qwen3:1.7b"; unique among the configured ones. */
  readonly id: string;
  readonly trust: Trust;
  readonly limits: ModelLimits;
  /**
   * Has its host read it from disk where that is wanted now and not done yet; true where it was. Absent where nothing has to be loaded.
   * Rejects with an AppError, or the signal's reason.
   */
  load?(signal: AbortSignal): Promise<boolean>;
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>;
}

/** Estimated tokens of a text where no tokenizer is at hand: 3.6 characters each, rounded up. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / 3.6);
}

/** Tokens that a model's template adds to a message for its role. */
const roleTokens = 4;

/**
 * Tokens of a text from above, for what must not cost more than was said: a tokenizer takes three characters of ASCII and more for one,
 * and up to one and a half for a single character of another script.
 */
export function mostTokens(text: string): number {
  const isPlain = !/[\u0080-\uffff]/.test(text);
  const others = isPlain ? 0 : text.replaceAll(/[\0-\u007f]/g, "").length;
  return Math.ceil((text.length - others) / 3 + others * 1.5);
}

/** Estimated tokens of a message, with what a template adds to it. */
export function estimateMessage(message: PromptMessage, count = estimateTokens): number {
  const calls = message.role === "assistant" ? message.toolCalls : undefined;
  const hasCalls = calls !== undefined && calls.length > 0;
  return count(hasCalls ? message.text + JSON.stringify(calls) : message.text) + roleTokens;
}

/** Estimated tokens of a whole prompt, each of its texts by `count`. */
export function estimatePrompt(
  {
    messages,
    tools,
  }: { readonly messages: readonly PromptMessage[]; readonly tools: readonly ToolSpec[] },
  count = estimateTokens,
): number {
  const schemas = tools.length === 0 ? 0 : count(JSON.stringify(tools));
  return messages.reduce((sum, message) => sum + estimateMessage(message, count), schemas);
}
