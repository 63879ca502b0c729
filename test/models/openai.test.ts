import { describe, expect, test } from "vitest";

import type { ModelRequest } from "../../src/core/model.ts";
import { quirksOf } from "../../src/models/clients/openai-wire.ts";
import { ask, callsOf, eventsOf, nowSpec, stopOf, textOf, thoughtOf } from "../contract/ask.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { startFakeOpenAi } from "../fakes/openai.ts";
import { startServer } from "../fakes/server.ts";

import { modelOf, type ServiceSetup } from "./services.ts";

const withTool = ask("time?", { tools: [nowSpec] });

async function run(
  model: string,
  own: { request?: ModelRequest; setup?: ServiceSetup; host?: object } = {},
) {
  const fake = await startFakeOpenAi();
  const host = { kind: "openai", url: `${fake.url}/v1`, ...own.host };
  const events = await eventsOf(await modelOf(host, model, own.setup), own.request ?? ask("hello"));
  return { fake, events, failure: stopOf(events)?.failure, reason: stopOf(events)?.reason };
}

describe("an OpenAI-compatible server", () => {
  test("is asked for token counts, and never more than what was asked for", async () => {
    const { fake } = await run("plain", { request: ask("hello", { maxTokens: 7 }) });
    expect(fake.bodies).toEqual([
      {
        model: "plain",
        messages: [{ role: "user", content: "hello" }],
        stream: true,
        stream_options: { include_usage: true },
        max_tokens: 7,
        temperature: 0,
      },
    ]);
  });

  test("is told what the settings say of it", async () => {
    const quirks = {
      answer_limit: "max_completion_tokens",
      temperature: false,
      stream_usage: false,
    };
    const { fake } = await run("plain", { host: { quirks } });
    expect(fake.bodies).toEqual([
      {
        model: "plain",
        messages: [{ role: "user", content: "hello" }],
        stream: true,
        max_completion_tokens: 40,
      },
    ]);
  });

  test("is known by its address where it differs", () => {
    expect(quirksOf("https://api.openai.com/v1")).toMatchObject({
      answerLimit: "max_completion_tokens",
      temperature: false,
    });
    expect(quirksOf("http://127.0.0.1:1234/v1").answerLimit).toBe("max_tokens");
  });

  test("gets a schema as its own format", async () => {
    const answerSchema = { type: "object", properties: {}, additionalProperties: false };
    const { fake } = await run("plain", { request: ask("x", { answerSchema }) });
    expect(fake.bodies[0]?.response_format?.json_schema).toEqual({
      name: "answer",
      strict: true,
      schema: answerSchema,
    });
  });

  test.each(["crlf", "crlf-bytes", "plain"])(
    "text is whole however it is cut (%s)",
    async (name) => {
      const { events } = await run(name);
      expect(textOf(events)).toBe("Hello, wörld 😀.");
      expect(events.at(-2)).toEqual({
        type: "usage",
        promptTokens: 12,
        answerTokens: 3,
        cachedTokens: 4,
      });
    },
  );

  test.each([
    ["two-lines", "Hello"],
    ["no-done", "Hello."],
  ])("%s is a whole answer", async (name, text) => {
    const { events, reason } = await run(name);
    expect([textOf(events), reason]).toEqual([text, "end"]);
  });

  test("counts may come with a choice, and the cost with them", async () => {
    const { events } = await run("usage-with-choice");
    expect(events.at(-2)).toEqual({
      type: "usage",
      promptTokens: 12,
      answerTokens: 3,
      costUsd: 0.0021,
    });
  });

  test.each(["one-index", "no-index", "no-ids"])("two calls stay two (%s)", async (name) => {
    const { events, reason } = await run(name, { request: withTool });
    expect(callsOf(events).map(({ input }) => input)).toEqual([{ zone: "UTC" }, {}]);
    expect(new Set(callsOf(events).map(({ id }) => id)).size).toBe(2);
    expect(reason).toBe("toolCalls");
  });

  test("an input that is no JSON goes to the tool as text, one that was cut at the limit nowhere", async () => {
    const odd = await run("odd-call", { request: withTool });
    expect(callsOf(odd.events).map(({ input }) => input)).toEqual(['{"zone": ']);
    const cut = await run("cut-call", { request: withTool });
    expect([callsOf(cut.events), cut.reason]).toEqual([[], "length"]);
  });

  test("a call that was written as text is made, one of no offered tool is text", async () => {
    const made = await run("salvage", { request: withTool });
    expect([callsOf(made.events)[0]?.input, made.reason]).toEqual([{ zone: "UTC" }, "toolCalls"]);
    expect((await run("salvage")).reason).toBe("end");
  });

  test.each(["thinking", "reasoning", "think-tags"])("thinking is apart (%s)", async (name) => {
    const { events } = await run(name);
    expect([textOf(events), thoughtOf(events)]).toEqual(["Four.", "Hmm."]);
  });

  test.each([
    ["rate-ms", "model.rate-limit", "try again in 7 seconds."],
    ["rate-bare", "model.rate-limit", "(too many requests): try again in a minute."],
    ["loading", "model.rate-limit", "(it is overloaded): try again in a minute."],
    ["quota", "model.no-credit", "add credit or raise the limit"],
    ["credits", "model.no-credit", "add credit or raise the limit"],
    ["forbidden", "model.refused", "choose another model or another key."],
    ["missing-openrouter", "model.missing", "write the name of one that it has"],
    ["missing-vllm", "model.missing", "write the name of one that it has"],
    ["overflow-llamacpp", "model.context-overflow", "too long"],
    ["overflow-vllm", "model.context-overflow", "too long"],
    ["overflow-lmstudio", "model.context-overflow", "too long"],
    [
      "bad",
      "model.bad-request",
      "refused the request: Unsupported value: 'temperature' does not support 0.",
    ],
    ["broken", "model.failed", "(The server had an error): try again"],
    ["filtered", "model.refusal", "declines"],
    ["done-early", "model.truncated", "broke off"],
    ["error-openrouter", "model.rate-limit", "overloaded"],
    ["error-vllm", "model.failed", "(engine died): try again"],
    ["error-field", "model.failed", "(engine died): try again"],
    ["error-text", "model.failed", "(engine died): try again"],
    ["malformed", "model.protocol", "not of its API"],
  ])("%s is the failure %s", async (name, code, words) => {
    const { failure } = await run(name);
    expect(failure?.code).toBe(code);
    expect(failure?.sentence).toContain(words);
  });

  test.each([
    ["a web page", ""],
    ["an error about the path", "/json"],
    ["an error with status 200", "/lmstudio"],
  ])("an address without /v1 that answers with %s gets the fix", async (_, path) => {
    const { url } = await startFakeOpenAi();
    const events = await eventsOf(
      await modelOf({ kind: "openai", url: url + path }, "any"),
      ask("hello"),
    );
    expect(stopOf(events)?.failure?.sentence).toMatch(
      /: write \/v1 at the end of its url in config/,
    );
  });

  test("an address that was copied with its path is the same address", async () => {
    const { url } = await startFakeOpenAi();
    const host = { kind: "openai", url: `${url}/v1/chat/completions/` };
    expect(textOf(await eventsOf(await modelOf(host, "plain"), ask("hello")))).toContain("Hello");
  });

  test("a server that wants a key and has none configured says where to write both", async () => {
    const { url } = await startFakeOpenAi("k");
    const events = await eventsOf(
      await modelOf({ kind: "openai", url: `${url}/v1` }, "any"),
      ask("x"),
    );
    expect(stopOf(events)?.failure?.sentence).toMatch(
      /run agent setup --key SERVER_API_KEY, and key: SERVER_API_KEY at this host/,
    );
  });

  test("a server that quotes the key does not get it printed", async () => {
    const url = await startServer((request, response) => {
      const message = `bad header ${request.headers.authorization}`;
      response.writeHead(400, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: { message } }));
    });
    const host = { kind: "openai", url: `${url}/v1`, key: "SOME_KEY" };
    const events = await eventsOf(await modelOf(host, "any"), ask("hello"));
    expect(stopOf(events)?.failure?.sentence).toContain("bad header Bearer [secret]");
  });

  test.each([
    ["before the first byte", "silent", 120_000],
    ["within an answer", "slow", 60_000],
  ])("silence %s ends at its deadline, and the server is told", async (_, name, ms) => {
    const fake = await startFakeOpenAi();
    const clock = createFakeClock();
    const model = await modelOf({ kind: "openai", url: `${fake.url}/v1` }, name, { clock });
    const events: unknown[] = [];
    const ended = (async () => {
      const stream = model.stream(ask("hello"), new AbortController().signal);
      for await (const event of stream) events.push(event);
    })();
    const texts = name === "slow" ? 1 : 0;
    await expect.poll(() => [fake.bodies.length, events.length]).toEqual([1, texts]);
    // The answer's head and its first bytes each start a deadline of their own.
    const last = (): unknown => {
      clock.pass(ms);
      return events.at(-1);
    };
    const failure = { code: "model.timeout" };
    await expect.poll(last).toMatchObject({ reason: "error", failure });
    await ended;
    await fake.aborted;
  });
});
