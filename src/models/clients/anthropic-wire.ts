import type {
  ContentBlockParam,
  MessageCreateParamsStreaming,
  MessageParam,
  TextBlockParam,
  Tool,
} from "@anthropic-ai/sdk/resources/messages";
import { z } from "zod";

import type { ModelRequest, PromptMessage, TokenUsage, ToolSpec } from "#core/model.ts";

const usageSchema = z.object({
  input_tokens: z.int().nullish(),
  output_tokens: z.int().nullish(),
  cache_read_input_tokens: z.int().nullish(),
  cache_creation_input_tokens: z.int().nullish(),
});

/** Counts as an event reports them; later ones replace earlier ones, since they are cumulative. */
export type Counts = z.infer<typeof usageSchema>;

/** Absent and null are both "nothing". */
const wireText = z
  .string()
  .nullish()
  .transform((said) => said ?? "");

/** An event of an answer. Types that are not known yet pass, to be left out. */
export const eventSchema = z.object({
  type: z.string(),
  index: z.int().default(0),
  message: z.object({ usage: usageSchema.nullish() }).optional(),
  content_block: z
    .object({
      type: z.string(),
      id: wireText,
      name: wireText,
      text: wireText,
    })
    .optional(),
  delta: z
    .object({
      type: wireText,
      text: wireText,
      thinking: wireText,
      partial_json: wireText,
      stop_reason: z.string().nullish(),
    })
    .optional(),
  usage: usageSchema.nullish(),
});

/** The later counts over the earlier ones; null is "not said". */
export function laterCounts(before: Counts, later: Counts | null | undefined): Counts {
  const said = Object.entries(later ?? {}).filter(([, count]) => count !== null);
  return { ...before, ...Object.fromEntries(said) };
}

/** Token counts in our words: the service counts cached tokens apart from the others of a prompt. */
export function usageOf(counts: Counts): TokenUsage {
  const { input_tokens: fresh, output_tokens: answerTokens } = counts;
  const cachedTokens = counts.cache_read_input_tokens ?? undefined;
  const written = counts.cache_creation_input_tokens ?? 0;
  return {
    ...(fresh == null ? {} : { promptTokens: fresh + (cachedTokens ?? 0) + written }),
    ...(answerTokens == null ? {} : { answerTokens }),
    ...(cachedTokens === undefined ? {} : { cachedTokens }),
    ...(written === 0 ? {} : { cacheWrittenTokens: written }),
  };
}

/** Ids of another model's calls may hold what this API refuses. */
function wireId(id: string): string {
  return id.replaceAll(/[^a-zA-Z0-9_-]/g, "_");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The API refuses empty text. */
function textBlocks(text: string): TextBlockParam[] {
  return text.trim() === "" ? [] : [{ type: "text", text }];
}

function blocksOf(message: PromptMessage): ContentBlockParam[] {
  if (message.role === "tool") {
    const content = textBlocks(message.text);
    const id = wireId(message.callId);
    return [{ type: "tool_result", tool_use_id: id, ...(content.length > 0 ? { content } : {}) }];
  }
  const calls = message.role === "assistant" ? (message.toolCalls ?? []) : [];
  return [
    ...textBlocks(message.text),
    ...calls.map(({ id, name, input }) => ({
      type: "tool_use" as const,
      id: wireId(id),
      name,
      input: isRecord(input) ? input : {},
    })),
  ];
}

/** Messages of one side in a row become one: results of one turn's tools must come in one message. */
function wireMessages(messages: readonly PromptMessage[]): MessageParam[] {
  const wired: { role: "user" | "assistant"; content: ContentBlockParam[] }[] = [];
  for (const message of messages) {
    const content = blocksOf(message);
    if (message.role === "system" || content.length === 0) continue;
    const role = message.role === "assistant" ? "assistant" : "user";
    const last = wired.at(-1);
    if (last?.role === role) last.content.push(...content);
    else wired.push({ role, content });
  }
  return wired;
}

function wireTool({ name, description, schema }: ToolSpec): Tool {
  return { name, description, input_schema: { ...schema, type: "object" } };
}

const cached = { cache_control: { type: "ephemeral" } } as const;

/** The list with a mark at its last item: all up to there is kept in the service's cache. */
function markLast<Item extends object>(items: readonly Item[]): Item[] {
  return items.map((item, at) => (at === items.length - 1 ? { ...item, ...cached } : item));
}

/** The body of a request. Tools come before the system prompt in the cache's prefix, so that one mark holds both. */
export function messageBody(
  model: string,
  request: ModelRequest,
  answerSchema: Readonly<Record<string, unknown>> | undefined,
): MessageCreateParamsStreaming {
  const { messages, tools, maxTokens } = request;
  const system = messages.flatMap(({ role, text }) => (role === "system" ? textBlocks(text) : []));
  const wired = tools.map(wireTool);
  return {
    model,
    max_tokens: maxTokens,
    stream: true,
    messages: wireMessages(messages),
    ...(system.length === 0 ? {} : { system: markLast(system) }),
    ...(wired.length === 0 ? {} : { tools: system.length === 0 ? markLast(wired) : wired }),
    ...(answerSchema === undefined
      ? {}
      : { output_config: { format: { type: "json_schema", schema: answerSchema } } }),
  };
}
