import { type Words, usualUsage } from "./words.ts";

/** One data event. */
export function dataEvent(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

/** One data event with a choice. */
export function chunk(delta: object, finish: string | null = null, more: object = {}): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  return dataEvent({ id: "c", object: "chat.completion.chunk", choices, ...more });
}

/** Counts as the API writes them. */
export function countsOf(usage: { readonly promptTokens: number; readonly answerTokens: number }) {
  const { promptTokens, answerTokens } = usage;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: answerTokens,
    total_tokens: promptTokens + answerTokens,
  };
}

const finishes = { stop: "stop", length: "length", toolCalls: "tool_calls" } as const;

/** What ends a stream. */
export const done = "data: [DONE]\n\n";

/** Events as OpenAI's chat completions write them. */
export const openaiWords: Words = {
  kind: "openai",
  type: "text/event-stream",
  start: () => chunk({ role: "assistant", content: "" }),
  text: (piece) => chunk({ content: piece }),
  thinking: (piece) => chunk({ reasoning_content: piece }),
  call({ index, id, name, pieces }) {
    const first = { index, id, type: "function", function: { name, arguments: "" } };
    const more = pieces.map((piece) =>
      chunk({ tool_calls: [{ index, function: { arguments: piece } }] }),
    );
    return [chunk({ tool_calls: [first] }), ...more].join("");
  },
  end({ reason = "stop", usage = usualUsage } = {}) {
    const counts =
      usage === null ? "" : dataEvent({ id: "c", choices: [], usage: countsOf(usage) });
    return chunk({}, finishes[reason]) + counts + done;
  },
  inBand: () =>
    dataEvent({
      error: { message: "The server is overloaded", type: "overloaded_error", code: null },
    }),
  refusal: ({ message, code = null }: { message: string; code?: string | null }) =>
    JSON.stringify({ error: { message, type: "invalid_request_error", param: null, code } }),
};
