import type {
  ChatHistoryItem,
  ChatModelFunctions,
  GbnfJsonObjectSchema,
  Llama,
  LlamaChat,
  LlamaContextSequence,
  LlamaModel,
} from "node-llama-cpp";
import type * as library from "node-llama-cpp";
import { z } from "zod";

import { toHistory } from "./history.ts";
import type { EngineRequest, Order, Report } from "./protocol.ts";

/** A report about one request, without its id. */
type Said =
  | { readonly say: "text" | "thinking"; readonly text: string }
  | { readonly say: "call"; readonly name: string; readonly input: unknown }
  | Omit<Extract<Report, { say: "end" }>, "id">;

/** A loaded model that answers one request at a time and keeps what it has read for the next. */
export interface Engine {
  /** Rejects where the engine does, with an OverflowError for what does not fit, and when the signal aborts early. */
  answer(request: EngineRequest, say: (said: Said) => void, signal: AbortSignal): Promise<void>;
  /** Tokens of each text by the model's own tokenizer. */
  count(texts: readonly string[]): number[];
}

/** Little enough chance for small models to keep to the point. */
const defaultTemperature = 0.3;

const grammarSchema = z.custom<GbnfJsonObjectSchema>((value) => value instanceof Object);

function functionsOf(request: EngineRequest): ChatModelFunctions | undefined {
  if (request.tools.length === 0) return undefined;
  const entries = request.tools.map(({ name, description, schema }) => {
    return [name, { description, params: grammarSchema.parse(schema) }] as const;
  });
  return Object.fromEntries(entries);
}

function reasonOf(stopReason: string) {
  if (stopReason === "abort") return "aborted";
  if (stopReason === "functionCalls") return "toolCalls";
  return stopReason === "maxTokens" ? "length" : "end";
}

type Library = typeof library;

/** The chat of a model over its one sequence, with thinking discouraged where its wrapper can. */
function createChat(engines: Library, model: LlamaModel, contextSequence: LlamaContextSequence) {
  const chatWrapper = engines.resolveChatWrapper(model, {
    customWrapperSettings: { qwen: { thoughts: "discourage" } },
  });
  return new engines.LlamaChat({ contextSequence, chatWrapper });
}

/** Thrown for a request that does not fit the model's context, even without its earlier turns. */
export class OverflowError extends Error {
  override readonly name = "OverflowError";
}

interface Fitted {
  readonly history: ChatHistoryItem[];
  readonly promptTokens: number;
}

/** Drops the oldest turns until prompt and answer fit, since the library would cut without a word. */
function fitHistory(
  history: readonly ChatHistoryItem[],
  room: number,
  count: (history: ChatHistoryItem[]) => number,
): Fitted {
  const system = history.filter((item) => item.type === "system");
  let rest = history.filter((item) => item.type !== "system");
  for (;;) {
    const fitted = [...system, ...rest];
    const promptTokens = count(fitted);
    if (promptTokens <= room) return { history: fitted, promptTokens };
    const next = rest.findIndex((item, at) => at > 0 && item.type === "user");
    if (next === -1) throw new OverflowError();
    rest = rest.slice(next);
  }
}

interface EngineParts {
  readonly llama: Llama;
  readonly model: LlamaModel;
  readonly sequence: LlamaContextSequence;
  readonly chat: LlamaChat;
}

/** Tokens that an answer must at least have room for. */
const leastAnswer = 16;

async function generate(
  { llama, model, sequence, chat }: EngineParts,
  request: EngineRequest,
  work: { readonly say: (said: Said) => void; readonly signal: AbortSignal },
): Promise<void> {
  const { say, signal } = work;
  const functions = functionsOf(request);
  const told = functions === undefined ? {} : { availableFunctions: functions };
  const count = (chatHistory: ChatHistoryItem[]): number =>
    chat.chatWrapper
      .generateContextState({ chatHistory, ...told })
      .contextText.tokenize(model.tokenizer).length;
  const room = sequence.contextSize - Math.min(request.maxTokens, leastAnswer);
  const { history, promptTokens } = fitHistory(toHistory(request.messages), room, count);
  const how = {
    maxTokens: Math.min(request.maxTokens, sequence.contextSize - promptTokens),
    temperature: request.temperature ?? defaultTemperature,
    signal,
    stopOnAbortSignal: true,
    // Small models fall into repeating themselves.
    repeatPenalty: { lastTokens: 64, penalty: 1.1 },
    onResponseChunk: ({ type, text }: { type?: string | undefined; text: string }) => {
      if (text !== "") say({ say: type === "segment" ? "thinking" : "text", text });
    },
  };
  const before = sequence.tokenMeter.getState();
  const schema = request.answerSchema;
  const response =
    schema === undefined
      ? await chat.generateResponse(history, functions === undefined ? how : { ...how, functions })
      : await chat.generateResponse(history, {
          ...how,
          grammar: await llama.createGrammarForJsonSchema(grammarSchema.parse(schema)),
        });
  for (const { functionName, params } of response.functionCalls ?? []) {
    say({ say: "call", name: functionName, input: params });
  }
  const used = sequence.tokenMeter.diff(before);
  say({
    say: "end",
    reason: reasonOf(response.metadata.stopReason),
    promptTokens,
    // The prompt's last token is read with the first of the answer and counted there.
    cachedTokens: Math.max(0, promptTokens - used.usedInputTokens - 1),
    answerTokens: used.usedOutputTokens,
  });
}

/** Loads the library, the model and its context; rejects where they do. Nothing is built or downloaded. */
export async function loadEngine(order: Extract<Order, { do: "load" }>): Promise<Engine> {
  const engines = await import("node-llama-cpp");
  const llama = await engines.getLlama({
    build: "never",
    skipDownload: true,
    progressLogs: false,
    logLevel: engines.LlamaLogLevel.error,
    gpu: process.platform === "darwin" ? "auto" : false,
    // Its own default is at least four threads, and on two cores they wait for each other: 0.3 tokens a second, not 60.
    maxThreads: order.threads,
  });
  // Weights are read into memory: where the page cache is small, mapped ones are read from disk again and again.
  const model = await llama.loadModel({ modelPath: order.file, useMmap: false });
  const context = await model.createContext({
    contextSize: { max: order.contextTokens },
    // A prompt is read in batches, and only between two of them can it be stopped.
    batchSize: 128,
    sequences: 1,
  });
  const sequence = context.getSequence();
  const parts = { llama, model, sequence, chat: createChat(engines, model, sequence) };
  return {
    count: (texts) => texts.map((text) => model.tokenize(text).length),
    answer: (request, say, signal) => generate(parts, request, { say, signal }),
  };
}
