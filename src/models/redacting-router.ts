import type { PromptMessage, ToolCall } from "#core/model.ts";
import type { Redactor } from "#core/redact.ts";
import type { RouteAsk, RoutedEvent, Router } from "#core/router.ts";

function cleanCall({ redact, redactValue }: Redactor, call: ToolCall): ToolCall {
  return { ...call, name: redact(call.name), input: redactValue(call.input) };
}

function cleanMessage(redactor: Redactor, message: PromptMessage): PromptMessage {
  const text = redactor.redact(message.text);
  if (message.role !== "assistant" || message.toolCalls === undefined) return { ...message, text };
  return {
    ...message,
    text,
    toolCalls: message.toolCalls.map((call) => cleanCall(redactor, call)),
  };
}

function cleanAsk(redactor: Redactor, ask: RouteAsk): RouteAsk {
  return {
    ...ask,
    build(limits) {
      const prompt = ask.build(limits);
      const messages = prompt.messages.map((message) => cleanMessage(redactor, message));
      return { ...prompt, messages };
    },
  };
}

/** A router whose prompts and answers hold no secret, however they were cut into pieces. */
export function createRedactingRouter(router: Router, redactor: Redactor): Router {
  async function* stream(ask: RouteAsk, signal: AbortSignal): AsyncGenerator<RoutedEvent> {
    let text = redactor.stream();
    for await (const event of router.stream(cleanAsk(redactor, ask), signal)) {
      if (event.type === "text") {
        const clean = text.push(event.text);
        if (clean !== "") yield { type: "text", text: clean };
        continue;
      }
      if (event.type === "chosen") text = redactor.stream();
      else {
        const rest = text.end();
        if (rest !== "") yield { type: "text", text: rest };
      }
      yield event.type === "toolCall"
        ? { type: "toolCall", call: cleanCall(redactor, event.call) }
        : event;
    }
  }
  return { ...router, stream, warm: (ask, signal) => router.warm(cleanAsk(redactor, ask), signal) };
}
