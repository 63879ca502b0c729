import type { IncomingMessage, ServerResponse } from "node:http";

import { z } from "zod";

import { fakeKey } from "./openai.ts";
import { bodyOf, type Piece, play } from "./playing.ts";
import { type StartServer, startServer } from "./server.ts";

const cache = z.strictObject({ type: z.literal("ephemeral") }).optional();
const textBlock = z.strictObject({
  type: z.literal("text"),
  text: z.string().min(1),
  cache_control: cache,
});
const block = z.discriminatedUnion("type", [
  textBlock,
  z.strictObject({
    type: z.literal("tool_use"),
    id: z.string().regex(/^[a-zA-Z0-9_-]+$/),
    name: z.string(),
    input: z.record(z.string(), z.unknown()),
  }),
  z.strictObject({
    type: z.literal("tool_result"),
    tool_use_id: z.string(),
    content: z.array(textBlock).min(1).optional(),
  }),
]);

const bodySchema = z.strictObject({
  model: z.string(),
  max_tokens: z.int().min(1),
  stream: z.literal(true),
  messages: z
    .array(z.strictObject({ role: z.enum(["user", "assistant"]), content: z.array(block).min(1) }))
    .min(1)
    .refine(
      (messages) => messages.every(({ role }, i) => role === (i % 2 === 0 ? "user" : "assistant")),
      "roles must alternate, beginning with user",
    ),
  system: z.array(textBlock).min(1).optional(),
  tools: z
    .array(
      z.strictObject({
        name: z.string(),
        description: z.string(),
        input_schema: z.looseObject({ type: z.literal("object") }),
        cache_control: cache,
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

/** What a fake server has seen. */
export interface FakeAnthropic {
  readonly url: string;
  readonly bodies: readonly z.infer<typeof bodySchema>[];
  readonly headers: readonly IncomingMessage["headers"][];
  /** Resolves when a client has gone away before its answer was whole. */
  readonly aborted: Promise<void>;
}

function event(type: string, value: object = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...value })}\n\n`;
}

const begin = event("message_start", {
  message: {
    id: "msg_1",
    type: "message",
    role: "assistant",
    content: [],
    usage: {
      input_tokens: 4,
      cache_read_input_tokens: 8,
      cache_creation_input_tokens: 0,
      output_tokens: 1,
    },
  },
});

function deltas(index: number, kind: object, parts: readonly object[]): string[] {
  return [
    event("content_block_start", { index, content_block: kind }),
    ...parts.map((delta) => event("content_block_delta", { index, delta })),
    event("content_block_stop", { index }),
  ];
}

function said(index: number, ...texts: readonly string[]): string[] {
  return deltas(
    index,
    { type: "text", text: "" },
    texts.map((text) => ({ type: "text_delta", text })),
  );
}

function tool(index: number, id: string, ...pieces: readonly string[]): string[] {
  const parts = ["", ...pieces].map((partial_json) => ({ type: "input_json_delta", partial_json }));
  return deltas(index, { type: "tool_use", id, name: "now", input: {} }, parts);
}

function end(reason: string): string[] {
  const delta = { stop_reason: reason, stop_sequence: null };
  return [event("message_delta", { delta, usage: { output_tokens: 3 } }), event("message_stop")];
}

const half = said(0, "Half an").slice(0, -1);

/** The body of each scenario: the sequence of events that the service documents. */
const scenarios: Readonly<Record<string, readonly Piece[]>> = {
  plain: [begin, event("ping"), ...said(0, "Hello", ", wörld ", "😀."), ...end("end_turn")],
  tools: [
    begin,
    ...said(0, "Let me look."),
    ...tool(1, "toolu_1", '{"zo', 'ne":"UTC"}'),
    ...tool(2, "toolu_2"),
    ...end("tool_use"),
  ],
  thinking: [
    begin,
    ...deltas(0, { type: "thinking", thinking: "", signature: "" }, [
      { type: "thinking_delta", thinking: "Hmm." },
      { type: "signature_delta", signature: "c2ln" },
    ]),
    ...said(1, "Four."),
    ...end("end_turn"),
  ],
  unknown: [
    begin,
    event("brand_new", { index: 0 }),
    ...deltas(0, { type: "new_block" }, [{ type: "new_delta", value: 1 }]),
    ...said(1, "Fine."),
    ...end("end_turn"),
  ],
  length: [begin, ...said(0, "Too lo"), ...end("max_tokens")],
  "length-in-call": [begin, ...tool(0, "toolu_1", '{"zo'), ...end("max_tokens")],
  slow: [begin, ...said(0, "One ").slice(0, -1), 60_000, ...end("end_turn")],
  silent: [60_000, begin],
  cut: [begin, ...half, { end: "early" }],
  "no-stop": [begin, ...said(0, "Whole?"), ...end("end_turn").slice(0, 1), { end: "early" }],
  reset: [begin, ...half, 50, { end: "reset" }],
  "error-line": [
    begin,
    ...half,
    event("error", { error: { type: "api_error", message: "Internal server error" } }),
  ],
  overloaded: [
    begin,
    event("error", { error: { type: "overloaded_error", message: "Overloaded" } }),
  ],
  malformed: [
    begin,
    ...half,
    "event: content_block_delta\ndata: { this is no JSON\n\n",
    ...end("end_turn"),
  ],
  refusal: [begin, ...said(0, "I"), ...end("refusal")],
  window: [begin, ...said(0, "So far"), ...end("model_context_window_exceeded")],
};

function refused(type: string, message: string, more: object = {}): string {
  return JSON.stringify({ type: "error", error: { type, message, ...more } });
}

/** Refusals by scenario: status, body, headers. */
const refusals: Readonly<Record<string, readonly [number, string, Record<string, string>?]>> = {
  "rate-limit": [429, refused("rate_limit_error", "Slow down"), { "retry-after": "7" }],
  "no-credit": [
    429,
    refused("rate_limit_error", "Limit", {
      details: { error_code: "enforced_spend_limit_reached" },
    }),
  ],
  overflow: [
    400,
    refused("invalid_request_error", "prompt is too long: 209715 tokens > 200000 maximum"),
  ],
  missing: [404, refused("not_found_error", "model: missing")],
  html: [200, "<!doctype html><title>It works!</title>", { "content-type": "text/html" }],
  busy: [529, refused("overloaded_error", "Overloaded")],
};

/** A strict server of Anthropic's Messages API on loopback: the model's name picks the scenario, "-bytes" sends it byte by byte. */
export async function startFakeAnthropic(start: StartServer = startServer): Promise<FakeAnthropic> {
  const bodies: z.infer<typeof bodySchema>[] = [];
  const headers: IncomingMessage["headers"][] = [];
  const aborted = Promise.withResolvers<void>();

  function refuse(
    response: ServerResponse,
    status: number,
    body: string,
    more: Record<string, string> = {},
  ): void {
    response.writeHead(status, { "content-type": "application/json", ...more }).end(body);
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parsed = bodySchema.safeParse(await bodyOf(request));
    headers.push(request.headers);
    if (request.headers["x-api-key"] !== fakeKey) {
      return refuse(response, 401, refused("authentication_error", "invalid x-api-key"));
    }
    if (!parsed.success || request.headers["anthropic-version"] === undefined) {
      const problem = parsed.success ? "no version" : z.prettifyError(parsed.error);
      return refuse(response, 400, refused("invalid_request_error", problem));
    }
    bodies.push(parsed.data);
    const [scenario = "", bytes] = parsed.data.model.split("-bytes");
    const refusal = refusals[scenario];
    if (refusal !== undefined) return refuse(response, ...refusal);
    response.on("close", () => {
      if (!response.writableFinished) aborted.resolve();
    });
    response.setHeader("content-type", "text/event-stream; charset=utf-8");
    return play(response, scenarios[scenario] ?? scenarios["plain"] ?? [], bytes !== undefined);
  }

  const url = await start((request, response) => {
    if (request.url === "/v1/messages") void answer(request, response);
    else refuse(response, 404, "Not Found", { "content-type": "text/plain" });
  });
  return { url, bodies, headers, aborted: aborted.promise };
}
