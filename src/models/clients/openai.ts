import type { z } from "zod";

import { AppError } from "#core/errors.ts";
import { newId } from "#core/ids.ts";
import type { Model, ModelEvent, ModelRequest, ModelStop, TokenUsage } from "#core/model.ts";

import { answering } from "./answering.ts";
import { watched, within } from "./deadline.ts";
import { broken } from "./failures.ts";
import {
  chunkSchema,
  completionBody,
  createCallCollector,
  errorOf,
  type Quirks,
  usageOf,
} from "./openai-wire.ts";
import { salvageCall } from "./salvage.ts";
import {
  hostOf,
  lacksVersion,
  secretOf,
  type Service,
  type ServiceOptions,
  trustOfService,
  wrongAddress,
} from "./service.ts";
import { refusedBy, retryAfter } from "./service-failures.ts";
import { type SseEvent, sseOf } from "./sse.ts";
import { createThinkingSplitter, type Piece } from "./thinking.ts";

/** What a model of an OpenAI-compatible server is made of. */
export interface OpenAiOptions extends ServiceOptions {
  readonly quirks: Quirks;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What an answer means that is no stream of events. */
async function failureOf(service: Service, response: Response, now: number): Promise<AppError> {
  const { status, headers } = response;
  const text = await response.text().catch(() => "");
  const said = errorOf(json(text));
  const isPage = /^\s*<(!doctype|html)/i.test(text);
  if (isPage) return wrongAddress(service, "it answers with a web page");
  // LM Studio answers a wrong path with status 200 and an error.
  if (response.ok && (said === undefined || lacksVersion(service))) {
    return wrongAddress(service, "it answers with no stream of events");
  }
  const retryMs = retryAfter(headers, now);
  const known = response.ok ? undefined : status;
  return refusedBy(service, { status: known, codes: [], message: "", ...said, retryMs });
}

/** What has come of an answer so far. */
interface Said {
  text: string;
  refused: boolean;
  finish: string | undefined;
  usage: TokenUsage | undefined;
}

type Chunk = z.infer<typeof chunkSchema>;
type Delta = NonNullable<NonNullable<NonNullable<Chunk["choices"]>[number]["delta"]>>;

function chunkOf(service: Service, { event, data }: SseEvent): Chunk {
  const parsed: unknown = JSON.parse(data);
  const error = errorOf(parsed) ?? (event === "error" ? errorOf({ error: parsed }) : undefined);
  if (error !== undefined) throw refusedBy(service, { status: undefined, ...error });
  return chunkSchema.parse(parsed);
}

function* endOf(
  said: Said,
  calls: ReturnType<ReturnType<typeof createCallCollector>["end"]>,
  service: Service,
): Generator<ModelEvent, ModelStop> {
  const { model } = service;
  const isCut = said.finish === "length";
  // What was cut at the limit is no call; elsewhere the tool's schema refuses what is no JSON.
  const made = calls.filter(({ whole }) => whole || !isCut);
  for (const { call } of made) yield { type: "toolCall", call };
  if (said.usage !== undefined) yield { type: "usage", ...said.usage };
  if (said.refused || said.finish === "content_filter") {
    throw new AppError("model.refusal", { model });
  }
  if (said.finish === undefined) throw new AppError("model.truncated", { model });
  if (said.finish === "error") {
    throw new AppError("model.failed", { host: hostOf(service), problem: "it broke off" });
  }
  if (isCut) return { type: "stop", reason: "length" };
  return { type: "stop", reason: made.length > 0 ? "toolCalls" : "end" };
}

/** Reads the chunks of an answer into events, and what is only known at its end into `said`. */
function createReader(request: ModelRequest) {
  const splitter = createThinkingSplitter();
  const collector = createCallCollector(newId(Date.now()));
  const said: Said = { text: "", refused: false, finish: undefined, usage: undefined };

  function* spoken(pieces: readonly Piece[]): Generator<ModelEvent> {
    for (const piece of pieces) {
      if (piece.type === "text") said.text += piece.text;
      yield piece;
    }
  }

  function* delta(piece: Delta): Generator<ModelEvent> {
    said.refused ||= (piece.refusal ?? "") !== "";
    const thinking = piece.reasoning_content ?? piece.reasoning ?? "";
    if (thinking !== "") yield { type: "thinking", text: thinking };
    yield* spoken(splitter.push(piece.content ?? ""));
    for (const call of piece.tool_calls ?? []) collector.push(call);
  }

  return {
    said,
    *push({ choices, usage }: Chunk): Generator<ModelEvent> {
      if (usage != null) said.usage = usageOf(usage);
      const [choice] = choices ?? [];
      said.finish = choice?.finish_reason ?? said.finish;
      if (choice?.delta != null) yield* delta(choice.delta);
    },
    end: () => spoken(splitter.end()),
    calls() {
      const calls = collector.end();
      const salvaged = calls.length === 0 ? salvageCall(said.text, request.tools) : undefined;
      return salvaged === undefined ? calls : [{ call: salvaged, whole: true }];
    },
  };
}

/** Turns the events of an answer into ours; what it returns is the stop. */
async function* readAnswer(
  events: AsyncIterable<SseEvent>,
  request: ModelRequest,
  service: Service,
): AsyncGenerator<ModelEvent, ModelStop> {
  const reader = createReader(request);
  for await (const event of events) {
    if (event.data === "[DONE]") break;
    yield* reader.push(chunkOf(service, event));
  }
  yield* reader.end();
  return yield* endOf(reader.said, reader.calls(), service);
}

/** A model of a server that speaks OpenAI's chat completions: GPT, LM Studio, llama.cpp, vLLM, OpenRouter and others. */
export function createOpenAiModel(options: OpenAiOptions): Model {
  const { id, service, limits, clock, quirks, firstTokenMs, idleMs } = options;
  const subject = { model: service.model, host: hostOf(service) };

  async function post(request: ModelRequest, signal: AbortSignal) {
    const secret = secretOf(service);
    const response = await options.fetchFor(request)(`${service.url}/chat/completions`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "text/event-stream",
        ...(secret === undefined ? {} : { authorization: `Bearer ${secret.reveal()}` }),
      },
      body: completionBody(service.model, quirks, request),
      signal,
    });
    const type = response.headers.get("content-type") ?? "text/event-stream";
    if (response.ok && response.body !== null && type.startsWith("text/event-stream")) {
      return response.body;
    }
    throw await failureOf(service, response, clock.now());
  }

  async function* work(
    request: ModelRequest,
    signal: AbortSignal,
  ): AsyncGenerator<ModelEvent, ModelStop> {
    const body = await within(clock, firstTokenMs, post(request, signal));
    const deadlines = { firstMs: firstTokenMs, idleMs };
    return yield* readAnswer(sseOf(watched(clock, body, deadlines)), request, service);
  }

  return {
    id,
    trust: trustOfService(service),
    limits,
    stream: (request, signal) =>
      answering(
        signal,
        (either) => work(request, either),
        (error) => broken(subject, error),
      ),
  };
}
