import { describe, expect, onTestFinished, test } from "vitest";

import { type Clock, systemClock } from "../../src/core/clock.ts";
import { ask, eventsOf, nowSpec, stopOf, textOf } from "../contract/model.ts";
import { anthropicAt, type Ground } from "../contract/providers.ts";
import { startFakeAnthropic } from "../fakes/anthropic.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { openDoor } from "../fakes/receipts.ts";
import { closedOrigin, startServer } from "../fakes/server.ts";

const groundOf = (clock: Clock = systemClock): Ground => ({
  clock,
  start: startServer,
  door: (origin) => openDoor([{ purpose: "model", origin, linksOut: false }]).door,
});
const ground = groundOf();

describe("Anthropic", () => {
  test("is asked to cache what stays the same: tools and instructions, and nothing after them", async () => {
    const fake = await startFakeAnthropic();
    const model = anthropicAt(ground, { url: fake.url, model: "plain" });
    const system = { role: "system", text: "Be brief." } as const;
    const words = { role: "user", text: "time?" } as const;
    await eventsOf(model, { ...ask("time?", { tools: [nowSpec] }), messages: [system, words] });
    await eventsOf(model, { ...ask("time?", { tools: [nowSpec] }), messages: [words] });
    const mark = { cache_control: { type: "ephemeral" } };
    expect(fake.bodies[0]?.system).toEqual([{ type: "text", text: "Be brief.", ...mark }]);
    expect(fake.bodies[0]?.tools?.[0]).not.toHaveProperty("cache_control");
    expect(fake.bodies[1]?.tools?.[0]).toMatchObject(mark);
    expect(JSON.stringify(fake.bodies[0]?.messages)).not.toContain("cache_control");
  });

  test("gets the results of one turn's tools in one message", async () => {
    const fake = await startFakeAnthropic();
    const calls = [
      { id: "call.1", name: "now", input: { zone: "UTC" } },
      { id: "call.2", name: "now", input: {} },
    ];
    await eventsOf(anthropicAt(ground, { url: fake.url, model: "plain" }), {
      ...ask("time?", { tools: [nowSpec] }),
      messages: [
        { role: "user", text: "time?" },
        { role: "assistant", text: "", toolCalls: calls },
        { role: "tool", callId: "call.1", name: "now", text: "noon" },
        { role: "tool", callId: "call.2", name: "now", text: "" },
        { role: "user", text: "well?" },
      ],
    });
    expect(fake.bodies[0]?.messages.slice(1)).toEqual([
      {
        role: "assistant",
        content: [
          { type: "tool_use", id: "call_1", name: "now", input: { zone: "UTC" } },
          { type: "tool_use", id: "call_2", name: "now", input: {} },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "call_1", content: [{ type: "text", text: "noon" }] },
          { type: "tool_result", tool_use_id: "call_2" },
          { type: "text", text: "well?" },
        ],
      },
    ]);
  });

  test("counts what came from its cache apart", async () => {
    const { url } = await startFakeAnthropic();
    const events = await eventsOf(anthropicAt(ground, { url, model: "plain" }), ask("hello"));
    expect(events).toContainEqual({
      type: "usage",
      promptTokens: 12,
      answerTokens: 3,
      cachedTokens: 8,
    });
  });

  test("an answer without its last event is none, though everything before it came", async () => {
    const { url } = await startFakeAnthropic();
    const events = await eventsOf(anthropicAt(ground, { url, model: "no-stop" }), ask("hello"));
    expect(textOf(events)).toBe("Whole?");
    expect(stopOf(events)?.failure?.code).toBe("model.truncated");
  });

  test("events and blocks that are not known yet are left out", async () => {
    const { url } = await startFakeAnthropic();
    const events = await eventsOf(anthropicAt(ground, { url, model: "unknown" }), ask("hello"));
    expect([textOf(events), stopOf(events)?.reason]).toEqual(["Fine.", "end"]);
  });

  test("a call that was cut at the limit is none", async () => {
    const { url } = await startFakeAnthropic();
    const events = await eventsOf(anthropicAt(ground, { url, model: "length-in-call" }), ask("?"));
    expect(events.some(({ type }) => type === "toolCall")).toBe(false);
    expect(stopOf(events)?.reason).toBe("length");
  });

  test.each([
    ["no-credit", "model.no-credit", "its credit or spend limit is used up"],
    ["busy", "model.rate-limit", "it is overloaded"],
    ["overloaded", "model.rate-limit", "it is overloaded"],
    ["rate-limit", "model.rate-limit", "try again in 7 seconds"],
    ["missing", "model.missing", "write the name of one that it has"],
    ["window", "model.context-overflow", "too long"],
    ["html", "model.address", "it answers with a web page"],
    ["malformed", "model.protocol", "not of its API"],
  ])("%s is the failure %s", async (name, code, words) => {
    const { url } = await startFakeAnthropic();
    const events = await eventsOf(anthropicAt(ground, { url, model: name }), ask("hello"));
    expect(stopOf(events)?.failure?.code).toBe(code);
    expect(stopOf(events)?.failure?.sentence).toContain(words);
  });

  test("without a key nothing is sent", async () => {
    const { url, headers } = await startFakeAnthropic();
    const events = await eventsOf(anthropicAt(ground, { url, model: "plain", key: "" }), ask("?"));
    expect(stopOf(events)?.failure?.code).toBe("model.no-key");
    expect(headers).toEqual([]);
  });

  test("nothing of the environment reaches it, and nothing of this machine", async () => {
    const own = {
      ANTHROPIC_API_KEY: "sk-env",
      ANTHROPIC_BASE_URL: await closedOrigin(),
      ANTHROPIC_CUSTOM_HEADERS: "x-mine: 1",
      ANTHROPIC_LOG: "debug",
    };
    Object.assign(process.env, own);
    onTestFinished(() => {
      for (const name of Object.keys(own)) delete process.env[name];
    });
    const fake = await startFakeAnthropic();
    const events = await eventsOf(anthropicAt(ground, { url: fake.url, model: "plain" }), ask("?"));
    expect(stopOf(events)?.reason).toBe("end");
    const sent = Object.keys(fake.headers[0] ?? {});
    expect(
      sent.filter((name) => /stainless|mine|user-agent/.test(name) && name !== "user-agent"),
    ).toEqual([]);
    expect(fake.headers[0]?.["x-api-key"]).not.toBe("sk-env");
  });

  test.each([
    ["before the first token", "silent", 5000],
    ["within an answer", "slow", 1000],
  ])("that falls silent %s is left at the deadline, and told so", async (_, model, ms) => {
    const fake = await startFakeAnthropic();
    const clock = createFakeClock();
    const stream = anthropicAt(groundOf(clock), { url: fake.url, model }).stream(
      ask("hello"),
      new AbortController().signal,
    );
    const events: unknown[] = [];
    const ended = (async () => {
      for await (const event of stream) events.push(event);
    })();
    await expect
      .poll(() => [fake.bodies.length, events.length])
      .toEqual([1, model === "slow" ? 1 : 0]);
    clock.pass(ms);
    await ended;
    expect(events.at(-1)).toMatchObject({ failure: { code: "model.timeout" } });
    await fake.aborted;
  });
});
