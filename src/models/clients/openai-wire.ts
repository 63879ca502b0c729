import { z } from "zod";

import type { ModelRequest, PromptMessage, TokenUsage, ToolCall } from "#core/model.ts";

import { inputOf } from "./json-input.ts";

const callDelta = z.object({
  index: z.int().nullish(),
  id: z.string().nullish(),
  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
});

/** A piece of a tool call. */
type CallDelta = z.infer<typeof callDelta>;

const usageSchema = z.object({
  prompt_tokens: z.int().nullish(),
  completion_tokens: z.int().nullish(),
  prompt_tokens_details: z.object({ cached_tokens: z.int().nullish() }).nullish(),
  /** OpenRouter's, in US dollars. */
  cost: z.number().nullish(),
});

/** One data event of an answer; what servers add to it is left out. */
export const chunkSchema = z.object({
  choices: z
    .array(
      z.object({
        delta: z
          .object({
            content: z.string().nullish(),
            reasoning_content: z.string().nullish(),
            reasoning: z.string().nullish(),
            refusal: z.string().nullish(),
            tool_calls: z.array(callDelta).nullish(),
          })
          .nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .nullish(),
  usage: usageSchema.nullish(),
});

const detailSchema = z.object({
  message: z.string().nullish(),
  code: z.union([z.string(), z.number()]).nullish(),
  type: z.string().nullish(),
});

const errorSchema = z.union([
  z.object({ error: detailSchema }).transform(({ error }) => error),
  z.object({ error: z.string() }).transform(({ error }) => ({ message: error })),
  z.object({ detail: z.string() }).transform(({ detail }) => ({ message: detail })),
  detailSchema.extend({ object: z.literal("error") }),
]);

/** What a data event or a body says in one of the forms of an error; undefined when it is none. */
export function errorOf(
  data: unknown,
): { readonly message: string; readonly codes: readonly string[] } | undefined {
  const found: z.infer<typeof detailSchema> | undefined = errorSchema.safeParse(
    Array.isArray(data) ? data[0] : data,
  ).data;
  if (found === undefined) return undefined;
  const codes = [found.code, found.type].flatMap((code) => (code == null ? [] : [String(code)]));
  return { message: found.message ?? "", codes };
}

/** Token counts in our words. */
export function usageOf(usage: z.infer<typeof usageSchema>): TokenUsage {
  const { prompt_tokens: promptTokens, completion_tokens: answerTokens, cost: costUsd } = usage;
  const cachedTokens = usage.prompt_tokens_details?.cached_tokens;
  return {
    ...(promptTokens == null ? {} : { promptTokens }),
    ...(answerTokens == null ? {} : { answerTokens }),
    ...(cachedTokens == null ? {} : { cachedTokens }),
    ...(costUsd == null ? {} : { costUsd }),
  };
}

interface OpenCall {
  readonly index: number | undefined;
  id: string;
  name: string;
  text: string;
}

/** Puts tool calls together from their pieces, keyed by index; `end` gives them in the order in which they began. */
export function createCallCollector(prefix: string): {
  push(delta: CallDelta): void;
  end(): { readonly call: ToolCall; readonly whole: boolean }[];
} {
  const calls: OpenCall[] = [];

  function begun(delta: CallDelta): OpenCall | undefined {
    const index = delta.index ?? undefined;
    const named = (delta.function?.name ?? "") !== "";
    const last = calls.findLast((call) => index === undefined || call.index === index);
    // Some servers give every call the same index, or none: a new id with a name is then a new call.
    const other = named && last !== undefined && (delta.id ?? last.id) !== last.id;
    return other || (named && index === undefined) ? undefined : last;
  }

  return {
    push(delta) {
      let call = begun(delta);
      if (call === undefined) {
        const id = delta.id == null || delta.id === "" ? `${prefix}-${calls.length + 1}` : delta.id;
        call = { index: delta.index ?? undefined, id, name: "", text: "" };
        calls.push(call);
      }
      if (call.name === "") call.name = delta.function?.name ?? "";
      call.text += delta.function?.arguments ?? "";
    },
    end: () =>
      calls.map(({ id, name, text }) => {
        const { input, whole } = inputOf(text);
        return { call: { id, name, input }, whole };
      }),
  };
}

function wireMessage(message: PromptMessage): object {
  if (message.role === "tool") {
    return { role: "tool", tool_call_id: message.callId, content: message.text };
  }
  if (message.role !== "assistant" || (message.toolCalls ?? []).length === 0) {
    return { role: message.role, content: message.text };
  }
  const tool_calls = message.toolCalls?.map(({ id, name, input }) => ({
    id,
    type: "function",
    function: { name, arguments: typeof input === "string" ? input : JSON.stringify(input) },
  }));
  return { role: "assistant", content: message.text === "" ? null : message.text, tool_calls };
}

/** Where servers differ. */
export interface Quirks {
  /** How the server calls the most tokens of an answer. */
  readonly answerLimit: "max_tokens" | "max_completion_tokens";
  /** Whether it may be told a temperature. */
  readonly temperature: boolean;
  /** Whether it may be asked for token counts. */
  readonly streamUsage: boolean;
}

/** What is known of a server by its address. */
export function quirksOf(url: string): Quirks {
  const { hostname } = new URL(url);
  // Its newer models know neither max_tokens nor any temperature but their own.
  if (hostname === "api.openai.com" || hostname.endsWith(".openai.azure.com")) {
    return { answerLimit: "max_completion_tokens", temperature: false, streamUsage: true };
  }
  return { answerLimit: "max_tokens", temperature: true, streamUsage: true };
}

/** The body of a request to /chat/completions. */
export function completionBody(model: string, quirks: Quirks, request: ModelRequest): string {
  const { messages, tools, answerSchema, maxTokens, temperature } = request;
  return JSON.stringify({
    model,
    messages: messages.map(wireMessage),
    stream: true,
    [quirks.answerLimit]: maxTokens,
    ...(quirks.streamUsage ? { stream_options: { include_usage: true } } : {}),
    ...(quirks.temperature && temperature !== undefined ? { temperature } : {}),
    ...(answerSchema === undefined
      ? {}
      : {
          response_format: {
            type: "json_schema",
            json_schema: { name: "answer", strict: true, schema: answerSchema },
          },
        }),
    ...(tools.length === 0
      ? {}
      : {
          tools: tools.map(({ name, description, schema }) => ({
            type: "function",
            function: { name, description, parameters: schema },
          })),
        }),
  });
}
