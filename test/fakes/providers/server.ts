import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";

import { z } from "zod";

import { openServer } from "../open-server.ts";
import { bodyOf } from "../play.ts";

import { perform, type Reply } from "./perform.ts";
import { answerOllama, type OllamaState } from "./ollama-state.ts";
import { wordsOf } from "./speak.ts";
import type { Kind, Words } from "./words.ts";

const bodySchema = z.looseObject({
  model: z.string(),
  messages: z.array(z.looseObject({ role: z.string() })).default([]),
});

/** A request's body as far as every API has it. */
export type Body = z.infer<typeof bodySchema>;

/** What a script knows of a request. */
export interface Call {
  readonly model: string;
  /** Counted for each model since the server opened. */
  readonly attempt: number;
  /** Milliseconds since the server opened. */
  readonly at: number;
  readonly body: Body;
  readonly words: Words;
  /** True where the connection has carried a request before. */
  readonly reused: boolean;
  /** Characters of the prompt. */
  readonly size: number;
  readonly lastRole: string;
}

/** One request as the provider saw it; times in milliseconds since the server opened. */
export interface Seen extends Call {
  /** Bytes of the answer that the connection took. */
  bytes: number;
  /** Absent while the answer goes on, and where the client left before its end. */
  endedAt?: number;
  /** Absent where the client did not leave. */
  leftAt?: number;
}

/** What a model of the server answers. */
export type Script = (call: Call) => Reply;

/** A fake provider on loopback. */
export interface Provider {
  readonly kind: Kind;
  readonly origin: string;
  /** Every request for an answer, in order. */
  readonly log: readonly Seen[];
  /** Those of one model. */
  of(model: string): Seen[];
  /** Milliseconds since the server opened. */
  now(): number;
  close(): void;
}

/** What a provider is made of. */
export interface ProviderOptions {
  readonly kind: Kind;
  /** The model's name picks what is answered; "other" stands for every name that is not listed. */
  readonly scripts: Readonly<Record<string, Script>>;
  /** What an Ollama says besides answers. */
  readonly ollama?: OllamaState;
}

const paths: Readonly<Record<Kind, RegExp>> = {
  ollama: /^\/api\/chat$/,
  anthropic: /^\/v1\/messages$/,
  openai: /^\/v1\/chat\/completions$/,
};

/** Opens a fake provider; its log holds what a provider's own side of a failure looks like. */
export async function openProvider(options: ProviderOptions): Promise<Provider> {
  const { kind, scripts, ollama = {} } = options;
  const log: Seen[] = [];
  const opened = performance.now();
  const now = (): number => performance.now() - opened;
  const used = new WeakSet<Socket>();
  const words = wordsOf(kind);
  const of = (model: string): Seen[] => log.filter((seen) => seen.model === model);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = now();
    const reused = used.has(request.socket);
    const body = bodySchema.parse(await bodyOf(request));
    const { model, messages } = body;
    const attempt = of(model).length + 1;
    const size = JSON.stringify([body["system"] ?? "", messages]).length;
    const lastRole = messages.at(-1)?.role ?? "";
    const seen: Seen = { at, model, attempt, body, words, reused, size, lastRole, bytes: 0 };
    log.push(seen);
    const script = scripts[model] ?? scripts["other"];
    const reply = script?.(seen) ?? {
      status: 404,
      steps: [words.refusal({ message: `model '${model}' not found` })],
    };
    await perform(response, reply, { seen, now, type: words.type });
  }

  const listener: RequestListener = (request, response) => {
    const isAnswer = paths[kind].test(request.url ?? "");
    const work = isAnswer
      ? answer(request, response)
      : answerOllama(request, response, { names: Object.keys(scripts), ...ollama });
    // A client that leaves in the middle of its own request is no failure of the server.
    void work.catch(() => response.destroy()).finally(() => used.add(request.socket));
  };
  const server = await openServer(listener);
  return { kind, origin: server.url, log, of, now, close: () => server.close() };
}
