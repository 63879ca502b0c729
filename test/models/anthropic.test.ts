import { describe, expect, test } from "vitest";

import type { ModelRequest } from "../../src/core/model.ts";
import { createSecret } from "../../src/core/secret.ts";
import { ask, callsOf, eventsOf, nowSpec, stopOf, textOf } from "../contract/ask.ts";
import { startFakeAnthropic } from "../fakes/anthropic.ts";
import { createFakeClock } from "../fakes/clock.ts";

import { modelOf, type ServiceSetup } from "./services.ts";

async function run(model: string, own: { request?: ModelRequest; setup?: ServiceSetup } = {}) {
  const fake = await startFakeAnthropic();
  const host = { kind: "anthropic", url: fake.url };
  const events = await eventsOf(await modelOf(host, model, own.setup), own.request ?? ask("hello"));
  return { fake, events, failure: stopOf(events)?.failure, reason: stopOf(events)?.reason };
}

const call = (id: string) => ({ id, name: "now", input: {} });
const result = (callId: string, text: string) =>
  ({ role: "tool", callId, name: "now", text }) as const;

describe("Anthropic", () => {
  test("hears no header but those of the request itself, and the key in its own", async () => {
    const { fake } = await run("plain");
    expect(fake.headers).toEqual([
      {
        accept: "application/json",
        "content-type": "application/json",
        "anthropic-version": "2026-10-21",
        "x-api-key": "good-key",
      },
    ]);
  });

  test("nothing of the environment goes to it", async () => {
    const names = { ANTHROPIC_CUSTOM_HEADERS: "x-own: 1", ANTHROPIC_AUTH_TOKEN: "token" };
    Object.assign(process.env, names, { ANTHROPIC_BASE_URL: "http://127.0.0.1:1" });
    try {
      const { fake, reason } = await run("plain");
      expect([reason, Object.keys(fake.headers[0] ?? {})]).toEqual([
        "end",
        ["accept", "content-type", "anthropic-version", "x-api-key"],
      ]);
    } finally {
      for (const name of [...Object.keys(names), "ANTHROPIC_BASE_URL"]) delete process.env[name];
    }
  });

  test("the mark of the cache is at the end of what stays the same", async () => {
    const request = ask("time?", { tools: [nowSpec] });
    const messages = [{ role: "system", text: "Be kind." } as const, ...request.messages];
    const { fake } = await run("plain", { request: { ...request, messages } });
    const [body] = fake.bodies;
    expect(body?.system).toEqual([
      { type: "text", text: "Be kind.", cache_control: { type: "ephemeral" } },
    ]);
    expect(body?.tools?.[0]).not.toHaveProperty("cache_control");
    const bare = await run("plain", { request });
    expect(bare.fake.bodies[0]?.tools?.[0]).toHaveProperty("cache_control", { type: "ephemeral" });
  });

  test("tokens of the cache count as tokens of the prompt", async () => {
    const { events } = await run("plain");
    expect(events.at(-2)).toEqual({
      type: "usage",
      promptTokens: 12,
      answerTokens: 3,
      cachedTokens: 4,
      cacheWrittenTokens: 3,
    });
  });

  test("results of one turn go back in one message, with ids that it takes", async () => {
    const messages = [
      { role: "user", text: "time?" },
      { role: "assistant", text: "", toolCalls: [call("a:1"), call("b")] },
      result("a:1", "noon"),
      result("b", ""),
    ] as const;
    const { fake, reason } = await run("plain", { request: { ...ask(""), messages } });
    expect(reason).toBe("end");
    expect(fake.bodies[0]?.messages[2]).toEqual({
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "a_1", content: [{ type: "text", text: "noon" }] },
        { type: "tool_result", tool_use_id: "b" },
      ],
    });
  });

  test("a schema becomes one that it supports", async () => {
    const answerSchema = {
      type: "object",
      properties: { age: { type: "integer", minimum: 3 } },
      required: ["age"],
    };
    const { fake } = await run("plain", { request: ask("x", { answerSchema }) });
    expect(fake.bodies[0]?.output_config?.format.schema).toMatchObject({
      additionalProperties: false,
      properties: { age: { type: "integer", description: expect.stringContaining("minimum: 3") } },
    });
  });

  test("events, blocks and deltas of types that are not known are left out", async () => {
    const { events, reason } = await run("unknown");
    expect([textOf(events), reason]).toEqual(["Fine.", "end"]);
  });

  test("an input that is no JSON goes to the tool as text, one that was cut at the limit nowhere", async () => {
    const request = ask("time?", { tools: [nowSpec] });
    const odd = await run("odd-call", { request });
    expect(callsOf(odd.events).map(({ input }) => input)).toEqual(['{"zone": ']);
    expect(odd.reason).toBe("toolCalls");
    const cut = await run("cut-call", { request });
    expect([callsOf(cut.events), cut.reason]).toEqual([[], "length"]);
  });

  test.each([
    ["rate-bare", "model.rate-limit", "(too many requests): try again in a minute."],
    ["overloaded", "model.rate-limit", "(it is overloaded): try again in a minute."],
    ["error-line", "model.rate-limit", "(it is overloaded)"],
    ["spend-limit", "model.no-credit", "its credit or spend limit is used up"],
    ["billing", "model.no-credit", "add credit or raise the limit"],
    ["credit", "model.no-credit", "add credit or raise the limit"],
    ["large", "model.context-overflow", "too long"],
    ["window", "model.context-overflow", "too long"],
    ["paused", "model.truncated", "broke off"],
    ["cut-late", "model.truncated", "broke off"],
    ["forbidden", "model.refused", "does not allow it to the key ANTHROPIC_API_KEY"],
    ["bad", "model.bad-request", "max_tokens: must be less than 5."],
    ["broken", "model.failed", "(Internal server error): try again"],
    ["malformed", "model.protocol", "not of its API"],
  ])("%s is the failure %s", async (name, code, words) => {
    const { failure } = await run(name);
    expect(failure?.code).toBe(code);
    expect(failure?.sentence).toContain(words);
  });

  test("a key that no header can hold is refused before it could be quoted", async () => {
    const secrets = (name: string) => createSecret(name, "sk-bad\nkey");
    const { failure, fake } = await run("plain", { setup: { secrets } });
    expect(failure?.code).toBe("model.wrong-key");
    expect(failure?.sentence).not.toContain("sk-bad");
    expect(fake.headers).toEqual([]);
  });

  test("an address that was copied with its version is the same address", async () => {
    const { url } = await startFakeAnthropic();
    const model = await modelOf({ kind: "anthropic", url: `${url}/v1/messages` }, "plain");
    expect(textOf(await eventsOf(model, ask("hello")))).toContain("Hello");
  });

  test("an address of something else is named", async () => {
    const { url } = await startFakeAnthropic();
    const model = await modelOf({ kind: "anthropic", url: `${url}/elsewhere` }, "plain");
    expect(stopOf(await eventsOf(model, ask("hello")))?.failure?.sentence).toMatch(
      /elsewhere is not the address of a model's API \(status 404\): correct its url in config/,
    );
  });

  test.each([
    ["before the first byte", "silent", 0],
    ["within an answer", "slow", 1],
    ["after a ping", "pings", 1],
  ])("silence %s ends at its deadline, and the server is told", async (_, name, texts) => {
    const fake = await startFakeAnthropic();
    const clock = createFakeClock();
    const model = await modelOf({ kind: "anthropic", url: fake.url }, name, { clock });
    const events: unknown[] = [];
    const ended = (async () => {
      const stream = model.stream(ask("hello"), new AbortController().signal);
      for await (const event of stream) events.push(event);
    })();
    await expect.poll(() => [fake.bodies.length, events.length]).toEqual([1, texts]);
    // The answer's head and its first bytes each start a deadline of their own.
    const last = (): unknown => {
      clock.pass(120_000);
      return events.at(-1);
    };
    const failure = { code: "model.timeout" };
    await expect.poll(last).toMatchObject({ reason: "error", failure });
    await ended;
    await fake.aborted;
  });
});
