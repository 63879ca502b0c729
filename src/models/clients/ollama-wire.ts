import { z } from "zod";

import type { ModelRequest, PromptMessage, ToolCall } from "#core/model.ts";

/** One line of an answer of /api/chat; durations in nanoseconds. */
export const chatLineSchema = z.object({
  error: z.string().optional(),
  message: z
    .object({
      content: z.string().default(""),
      thinking: z.string().optional(),
      tool_calls: z
        .array(
          z.object({
            id: z.string().optional(),
            function: z.object({ name: z.string(), arguments: z.unknown() }),
          }),
        )
        .optional(),
    })
    .optional(),
  remote_host: z.string().optional(),
  remote_model: z.string().optional(),
  done: z.boolean().default(false),
  done_reason: z.string().optional(),
  prompt_eval_count: z.int().optional(),
  /** Nanoseconds. */
  prompt_eval_duration: z.int().optional(),
  eval_count: z.int().optional(),
});

/** A parsed line of an answer. */
export type ChatLine = z.infer<typeof chatLineSchema>;

/** Where a model runs in truth, by what its host says of it; undefined where it runs on that host. */
export function farPlace({
  remote_host = "",
  remote_model = "",
}: {
  readonly remote_host?: string | undefined;
  readonly remote_model?: string | undefined;
}): string | undefined {
  const place = remote_host === "" ? remote_model : remote_host;
  return place === "" ? undefined : place;
}

/** The tool calls of a line; ids are made where the server gives none. */
export function callsOf(line: ChatLine, before: number, prefix: string): ToolCall[] {
  return (line.message?.tool_calls ?? []).map((call, i) => ({
    id: call.id ?? `${prefix}-${before + i + 1}`,
    name: call.function.name,
    input: call.function.arguments,
  }));
}

function wireMessage(message: PromptMessage): object {
  if (message.role === "tool") {
    return { role: "tool", content: message.text, tool_name: message.name };
  }
  if (message.role !== "assistant" || (message.toolCalls ?? []).length === 0) {
    return { role: message.role, content: message.text };
  }
  const tool_calls = message.toolCalls?.map(({ name, input }) => ({
    function: { name, arguments: input },
  }));
  return { role: "assistant", content: message.text, tool_calls };
}

/** The body of a request to /api/chat. */
export function chatBody(
  request: ModelRequest,
  how: {
    readonly model: string;
    readonly contextTokens: number;
    readonly keepAlive: string;
    readonly runner: Readonly<Record<string, number | boolean>>;
    /** Absent for a model that cannot think: it would be refused. */
    readonly think?: boolean;
  },
): string {
  const { messages, tools, answerSchema, maxTokens, temperature } = request;
  return JSON.stringify({
    model: how.model,
    messages: messages.map(wireMessage),
    stream: true,
    // Without these an overflow drops the oldest messages, and a shift half of the answer, both silently.
    truncate: false,
    shift: false,
    keep_alive: how.keepAlive,
    options: {
      ...how.runner,
      num_ctx: how.contextTokens,
      num_predict: maxTokens,
      ...(temperature === undefined ? {} : { temperature }),
    },
    ...(how.think === undefined ? {} : { think: how.think }),
    ...(answerSchema === undefined ? {} : { format: answerSchema }),
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
