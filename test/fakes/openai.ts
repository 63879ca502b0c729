import type { IncomingMessage, ServerResponse } from "node:http";

import { z } from "zod";

import { bodyOf, type Piece, play } from "./playing.ts";
import { type StartServer, startServer } from "./server.ts";

const call = z.strictObject({
  id: z.string().min(1),
  type: z.literal("function"),
  function: z.strictObject({ name: z.string(), arguments: z.string() }),
});

const message = z.discriminatedUnion("role", [
  z.strictObject({ role: z.literal("system"), content: z.string() }),
  z.strictObject({ role: z.literal("user"), content: z.string() }),
  z.strictObject({
    role: z.literal("assistant"),
    content: z.string().nullable(),
    tool_calls: z.array(call).min(1).optional(),
  }),
  z.strictObject({ role: z.literal("tool"), tool_call_id: z.string(), content: z.string() }),
]);

const bodySchema = z.strictObject({
  model: z.string(),
  messages: z.array(message).min(1),
  stream: z.literal(true),
  stream_options: z.strictObject({ include_usage: z.literal(true) }).optional(),
  max_tokens: z.int().optional(),
  max_completion_tokens: z.int().optional(),
  temperature: z.number().optional(),
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
});

/** The one key that the fake service accepts. */
export const fakeKey = "sk-fake-0123456789";

/** What a fake server has seen. */
export interface FakeOpenAi {
  /** The base address, /v1 included. */
  readonly url: string;
  readonly bodies: readonly z.infer<typeof bodySchema>[];
  readonly paths: readonly string[];
  /** Resolves when a client has gone away before its answer was whole. */
  readonly aborted: Promise<void>;
}

function data(value: unknown): string {
  return `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`;
}

function chunk(delta: object, finish: string | null = null, more: object = {}): string {
  return data({ id: "c", choices: [{ index: 0, delta, finish_reason: finish }], ...more });
}

const text = (content: string): string => chunk({ content });
const done = data("[DONE]");
const usage = data({
  choices: [],
  usage: { prompt_tokens: 12, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 8 } },
});
const end = [chunk({}, "stop"), usage, done];

function callPiece(index: number, name: string | undefined, args: string): string {
  const id = name === undefined ? {} : { id: `call_${index}`, type: "function" };
  const named = name === undefined ? { arguments: args } : { name, arguments: args };
  return chunk({ tool_calls: [{ index, ...id, function: named }] });
}

/** The body of each scenario. */
const scenarios: Readonly<Record<string, readonly Piece[]>> = {
  plain: [
    chunk({ role: "assistant", content: "" }),
    text("Hello"),
    ": a comment\n\n",
    text(", wörld "),
    text("😀."),
    ...end,
  ],
  crlf: [
    `data: ${JSON.stringify({ choices: [{ delta: { content: "Hello." }, finish_reason: "stop" }] })}\r\n\r\n`,
    "data: [DONE]\r\n\r\n",
  ],
  tools: [
    text("Let me look."),
    callPiece(1, "now", ""),
    callPiece(0, "now", '{"zo'),
    callPiece(0, undefined, 'ne":"UTC"}'),
    chunk({}, "tool_calls"),
    usage,
    done,
  ],
  "same-index": [
    callPiece(0, "now", "{}"),
    chunk({
      tool_calls: [
        { index: 0, id: "other", function: { name: "now", arguments: '{"zone":"UTC"}' } },
      ],
    }),
    chunk({}, "tool_calls"),
    done,
  ],
  thinking: [chunk({ reasoning_content: "Hm" }), chunk({ reasoning: "m." }), text("Four."), ...end],
  "think-tags": [text("<thi"), text("nk>Hmm.</th"), text("ink>\n\nFour."), ...end],
  salvage: [text('{"name":"now",'), text('"arguments":{"zone":"UTC"}}'), ...end],
  length: [text("Too lo"), chunk({}, "length"), done],
  "length-in-call": [callPiece(0, "now", '{"zo'), chunk({}, "length"), done],
  slow: [text("One "), 60_000, text("two."), ...end],
  silent: [60_000, text("late"), ...end],
  cut: [text("Half an"), { end: "early" }],
  "no-done": [text("Whole."), chunk({}, "stop"), { end: "early" }],
  reset: [text("Half an"), 50, { end: "reset" }],
  "error-line": [
    text("Half an"),
    data({ error: { message: "The server had an error", type: "server_error" } }),
  ],
  malformed: [text("Half an"), "data: { this is no JSON\n\n", ...end],
  refusal: [chunk({ refusal: "I can't help with that." }), ...end],
  filtered: [text("I"), chunk({}, "content_filter"), done],
  cost: [
    text("Paid."),
    chunk({}, "stop", { usage: { prompt_tokens: 5, completion_tokens: 1, cost: 0.0021 } }),
    done,
  ],
};

/** Refusals by scenario: status, body, headers. */
const refusals: Readonly<Record<string, readonly [number, string, Record<string, string>?]>> = {
  "rate-limit": [
    429,
    '{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}',
    { "retry-after": "7" },
  ],
  "no-credit": [
    429,
    '{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}',
  ],
  overflow: [
    400,
    '{"error":{"message":"This model\'s maximum context length is 8192 tokens.","code":"context_length_exceeded"}}',
  ],
  missing: [
    404,
    '{"error":{"message":"The model `missing` does not exist","code":"model_not_found"}}',
  ],
  html: [200, "<!doctype html><title>It works!</title>", { "content-type": "text/html" }],
  overloaded: [503, '{"error":{"message":"The engine is currently overloaded"}}'],
};

const unauthorized = '{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}';

/** A strict server of OpenAI's chat completions on loopback: the model's name picks the scenario, "-bytes" sends it byte by byte. */
export async function startFakeOpenAi(start: StartServer = startServer): Promise<FakeOpenAi> {
  const bodies: z.infer<typeof bodySchema>[] = [];
  const paths: string[] = [];
  const aborted = Promise.withResolvers<void>();

  function refuse(
    response: ServerResponse,
    status: number,
    body: string,
    headers: Record<string, string> = {},
  ): void {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(body);
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parsed = bodySchema.safeParse(await bodyOf(request));
    if (!parsed.success)
      return refuse(
        response,
        400,
        JSON.stringify({ error: { message: z.prettifyError(parsed.error) } }),
      );
    bodies.push(parsed.data);
    if (request.headers.authorization !== `Bearer ${fakeKey}`)
      return refuse(response, 401, unauthorized);
    const [scenario = "", bytes] = parsed.data.model.split("-bytes");
    const refusal = refusals[scenario];
    if (refusal !== undefined) return refuse(response, ...refusal);
    response.on("close", () => {
      if (!response.writableFinished) aborted.resolve();
    });
    response.setHeader("content-type", "text/event-stream; charset=utf-8");
    return play(response, scenarios[scenario] ?? scenarios["plain"] ?? [], bytes !== undefined);
  }

  const origin = await start((request, response) => {
    paths.push(request.url ?? "");
    if (request.url === "/v1/chat/completions") void answer(request, response);
    else refuse(response, 404, "<html>404 Not Found</html>", { "content-type": "text/html" });
  });
  return { url: `${origin}/v1`, bodies, paths, aborted: aborted.promise };
}
