import { type Words, usualUsage } from "./words.ts";

function line(message: object, more: object = { done: false }): string {
  const made = { model: "m", message: { role: "assistant", content: "", ...message }, ...more };
  return `${JSON.stringify(made)}\n`;
}

/** Lines of JSON as Ollama's /api/chat writes them. */
export const ollamaWords: Words = {
  kind: "ollama",
  type: "application/x-ndjson",
  start: () => "",
  text: (piece) => line({ content: piece }),
  thinking: (piece) => line({ thinking: piece }),
  call({ id, name, pieces }) {
    const text = pieces.join("");
    const args: unknown = text === "" ? {} : JSON.parse(text);
    const made = { ...(id === "" ? {} : { id }), function: { name, arguments: args } };
    return line({ tool_calls: [made] });
  },
  end({ reason = "stop", usage = usualUsage } = {}) {
    // A call ends with "stop" as well.
    const done_reason = reason === "length" ? "length" : "stop";
    const counts =
      usage === null
        ? {}
        : { prompt_eval_count: usage.promptTokens, eval_count: usage.answerTokens };
    return line({}, { done: true, done_reason, ...counts });
  },
  inBand: () =>
    `${JSON.stringify({ error: "an error was encountered while running the model" })}\n`,
  refusal: ({ message }) => JSON.stringify({ error: message }),
};
