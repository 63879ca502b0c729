import { type Ending, type Words, usualUsage } from "./words.ts";

function sse(type: string, more: object = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
}

function block(index: number, content: object, deltas: readonly object[]): string {
  return [
    sse("content_block_start", { index, content_block: content }),
    ...deltas.map((delta) => sse("content_block_delta", { index, delta })),
    sse("content_block_stop", { index }),
  ].join("");
}

const stops = { stop: "end_turn", length: "max_tokens", toolCalls: "tool_use" } as const;

function end({ reason = "stop", usage = usualUsage }: Ending = {}): string {
  return endAs(stops[reason], usage);
}

/** The end of an answer for a reason of the API's own. */
export function endAs(stop_reason: string, usage: Ending["usage"] = usualUsage): string {
  const counts =
    usage == null
      ? {}
      : { usage: { input_tokens: usage.promptTokens, output_tokens: usage.answerTokens } };
  const delta = { stop_reason, stop_sequence: null };
  return sse("message_delta", { delta, ...counts }) + sse("message_stop");
}

/** Events as Anthropic's Messages API writes them; each piece of text is a block of its own. */
export const anthropicWords: Words = {
  kind: "anthropic",
  type: "text/event-stream; charset=utf-8",
  start: () =>
    sse("message_start", {
      message: {
        id: "msg_1",
        type: "message",
        role: "assistant",
        model: "m",
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 12, output_tokens: 1 },
      },
    }),
  text: (piece) => block(0, { type: "text", text: "" }, [{ type: "text_delta", text: piece }]),
  thinking: (piece) =>
    block(0, { type: "thinking", thinking: "", signature: "" }, [
      { type: "thinking_delta", thinking: piece },
    ]),
  call: ({ index, id, name, pieces }) =>
    block(
      index,
      { type: "tool_use", id, name, input: {} },
      pieces.map((partial_json) => ({ type: "input_json_delta", partial_json })),
    ),
  end,
  inBand: () => sse("error", { error: { type: "overloaded_error", message: "Overloaded" } }),
  refusal: ({ message, code = "api_error", details }) => {
    const error = { type: code, message, ...(details === undefined ? {} : { details }) };
    return JSON.stringify({ type: "error", error, request_id: "req_1" });
  },
};
