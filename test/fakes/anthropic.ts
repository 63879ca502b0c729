import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";

import { z } from "zod";

import { bodyOf, play, type Step, watchGone } from "./play.ts";
import { startServer } from "./server.ts";

const mark = { cache_control: z.strictObject({ type: z.literal("ephemeral") }).optional() };
const text = z.strictObject({ type: z.literal("text"), text: z.string().min(1), ...mark });
const id = z.string().regex(/^[a-zA-Z0-9_-]+$/);
const toolUse = z.strictObject({
  type: z.literal("tool_use"),
  id,
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
});
const toolResult = z.strictObject({
  type: z.literal("tool_result"),
  tool_use_id: id,
  content: z.array(text).min(1).optional(),
});

/** A request as this program may write it; the real API takes more. */
const messageSchema = z.strictObject({
  model: z.string(),
  max_tokens: z.int().min(1),
  stream: z.literal(true),
  system: z.array(text).min(1).optional(),
  messages: z
    .array(
      z.discriminatedUnion("role", [
        z.strictObject({ role: z.literal("user"), content: z.array(z.union([text, toolResult])) }),
        z.strictObject({
          role: z.literal("assistant"),
          content: z.array(z.union([text, toolUse])).min(1),
        }),
      ]),
    )
    .min(1),
  tools: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
        description: z.string(),
        input_schema: z.looseObject({ type: z.literal("object") }),
        ...mark,
      }),
    )
    .min(1)
    .optional(),
  output_config: z
    .strictObject({
      format: z.strictObject({
        type: z.literal("json_schema"),
        schema: z.record(z.string(), z.unknown()),
      }),
    })
    .optional(),
});

type Body = z.infer<typeof messageSchema>;

/** What the fake has seen. */
export interface FakeAnthropic {
  readonly listener: RequestListener;
  readonly bodies: readonly Body[];
  /** Headers of each request that are not of HTTP itself. */
  readonly headers: readonly Readonly<Record<string, string>>[];
  /** Resolves when a client has gone away before its answer was whole. */
  readonly aborted: Promise<void>;
}

function sse(type: string, more: object = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
}

const start = sse("message_start", {
  message: {
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "m",
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: {
      input_tokens: 5,
      cache_creation_input_tokens: 3,
      cache_read_input_tokens: 4,
      output_tokens: 1,
    },
  },
});
const ping = sse("ping");

function begin(index: number, block: object): string {
  return sse("content_block_start", { index, content_block: block });
}

function delta(index: number, piece: object): string {
  return sse("content_block_delta", { index, delta: piece });
}

const said = (piece: string, index = 0): string =>
  delta(index, { type: "text_delta", text: piece });
const end = (index = 0): string => sse("content_block_stop", { index });
const textBegin = begin(0, { type: "text", text: "" });

function stop(reason: string, more: object = {}): string {
  const usage = { output_tokens: 3 };
  return (
    sse("message_delta", { delta: { stop_reason: reason, stop_sequence: null, ...more }, usage }) +
    sse("message_stop")
  );
}

const failed = (type: string): string =>
  `event: error\ndata: ${JSON.stringify({ type: "error", error: { type, message: "Overloaded" } })}\n\n`;

function call(index: number, callId: string, ...pieces: string[]): string {
  const block = { type: "tool_use", id: callId, name: "now", input: {} };
  const deltas = pieces.map((partial_json) =>
    delta(index, { type: "input_json_delta", partial_json }),
  );
  return begin(index, block) + deltas.join("") + end(index);
}

const half = [start, textBegin, said("Half an")];

const scenarios: Readonly<Record<string, readonly Step[]>> = {
  plain: [
    start,
    textBegin,
    ping,
    said("Hello"),
    said(", wörld "),
    said("😀."),
    end(),
    stop("end_turn"),
  ],
  tools: [
    start,
    textBegin,
    said("Let me look."),
    end(),
    call(1, "toolu_1", "", '{"zone"', ': "UTC"}'),
    call(2, "toolu_2", ""),
    stop("tool_use"),
  ],
  "odd-call": [start, call(0, "toolu_1", '{"zone": '), stop("tool_use")],
  "cut-call": [start, call(0, "toolu_1", '{"zone": '), stop("max_tokens")],
  thinking: [
    start,
    begin(0, { type: "thinking", thinking: "", signature: "" }),
    delta(0, { type: "thinking_delta", thinking: "Hmm." }),
    delta(0, { type: "signature_delta", signature: "c2ln" }),
    end(0),
    begin(1, { type: "text", text: "" }),
    said("Four.", 1),
    end(1),
    stop("end_turn"),
  ],
  unknown: [
    start,
    sse("something_new", { index: 3, content: [] }),
    begin(0, { type: "a_new_block" }),
    delta(0, { type: "a_new_delta", text: 'not "text"' }),
    end(0),
    begin(1, { type: "text", text: "" }),
    said("Fine.", 1),
    end(1),
    stop("end_turn"),
  ],
  length: [start, textBegin, said("Too lo"), end(), stop("max_tokens")],
  refusal: [start, textBegin, said("I "), end(), stop("refusal")],
  window: [...half, end(), stop("model_context_window_exceeded")],
  paused: [...half, end(), stop("pause_turn")],
  slow: [start, textBegin, said("One "), 60_000, said("two."), end(), stop("end_turn")],
  pings: [start, textBegin, said("One "), ping, 60_000, stop("end_turn")],
  silent: [60_000, start, stop("end_turn")],
  cut: [...half, "cut"],
  "cut-late": [
    ...half,
    end(),
    sse("message_delta", { delta: { stop_reason: "end_turn" }, usage: {} }),
  ],
  reset: [...half, 50, "reset"],
  "error-line": [...half, failed("overloaded_error")],
  malformed: [...half, "event: content_block_delta\ndata: { this is no JSON\n\n", stop("end_turn")],
};

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly details?: object;
}

const tooLong = "prompt is too long: 210000 tokens > 200000 maximum";
const refusals: Readonly<Record<string, Answer>> = {
  missing: { status: 404, type: "not_found_error", message: "model: missing" },
  rate: {
    status: 429,
    type: "rate_limit_error",
    message: "Slow down.",
    headers: { "retry-after": "7" },
  },
  "rate-bare": { status: 429, type: "rate_limit_error", message: "Slow down." },
  "spend-limit": {
    status: 429,
    type: "rate_limit_error",
    message: "You reached your limit.",
    details: { error_code: "enforced_spend_limit_reached" },
  },
  billing: { status: 402, type: "billing_error", message: "Payment is due." },
  credit: {
    status: 400,
    type: "invalid_request_error",
    message: "Your credit balance is too low to access the Anthropic API.",
  },
  overloaded: { status: 529, type: "overloaded_error", message: "Overloaded" },
  overflow: { status: 400, type: "invalid_request_error", message: tooLong },
  large: { status: 413, type: "request_too_large", message: "Request exceeds the maximum size" },
  revoked: { status: 401, type: "authentication_error", message: "This key was revoked." },
  forbidden: { status: 403, type: "permission_error", message: "Not yours." },
  bad: { status: 400, type: "invalid_request_error", message: "max_tokens: must be less than 5." },
  broken: { status: 500, type: "api_error", message: "Internal server error" },
};

function refuse(response: ServerResponse, answer: Answer): void {
  const { status, type, message, headers, details } = answer;
  response.writeHead(status, { "content-type": "application/json", ...headers });
  const error = { type, message, ...(details === undefined ? {} : { details }) };
  response.end(JSON.stringify({ type: "error", error, request_id: "req_1" }));
}

const ofHttp: ReadonlySet<string> = new Set([
  "host",
  "connection",
  "content-length",
  "accept-encoding",
  "accept-language",
  "sec-fetch-mode",
  "user-agent",
]);
const known: ReadonlySet<string> = new Set([
  "accept",
  "content-type",
  "anthropic-version",
  "x-api-key",
]);

/** Results must answer the calls of the message before them, all in one message. */
function wrongResults({ messages }: Body): string | undefined {
  for (const [at, { role, content }] of messages.entries()) {
    if (messages[at - 1]?.role === role) return "roles must alternate";
    const wanted = content.flatMap((block) => (block.type === "tool_use" ? [block.id] : []));
    const next = messages[at + 1]?.content ?? [];
    const given = next.flatMap((block) =>
      block.type === "tool_result" ? [block.tool_use_id] : [],
    );
    if (role === "assistant" && wanted.join() !== given.join()) {
      return `tool_use ids were found without tool_result blocks: ${wanted.join()}`;
    }
  }
  return undefined;
}

/** A strict server of the Messages API on loopback: the model's name picks the scenario, "-bytes" sends it byte by byte. */
export function createFakeAnthropic(key = "good-key"): FakeAnthropic {
  const bodies: Body[] = [];
  const headers: Record<string, string>[] = [];
  const aborted = Promise.withResolvers<void>();
  const invalid = (message: string): Answer => ({
    status: 400,
    type: "invalid_request_error",
    message,
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const own = Object.entries(request.headers).filter(([name]) => !ofHttp.has(name));
    headers.push(Object.fromEntries(own.map(([name, value]) => [name, String(value)])));
    const stranger = own.find(([name]) => !known.has(name));
    if (stranger !== undefined) return refuse(response, invalid(`header ${stranger[0]}`));
    if (request.headers["anthropic-version"] !== "2026-10-21") {
      return refuse(response, invalid("anthropic-version: header is required"));
    }
    if (request.headers["x-api-key"] !== key) {
      const message = "invalid x-api-key";
      return refuse(response, { status: 401, type: "authentication_error", message });
    }
    const parsed = messageSchema.safeParse(await bodyOf(request));
    if (!parsed.success) return refuse(response, invalid(z.prettifyError(parsed.error)));
    const problem = wrongResults(parsed.data);
    if (problem !== undefined) return refuse(response, invalid(problem));
    bodies.push(parsed.data);
    const [scenario = "", bytes] = parsed.data.model.split("-bytes");
    if (scenario === "html") {
      response.setHeader("content-type", "text/html");
      return void response.end("<html>It works!</html>");
    }
    const refusal = refusals[scenario];
    if (refusal !== undefined) return refuse(response, refusal);
    watchGone(response, aborted.resolve);
    response.setHeader("content-type", "text/event-stream; charset=utf-8");
    response.flushHeaders();
    return play(response, scenarios[scenario] ?? scenarios["plain"] ?? [], bytes !== undefined);
  }

  const listener: RequestListener = (request, response) => {
    if (request.method === "POST" && request.url === "/v1/messages") void answer(request, response);
    else refuse(response, { status: 404, type: "not_found_error", message: "Not found" });
  };
  return { listener, bodies, headers, aborted: aborted.promise };
}

/** A fake of Anthropic's service that is closed after the test. */
export async function startFakeAnthropic(): Promise<FakeAnthropic & { readonly url: string }> {
  const fake = createFakeAnthropic();
  return { ...fake, url: await startServer(fake.listener) };
}
