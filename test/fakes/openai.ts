import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";

import { z } from "zod";

import { bodyOf, play, type Step, watchGone } from "./play.ts";
import { startServer } from "./server.ts";

/** A request as this program may write it; real servers take more. */
const completionSchema = z.strictObject({
  model: z.string(),
  stream: z.literal(true),
  stream_options: z.strictObject({ include_usage: z.literal(true) }).optional(),
  max_tokens: z.int().min(1).optional(),
  max_completion_tokens: z.int().min(1).optional(),
  temperature: z.number().optional(),
  messages: z
    .array(
      z.discriminatedUnion("role", [
        z.strictObject({ role: z.enum(["system", "user"]), content: z.string() }),
        z.strictObject({
          role: z.literal("assistant"),
          content: z.string().nullable(),
          tool_calls: z
            .array(
              z.strictObject({
                id: z.string().min(1),
                type: z.literal("function"),
                function: z.strictObject({ name: z.string(), arguments: z.string() }),
              }),
            )
            .min(1)
            .optional(),
        }),
        z.strictObject({
          role: z.literal("tool"),
          tool_call_id: z.string().min(1),
          content: z.string(),
        }),
      ]),
    )
    .min(1),
  tools: z
    .array(
      z.strictObject({
        type: z.literal("function"),
        function: z.strictObject({
          name: z.string(),
          description: z.string(),
          parameters: z.record(z.string(), z.unknown()),
        }),
      }),
    )
    .min(1)
    .optional(),
  response_format: z
    .strictObject({
      type: z.literal("json_schema"),
      json_schema: z.strictObject({
        name: z.string(),
        strict: z.literal(true),
        schema: z.record(z.string(), z.unknown()),
      }),
    })
    .optional(),
});

type Body = z.infer<typeof completionSchema>;

/** What the fake has seen. */
export interface FakeOpenAi {
  readonly listener: RequestListener;
  readonly bodies: readonly Body[];
  /** Resolves when a client has gone away before its answer was whole. */
  readonly aborted: Promise<void>;
}

function chunk(delta: object, finish: string | null = null, more: object = {}): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  return data({
    id: "c",
    object: "chat.completion.chunk",
    created: 1,
    model: "m",
    choices,
    ...more,
  });
}

function data(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

const text = (content: string): string => chunk({ content });
const counts = { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 };
const usage = data({
  id: "c",
  choices: [],
  usage: { ...counts, prompt_tokens_details: { cached_tokens: 4 } },
});
const done = "data: [DONE]\n\n";
const end = [chunk({}, "stop"), usage, done];
const role = chunk({ role: "assistant", content: "" });

function call(index: number | undefined, id: string | undefined, args: string, name = "now") {
  const named = id === undefined ? {} : { id, type: "function" };
  const fn = { ...(id === undefined ? {} : { name }), arguments: args };
  return { ...(index === undefined ? {} : { index }), ...named, function: fn };
}

const calls = (...deltas: object[]): string => chunk({ tool_calls: deltas });
const zone = '{"zone":"UTC"}';
const half = [role, text("Half an")];

const scenarios: Readonly<Record<string, readonly Step[]>> = {
  plain: [
    ": OPENROUTER PROCESSING\n\n",
    role,
    text("Hello"),
    text(", wörld "),
    text("😀."),
    ...end,
  ],
  crlf: [[role, text("Hello"), text(", wörld 😀."), ...end].join("").replaceAll("\n", "\r\n")],
  "two-lines": [
    'data: {"choices":[{"delta":{"content":"Hel\\u006co"},\ndata: "finish_reason":"stop"}]}\n\n',
  ],
  "no-done": [text("Hello."), chunk({}, "stop")],
  "usage-with-choice": [
    text("Hello."),
    chunk({}, "stop", { usage: { ...counts, cost: 0.0021 } }),
    done,
  ],
  tools: [
    text("Let me look."),
    calls(call(0, "call_a", "")),
    calls(call(1, "call_b", "")),
    calls(call(0, undefined, '{"zone"'), call(1, undefined, "{")),
    calls(call(1, undefined, "}"), call(0, undefined, ':"UTC"}')),
    chunk({}, "tool_calls"),
    usage,
    done,
  ],
  "one-index": [calls(call(0, "a", zone)), calls(call(0, "b", "{}")), chunk({}, "stop"), done],
  "no-index": [
    calls(call(undefined, "a", zone), call(undefined, "b", "{}")),
    chunk({}, "tool_calls"),
    done,
  ],
  "no-ids": [calls(call(0, "", zone)), calls(call(1, "", "{}")), chunk({}, "tool_calls"), done],
  "odd-call": [calls(call(0, "a", '{"zone": ')), chunk({}, "tool_calls"), done],
  "cut-call": [calls(call(0, "a", '{"zone": ')), chunk({}, "length"), done],
  salvage: [text('{"name":"now",'), text(`"arguments":${zone}}`), ...end],
  thinking: [chunk({ reasoning_content: "Hmm." }), text("Four."), ...end],
  reasoning: [chunk({ reasoning: "Hmm.", content: "" }), text("Four."), ...end],
  "think-tags": [text("<thi"), text("nk>Hmm.</th"), text("ink>\n\nFour."), ...end],
  length: [text("Too lo"), chunk({}, "length"), usage, done],
  refusal: [chunk({ refusal: "I cannot help with that." }), ...end],
  filtered: [...half, chunk({}, "content_filter"), done],
  slow: [role, text("One "), 60_000, text("two."), ...end],
  silent: [60_000, ...end],
  cut: [...half, "cut"],
  "done-early": [...half, done],
  reset: [...half, 50, "reset"],
  "error-line": [
    ...half,
    data({ error: { message: "The server had an error", type: "server_error", code: null } }),
  ],
  "error-openrouter": [
    ...half,
    data({
      error: { code: 502, message: "Provider disconnected" },
      choices: [{ delta: {}, finish_reason: "error" }],
    }),
  ],
  "error-vllm": [...half, data({ object: "error", message: "engine died", type: "x", code: 500 })],
  "error-field": [...half, 'error: {"code":500,"message":"engine died","type":"server_error"}\n\n'],
  "error-text": [...half, data({ error: "engine died" })],
  malformed: [...half, "data: { this is no JSON\n\n", ...end],
};

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

function error(status: number, message: string, more: object = {}): Answer {
  const body = {
    error: { message, type: "invalid_request_error", param: null, code: null, ...more },
  };
  return { status, body };
}

const rate = error(429, "Rate limit reached for requests", {
  type: "requests",
  code: "rate_limit_exceeded",
});

/** Refusals as each server writes them. */
const refusals: Readonly<Record<string, Answer>> = {
  missing: error(404, "The model `missing` does not exist", { code: "model_not_found" }),
  "missing-openrouter": {
    status: 400,
    body: { error: { message: "missing is not a valid model ID", code: 400 } },
  },
  "missing-vllm": {
    status: 404,
    body: {
      object: "error",
      message: "The model `x` does not exist.",
      type: "NotFoundError",
      code: 404,
    },
  },
  rate: { ...rate, headers: { "retry-after": "7" } },
  "rate-ms": { ...rate, headers: { "retry-after-ms": "6100" } },
  "rate-bare": rate,
  quota: error(429, "You exceeded your current quota", {
    type: "insufficient_quota",
    code: "insufficient_quota",
  }),
  credits: { status: 402, body: { error: { message: "Insufficient credits", code: 402 } } },
  revoked: error(401, "The account owning this key was deactivated", {
    code: "account_deactivated",
  }),
  forbidden: error(403, "Project does not have access to model", { code: "permission_denied" }),
  overflow: error(400, "This model's maximum context length is 8192 tokens.", {
    code: "context_length_exceeded",
  }),
  "overflow-llamacpp": error(400, "the request exceeds the available context size", {
    type: "exceed_context_size_error",
    code: 400,
  }),
  "overflow-vllm": {
    status: 400,
    body: {
      object: "error",
      message: "maximum context length is 10",
      type: "BadRequestError",
      code: 400,
    },
  },
  "overflow-lmstudio": {
    status: 400,
    body: { error: "Trying to keep the first 999 tokens when context the overflows." },
  },
  loading: {
    status: 503,
    body: { error: { code: 503, message: "Loading model", type: "unavailable_error" } },
  },
  broken: error(500, "The server had an error", { type: "server_error" }),
  bad: error(400, "Unsupported value: 'temperature' does not support 0.\nMore."),
  lmstudio: {
    status: 200,
    body: { error: "Unexpected endpoint or method. (POST /chat/completions)" },
  },
};

function refuse(response: ServerResponse, { status, body, headers }: Answer): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

function page(response: ServerResponse, status: number): void {
  response.writeHead(status, { "content-type": "text/html" }).end("<!DOCTYPE html><html>It works!");
}

/** Each result must answer a call that was made before it. */
function wrongResults({ messages }: Body): string | undefined {
  const made = new Set<string>();
  for (const message of messages) {
    if (message.role === "assistant") message.tool_calls?.forEach((entry) => made.add(entry.id));
    else if (message.role === "tool" && !made.has(message.tool_call_id)) {
      return `no call ${message.tool_call_id}`;
    }
  }
  return undefined;
}

/**
 * A strict server of chat completions on loopback at /v1: the model's name picks the scenario, "-bytes" sends it byte by byte.
 * Without a key it wants none.
 */
export function createFakeOpenAi(key?: string): FakeOpenAi {
  const bodies: Body[] = [];
  const aborted = Promise.withResolvers<void>();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const wanted = key === undefined ? undefined : `Bearer ${key}`;
    if (request.headers.authorization !== wanted) {
      return refuse(
        response,
        error(401, "Incorrect API key provided: bad-***", { code: "invalid_api_key" }),
      );
    }
    const parsed = completionSchema.safeParse(await bodyOf(request));
    if (!parsed.success) return refuse(response, error(400, z.prettifyError(parsed.error)));
    const problem = wrongResults(parsed.data);
    if (problem !== undefined) return refuse(response, error(400, problem));
    bodies.push(parsed.data);
    const [scenario = "", bytes] = parsed.data.model.split("-bytes");
    if (scenario === "html") return page(response, 200);
    const refusal = refusals[scenario];
    if (refusal !== undefined) return refuse(response, refusal);
    watchGone(response, aborted.resolve);
    response.setHeader("content-type", "text/event-stream");
    response.flushHeaders();
    return play(response, scenarios[scenario] ?? scenarios["plain"] ?? [], bytes !== undefined);
  }

  const listener: RequestListener = (request, response) => {
    if (request.method === "POST" && request.url === "/v1/chat/completions") {
      void answer(request, response);
    } else if (request.url === "/json/chat/completions") {
      refuse(response, error(404, "Invalid URL (POST /json/chat/completions)"));
    } else if (request.url === "/lmstudio/chat/completions") {
      refuse(response, refusals["lmstudio"] ?? rate);
    } else page(response, 404);
  };
  return { listener, bodies, aborted: aborted.promise };
}

/** A fake of an OpenAI-compatible server that is closed after the test. */
export async function startFakeOpenAi(
  key?: string,
): Promise<FakeOpenAi & { readonly url: string }> {
  const fake = createFakeOpenAi(key);
  return { ...fake, url: await startServer(fake.listener) };
}
