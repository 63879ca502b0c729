import { AppError, type ErrorCode } from "#core/errors.ts";
import type { Model, ModelEvent, ModelStop, ToolCall } from "#core/model.ts";

import { answering } from "./answering.ts";
import { anthropicEvents } from "./anthropic-client.ts";
import { type Counts, eventSchema, laterCounts, usageOf } from "./anthropic-wire.ts";
import { broken } from "./failures.ts";
import { inputOf } from "./json-input.ts";
import { hostOf, type ServiceOptions, trustOfService } from "./service.ts";

/** What has come of an answer so far. */
interface Said {
  counts: Counts;
  stop: string | undefined;
  calls: number;
  /** Calls that have begun and not ended, by the index of their block. */
  readonly open: Map<number, { readonly id: string; readonly name: string; json: string }>;
  /** Calls whose input is no JSON. */
  readonly odd: ToolCall[];
}

type WireEvent = ReturnType<typeof eventSchema.parse>;

function* begin(said: Said, { index, content_block: block }: WireEvent): Generator<ModelEvent> {
  if (block?.type === "tool_use") {
    said.open.set(index, { id: block.id, name: block.name, json: "" });
  }
  if (block?.type === "text" && block.text !== "") yield { type: "text", text: block.text };
}

function* extend(said: Said, { index, delta }: WireEvent): Generator<ModelEvent> {
  if (delta?.type === "text_delta") yield { type: "text", text: delta.text };
  if (delta?.type === "thinking_delta") yield { type: "thinking", text: delta.thinking };
  const call = said.open.get(index);
  if (delta?.type === "input_json_delta" && call !== undefined) call.json += delta.partial_json;
}

function* finish(said: Said, { index }: WireEvent): Generator<ModelEvent> {
  const begun = said.open.get(index);
  if (begun === undefined) return;
  said.open.delete(index);
  const { id, name, json } = begun;
  const { input, whole } = inputOf(json);
  if (!whole) {
    said.odd.push({ id, name, input });
    return;
  }
  said.calls += 1;
  yield { type: "toolCall", call: { id, name, input } };
}

/** The events of ours that one of theirs means; types that are not known mean none. */
function* eventsOf(said: Said, event: WireEvent): Generator<ModelEvent> {
  if (event.type === "content_block_start") yield* begin(said, event);
  else if (event.type === "content_block_delta") yield* extend(said, event);
  else if (event.type === "content_block_stop") yield* finish(said, event);
  else if (event.type === "message_start") {
    // What it says of the answer here is a placeholder: only the end tells.
    const { output_tokens: _, ...counts } = event.message?.usage ?? {};
    said.counts = laterCounts(said.counts, counts);
  } else if (event.type === "message_delta") {
    said.counts = laterCounts(said.counts, event.usage);
    said.stop = event.delta?.stop_reason ?? said.stop;
  }
}

/** Reasons to stop that leave no whole answer. */
const failures: Readonly<Record<string, ErrorCode>> = {
  refusal: "model.refusal",
  model_context_window_exceeded: "model.context-overflow",
  // Only the service's own tools pause a turn, and none is asked for.
  pause_turn: "model.truncated",
};

function* endOf(said: Said, model: string): Generator<ModelEvent, ModelStop> {
  // What was cut at the limit is no call; elsewhere the tool's schema refuses what is no JSON.
  const odd = said.stop === "max_tokens" ? [] : said.odd;
  for (const call of odd) yield { type: "toolCall", call };
  yield { type: "usage", ...usageOf(said.counts) };
  const code = failures[said.stop ?? ""];
  if (code !== undefined) throw new AppError(code, { model });
  if (said.stop === "max_tokens") return { type: "stop", reason: "length" };
  return { type: "stop", reason: said.calls + odd.length > 0 ? "toolCalls" : "end" };
}

/** Turns the events of an answer into ours; what it returns is the stop. */
async function* readAnswer(
  events: AsyncIterable<unknown>,
  model: string,
): AsyncGenerator<ModelEvent, ModelStop> {
  const said: Said = { counts: {}, stop: undefined, calls: 0, open: new Map(), odd: [] };
  for await (const raw of events) {
    const event = eventSchema.parse(raw);
    if (event.type === "message_stop") return yield* endOf(said, model);
    yield* eventsOf(said, event);
  }
  // The package ends its stream as usual where the connection ended early.
  throw new AppError("model.truncated", { model });
}

/** A model of Anthropic's Messages API. */
export function createAnthropicModel(options: ServiceOptions): Model {
  const { id, service, limits } = options;
  const subject = { model: service.model, host: hostOf(service) };

  return {
    id,
    trust: trustOfService(service),
    limits,
    stream: (request, signal) =>
      answering(
        signal,
        (either) => readAnswer(anthropicEvents(options, request, either), service.model),
        (error) => broken(subject, error),
      ),
  };
}
