import { z } from "zod";

import type { Clock } from "#core/clock.ts";
import { AppError } from "#core/errors.ts";
import type { Fetch } from "#core/http.ts";
import { newId } from "#core/ids.ts";
import type {
  Carried,
  Model,
  ModelEvent,
  ModelLimits,
  ModelRequest,
  ModelStop,
} from "#core/model.ts";
import { trustOf } from "#core/trust.ts";

import { answering } from "./answering.ts";
import { isCloudName } from "./cloud-name.ts";
import { watched, within } from "./deadline.ts";
import { broken, type Subject } from "./failures.ts";
import { linesOf } from "./lines.ts";
import { refusal } from "./ollama-failures.ts";
import { callsOf, chatBody, type ChatLine, chatLineSchema } from "./ollama-wire.ts";
import { salvageCall } from "./salvage.ts";
import { createThinkingSplitter } from "./thinking.ts";

/** What an Ollama model is made of. */
export interface OllamaOptions {
  readonly id: string;
  /** Address of the host, without a path. */
  readonly url: string;
  readonly model: string;
  readonly limits: ModelLimits;
  /** A fetch whose receipts say what the request says of itself. */
  readonly fetchFor: (request: Carried) => Fetch;
  readonly clock: Clock;
  /** How long the model stays loaded, as Ollama writes it. */
  readonly keepAlive: string;
  readonly firstTokenMs: number;
  readonly idleMs: number;
}

const showSchema = z.object({
  capabilities: z.array(z.string()).default([]),
  remote_host: z.string().optional(),
  remote_model: z.string().optional(),
});

const errorSchema = z.object({ error: z.string() });

function remoteRefusal(model: string): AppError {
  const problem =
    "it runs in a cloud, though a local Ollama lists it; choose a model that runs here.";
  return new AppError("model.refused", { model, problem });
}

async function failureOf(subject: Subject, response: Response): Promise<AppError> {
  const text = await response.text().catch(() => "");
  const looksJson = text.startsWith("{");
  const sentence = looksJson ? errorSchema.safeParse(JSON.parse(text)).data?.error : undefined;
  if (sentence === undefined && text.trim() !== "" && response.status !== 404) {
    return new AppError("model.protocol", {
      model: subject.model,
      problem: `status ${response.status} and no JSON`,
    });
  }
  return refusal(subject, response.status, sentence ?? "");
}

/** Whether the model thinks; asked of the host once. Throws for a model that runs elsewhere. */
async function readCapabilities(
  options: OllamaOptions,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<string[]> {
  const { url, model } = options;
  const response = await fetch(`${url}/api/show`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model }),
    signal,
  });
  if (!response.ok) throw await failureOf({ model, host: url }, response);
  const shown = showSchema.parse(await response.json());
  if (shown.remote_host !== undefined || shown.remote_model !== undefined) {
    throw remoteRefusal(model);
  }
  return shown.capabilities;
}

/** Turns the lines of an answer into events; what it returns is the stop. */
async function* readAnswer(
  lines: AsyncIterable<string>,
  request: ModelRequest,
  subject: Subject,
): AsyncGenerator<ModelEvent, ModelStop> {
  const splitter = createThinkingSplitter();
  const prefix = newId(Date.now());
  const said = { text: "", calls: 0 };
  for await (const text of lines) {
    const line = chatLineSchema.parse(JSON.parse(text));
    if (line.error !== undefined) throw refusal(subject, 500, line.error);
    if (line.remote_host !== undefined) throw remoteRefusal(subject.model);
    const { thinking = "", content = "" } = line.message ?? {};
    if (thinking !== "") yield { type: "thinking", text: thinking };
    for (const piece of splitter.push(content)) {
      if (piece.type === "text") said.text += piece.text;
      yield piece;
    }
    for (const call of callsOf(line, said.calls, prefix)) {
      said.calls += 1;
      yield { type: "toolCall", call };
    }
    if (line.done) {
      yield* splitter.end();
      return yield* endOf(line, request, said);
    }
  }
  throw new AppError("model.truncated", { model: subject.model });
}

async function* endOf(
  line: ChatLine,
  request: ModelRequest,
  said: { readonly text: string; readonly calls: number },
): AsyncGenerator<ModelEvent, ModelStop> {
  const salvaged = said.calls === 0 ? salvageCall(said.text, request.tools) : undefined;
  if (salvaged !== undefined) yield { type: "toolCall", call: salvaged };
  const { prompt_eval_count: promptTokens, eval_count: answerTokens } = line;
  yield {
    type: "usage",
    ...(promptTokens === undefined ? {} : { promptTokens }),
    ...(answerTokens === undefined ? {} : { answerTokens }),
  };
  if (said.calls > 0 || salvaged !== undefined) return { type: "stop", reason: "toolCalls" };
  return { type: "stop", reason: line.done_reason === "length" ? "length" : "end" };
}

/** What the model can do, asked once; a failure is not kept. */
function createCapabilities(options: OllamaOptions) {
  const known: { capabilities: Promise<string[]> | undefined } = { capabilities: undefined };
  return async (fetch: Fetch, signal: AbortSignal): Promise<string[]> => {
    known.capabilities ??= readCapabilities(options, fetch, signal);
    try {
      return await known.capabilities;
    } catch (error) {
      known.capabilities = undefined;
      throw error;
    }
  };
}

/** The request as this model is told it: one that knows no tools is offered none, since it would refuse them. */
function fitRequest(
  options: OllamaOptions,
  can: readonly string[],
  request: ModelRequest,
): { readonly request: ModelRequest; readonly body: string } {
  const fitting = can.includes("tools") ? request : { ...request, tools: [] };
  const body = chatBody(fitting, {
    model: options.model,
    contextTokens: options.limits.contextTokens,
    keepAlive: options.keepAlive,
    ...(can.includes("thinking") ? { think: false } : {}),
  });
  return { request: fitting, body };
}

/** A model of an Ollama host, over its own reader of /api/chat: the package's drops lines that it cannot parse. */
export function createOllamaModel(options: OllamaOptions): Model {
  const { id, url, model, limits, clock } = options;
  const subject: Subject = { model, host: url };
  const capabilities = createCapabilities(options);

  async function post(request: ModelRequest, signal: AbortSignal) {
    if (isCloudName(model)) throw remoteRefusal(model);
    const fetch = options.fetchFor(request);
    const asked = fitRequest(options, await capabilities(fetch, signal), request);
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", headers, body: asked.body, signal };
    const response = await fetch(`${url}/api/chat`, init);
    if (!response.ok) throw await failureOf(subject, response);
    if (response.body === null) throw new AppError("model.truncated", { model });
    return { request: asked.request, bytes: response.body };
  }

  async function* work(
    request: ModelRequest,
    signal: AbortSignal,
  ): AsyncGenerator<ModelEvent, ModelStop> {
    const { firstTokenMs, idleMs } = options;
    const answer = await within(clock, firstTokenMs, post(request, signal));
    const lines = watched(clock, linesOf(answer.bytes), { firstMs: firstTokenMs, idleMs });
    return yield* readAnswer(lines, answer.request, subject);
  }

  const stream = (request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> =>
    answering(
      signal,
      (either) => work(request, either),
      (error) => broken(subject, error),
    );

  return { id, trust: trustOf(new URL(url).hostname), limits, stream };
}
