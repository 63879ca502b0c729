import type { Model, ModelEvent, ModelRequest, ToolCall } from "../../src/core/model.ts";

/** A plain request. */
export function ask(text: string, own: Partial<ModelRequest> = {}): ModelRequest {
  const messages = [{ role: "user", text } as const];
  return { taskId: null, messages, tools: [], maxTokens: 40, temperature: 0, ...own };
}

/** A tool as models are told of it. */
export const nowSpec = {
  name: "now",
  gives: "instructions",
  description: "The current time.",
  schema: { type: "object", properties: { zone: { type: "string" } }, additionalProperties: false },
} as const;

/** A signal that never aborts. */
export const never = new AbortController().signal;

/** All events of a request. */
export async function eventsOf(
  model: Model,
  request: ModelRequest,
  signal: AbortSignal = never,
): Promise<ModelEvent[]> {
  return Array.fromAsync(model.stream(request, signal));
}

/** The answer's text, without thinking. */
export function textOf(events: readonly ModelEvent[]): string {
  return events.map((event) => (event.type === "text" ? event.text : "")).join("");
}

/** What was thought. */
export function thoughtOf(events: readonly ModelEvent[]): string {
  return events.map((event) => (event.type === "thinking" ? event.text : "")).join("");
}

/** The tool calls in their order. */
export function callsOf(events: readonly ModelEvent[]): ToolCall[] {
  return events.flatMap((event) => (event.type === "toolCall" ? [event.call] : []));
}

/** The last event, if it is a stop. */
export function stopOf(events: readonly ModelEvent[]) {
  const event = events.at(-1);
  return event?.type === "stop" ? event : undefined;
}
