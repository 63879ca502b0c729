import type {
  ChatModelFunctions,
  GbnfJsonObjectSchema,
  Llama,
  LlamaContextSequence,
  LlamaModel,
} from "node-llama-cpp";
import type * as library from "node-llama-cpp";
import { z } from "zod";

import { toHistory } from "./embedded-history.ts";
import type { EngineRequest, Order, Report } from "./embedded-protocol.ts";

/** A report about one request, without its id. */
type Said =
  | { readonly say: "text" | "thinking"; readonly text: string }
  | { readonly say: "call"; readonly name: string; readonly input: unknown }
  | Omit<Extract<Report, { say: "end" }>, "id">;

/** A loaded model that answers one request at a time and keeps what it has read for the next. */
export interface Engine {
  /** Rejects where the engine does. */
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

function createEngine(
  llama: Llama,
  model: LlamaModel,
  parts: { readonly library: Library; readonly sequence: LlamaContextSequence },
): Engine {
  const { sequence } = parts;
  const chat = createChat(parts.library, model, sequence);
  return {
    count: (texts) => texts.map((text) => model.tokenize(text).length),
    async answer(request, say, signal) {
      const before = sequence.tokenMeter.getState();
      const functions = functionsOf(request);
      const schema = request.answerSchema;
      const how = {
        maxTokens: request.maxTokens,
        temperature: request.temperature ?? defaultTemperature,
        signal,
        stopOnAbortSignal: true,
        // Small models fall into repeating themselves.
        repeatPenalty: { lastTokens: 64, penalty: 1.1 },
        onResponseChunk: ({ type, text }: { type?: string | undefined; text: string }) => {
          if (text !== "") say({ say: type === "segment" ? "thinking" : "text", text });
        },
      };
      const history = toHistory(request.messages);
      const response =
        schema === undefined
          ? await chat.generateResponse(
              history,
              functions === undefined ? how : { ...how, functions },
            )
          : await chat.generateResponse(history, {
              ...how,
              grammar: await llama.createGrammarForJsonSchema(grammarSchema.parse(schema)),
            });
      for (const { functionName, params } of response.functionCalls ?? []) {
        say({ say: "call", name: functionName, input: params });
      }
      const used = sequence.tokenMeter.diff(before);
      const promptTokens = sequence.nextTokenIndex - used.usedOutputTokens;
      say({
        say: "end",
        reason: reasonOf(response.metadata.stopReason),
        promptTokens,
        cachedTokens: Math.max(0, promptTokens - used.usedInputTokens),
        answerTokens: used.usedOutputTokens,
      });
    },
  };
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
    sequences: 1,
  });
  return createEngine(llama, model, { library: engines, sequence: context.getSequence() });
}
