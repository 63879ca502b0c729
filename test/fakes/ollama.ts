import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";

import { z } from "zod";

import { bodyOf, play, watchGone } from "./play.ts";
import { startServer } from "./server.ts";

const chatSchema = z.strictObject({
  model: z.string(),
  messages: z.array(
    z.strictObject({
      role: z.enum(["system", "user", "assistant", "tool"]),
      content: z.string(),
      tool_name: z.string().optional(),
      tool_calls: z
        .array(
          z.strictObject({
            function: z.strictObject({
              name: z.string(),
              arguments: z.record(z.string(), z.unknown()),
            }),
          }),
        )
        .optional(),
    }),
  ),
  stream: z.literal(true),
  truncate: z.literal(false),
  shift: z.literal(false),
  keep_alive: z.string(),
  think: z.literal(false).optional(),
  options: z.strictObject({
    num_ctx: z.int(),
    num_predict: z.int(),
    temperature: z.number().optional(),
  }),
  format: z.record(z.string(), z.unknown()).optional(),
  tools: z.array(z.unknown()).optional(),
});

type Chat = z.infer<typeof chatSchema>;

/** What a fake server has seen. */
export interface FakeOllama {
  readonly listener: RequestListener;
  /** Bodies of /api/chat, in order. */
  readonly chats: readonly Chat[];
  /** Paths of all requests, in order. */
  readonly paths: readonly string[];
  /** Resolves when a client has gone away before its answer was whole. */
  readonly aborted: Promise<void>;
}

const capabilities: Readonly<Record<string, readonly string[]>> = {
  tools: ["completion", "tools"],
  salvage: ["completion", "tools"],
  thinking: ["completion", "thinking"],
};

/** What a pull of these ends with, in the middle of its reports. */
const pullFailures: Readonly<Record<string, string>> = {
  missing: "pull model manifest: file does not exist",
  offline: "dial tcp: lookup registry.ollama.ai: no such host",
};

const installed = ["plain", "tools", "thinking", "remote"].map((name) => ({
  name: `${name}:latest`,
  size: name.length * 1000,
  ...(name === "remote" ? { remote_host: "https://cloud.example" } : {}),
}));

function delta(content: string, more: object = {}): object {
  return { model: "m", message: { role: "assistant", content, ...more }, done: false };
}

function last(
  more: object = {},
  counts: object = { prompt_eval_count: 12, eval_count: 3 },
): object {
  const message = { role: "assistant", content: "", ...more };
  return { model: "m", message, done: true, done_reason: "stop", ...counts };
}

const calls = [
  { function: { name: "now", arguments: { zone: "UTC" } } },
  { id: "given", function: { name: "now", arguments: {} } },
];

/** The lines of each scenario; a number is a pause of so many milliseconds, "cut" ends the body, "reset" breaks it. */
const scenarios: Readonly<Record<string, readonly (object | number | string)[]>> = {
  plain: [delta("Hello"), delta(", wörld "), delta("😀."), last()],
  tools: [delta("Let me look."), last({ tool_calls: calls })],
  thinking: [delta("", { thinking: "Hmm." }), delta("Four."), last()],
  "think-tags": [delta("<thi"), delta("nk>Hmm.</th"), delta("ink>\n\nFour."), last()],
  salvage: [delta('{"name":"now",'), delta('"arguments":{"zone":"UTC"}}'), last()],
  length: [delta("Too lo"), { ...last(), done_reason: "length" }],
  slow: [delta("One "), 60_000, delta("two."), last()],
  silent: [60_000, delta("late"), last()],
  cut: [delta("Half an"), "cut"],
  reset: [delta("Half an"), 50, "reset"],
  "error-line": [delta("Half an"), { error: "an error was encountered while running the model" }],
  "error-quote": [
    delta("Half an"),
    { error: 'error parsing tool call: raw=\'{"to":"my doctor"\', err=unexpected end of JSON' },
  ],
  malformed: [delta("Half an"), "{ this is no JSON\n", last()],
  "remote-answer": [{ ...delta("From afar."), remote_host: "https://cloud.example" }, last()],
};

function refuse(response: ServerResponse, status: number, error: string): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ error }));
}

/** A strict server of Ollama's API on loopback: the model's name picks the scenario, "-bytes" sends it byte by byte. */
export function createFakeOllama(): FakeOllama {
  const chats: Chat[] = [];
  const paths: string[] = [];
  const aborted = Promise.withResolvers<void>();

  async function chat(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parsed = chatSchema.safeParse(await bodyOf(request));
    if (!parsed.success) return refuse(response, 400, z.prettifyError(parsed.error));
    const { data } = parsed;
    chats.push(data);
    const [scenario = "", bytes] = data.model.split("-bytes");
    if (scenario === "missing") return refuse(response, 404, `model '${scenario}' not found`);
    if (scenario === "overflow") {
      return refuse(response, 400, "the input length exceeds the context length");
    }
    if (scenario === "busy")
      return refuse(response, 503, "server busy, maximum pending requests exceeded");
    if (scenario === "html") return void response.end("<html>It works!</html>");
    if (data.tools !== undefined && scenario === "no-tools") {
      return refuse(response, 400, `"${scenario}" does not support tools`);
    }
    watchGone(response, aborted.resolve);
    response.setHeader("content-type", "application/x-ndjson");
    const script = scenarios[scenario] ?? scenarios["plain"] ?? [];
    const lines = script.map((line) =>
      typeof line === "object" ? `${JSON.stringify(line)}\n` : line,
    );
    return play(response, lines, bytes !== undefined);
  }

  async function show(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { model } = z.object({ model: z.string() }).parse(await bodyOf(request));
    const name = model.replace(/:latest$/, "");
    if (name === "missing") return refuse(response, 404, `model '${model}' not found`);
    if (name === "foreign") return void response.writeHead(403).end();
    const remote = name === "remote" ? { remote_host: "https://cloud.example" } : {};
    response.end(JSON.stringify({ capabilities: capabilities[name] ?? ["completion"], ...remote }));
    return undefined;
  }

  async function pull(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The package still says `name` here, as old servers want it.
    const { name: model } = z
      .object({ name: z.string(), stream: z.literal(true) })
      .parse(await bodyOf(request));
    const failure = pullFailures[model];
    const layer = (digest: string, completed?: number) => ({
      status: `pulling ${digest}`,
      digest,
      total: 100,
      completed,
    });
    const lines = [
      { status: "pulling manifest" },
      ...(failure === undefined ? [] : [{ error: failure }]),
      layer("a"),
      layer("a", 60),
      layer("b", 40),
      layer("a", 50),
      layer("a", 100),
      layer("b", 100),
      { status: "success" },
    ];
    for (const line of lines) response.write(`${JSON.stringify(line)}\n`);
    response.end();
    return undefined;
  }

  const listener: RequestListener = (request, response) => {
    paths.push(request.url ?? "");
    if (request.url === "/api/chat") void chat(request, response);
    else if (request.url === "/api/show") void show(request, response);
    else if (request.url === "/api/pull") void pull(request, response);
    else if (request.url === "/api/tags") response.end(JSON.stringify({ models: installed }));
    else if (request.url === "/api/version") response.end(JSON.stringify({ version: "0.24.0" }));
    else if (request.url === "/api/status")
      response.end(JSON.stringify({ cloud: { disabled: true } }));
    else refuse(response, 404, "not found");
  };
  return { listener, chats, paths, aborted: aborted.promise };
}

/** A fake Ollama that is closed after the test. */
export async function startFakeOllama(): Promise<FakeOllama & { readonly url: string }> {
  const fake = createFakeOllama();
  return { ...fake, url: await startServer(fake.listener) };
}
