import { describe, expect, test } from "vitest";

import { type Clock, systemClock } from "../../src/core/clock.ts";
import { createOpenAiModel } from "../../src/models/openai.ts";
import { quirksOf } from "../../src/models/openai-wire.ts";
import { ask, eventsOf, nowSpec, stopOf, textOf } from "../contract/model.ts";
import { type Ground, openAiAt, serviceAt } from "../contract/providers.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { startFakeOpenAi } from "../fakes/openai.ts";
import { openDoor } from "../fakes/receipts.ts";
import { closedOrigin, startServer } from "../fakes/server.ts";

const groundOf = (clock: Clock = systemClock): Ground => ({
  clock,
  start: startServer,
  door: (origin) => openDoor([{ purpose: "model", origin, linksOut: false }]).door,
});
const ground = groundOf();

describe("a server of OpenAI's API", () => {
  test("is told tools and steps as it wants them", async () => {
    const fake = await startFakeOpenAi();
    const call = { id: "c1", name: "now", input: { zone: "UTC" } };
    await eventsOf(openAiAt(ground, { url: fake.url, model: "plain" }), {
      ...ask("time?", { tools: [nowSpec], answerSchema: { type: "object" } }),
      messages: [
        { role: "system", text: "Be brief." },
        { role: "user", text: "time?" },
        { role: "assistant", text: "", toolCalls: [call] },
        { role: "tool", callId: "c1", name: "now", text: "noon" },
      ],
    });
    expect(fake.bodies[0]).toMatchObject({
      max_tokens: 40,
      stream_options: { include_usage: true },
      tools: [{ function: { name: "now" } }],
      response_format: { json_schema: { schema: { type: "object" } } },
    });
    expect(fake.bodies[0]?.messages.slice(2)).toEqual([
      {
        role: "assistant",
        content: null,
        tool_calls: [
          { id: "c1", type: "function", function: { name: "now", arguments: '{"zone":"UTC"}' } },
        ],
      },
      { role: "tool", tool_call_id: "c1", content: "noon" },
    ]);
  });

  test("of OpenAI's own is asked in the words of its newer models", () => {
    expect(quirksOf("https://api.openai.com/v1")).toMatchObject({
      answerLimit: "max_completion_tokens",
      temperature: false,
    });
    expect(quirksOf("http://127.0.0.1:1234/v1").answerLimit).toBe("max_tokens");
  });

  test("gets no key where none is configured", async () => {
    const fake = await startFakeOpenAi();
    const options = serviceAt(ground, { url: fake.url, model: "plain" });
    const service = { ...options.service, key: undefined };
    const model = createOpenAiModel({ ...options, service, quirks: quirksOf(fake.url) });
    const failure = stopOf(await eventsOf(model, ask("hello")))?.failure;
    expect(failure?.code).toBe("model.no-key");
    expect(failure?.sentence).toMatch(
      /wants a key and there is none: run agent setup --key \w+_API_KEY/,
    );
  });

  test.each([
    ["lines that end in CR LF", "crlf", "Hello."],
    ["no [DONE] after an end", "no-done", "Whole."],
    ["thinking in tags", "think-tags", "Four."],
  ])("is read with %s", async (_, model, text) => {
    const { url } = await startFakeOpenAi();
    const events = await eventsOf(openAiAt(ground, { url, model }), ask("hello"));
    expect([textOf(events), stopOf(events)?.reason]).toEqual([text, "end"]);
  });

  test("whose calls all have the same index is read call by call", async () => {
    const { url } = await startFakeOpenAi();
    const events = await eventsOf(openAiAt(ground, { url, model: "same-index" }), ask("?"));
    const calls = events.flatMap((event) => (event.type === "toolCall" ? [event.call.input] : []));
    expect(calls).toEqual([{}, { zone: "UTC" }]);
  });

  test("that writes a call as text is understood, where the tool was offered", async () => {
    const { url } = await startFakeOpenAi();
    const model = openAiAt(ground, { url, model: "salvage" });
    expect(stopOf(await eventsOf(model, ask("?", { tools: [nowSpec] })))?.reason).toBe("toolCalls");
    expect(stopOf(await eventsOf(model, ask("?")))?.reason).toBe("end");
  });

  test("that cuts a call at the limit makes none", async () => {
    const { url } = await startFakeOpenAi();
    const events = await eventsOf(openAiAt(ground, { url, model: "length-in-call" }), ask("?"));
    expect(events.map(({ type }) => type)).toEqual(["stop"]);
    expect(stopOf(events)?.reason).toBe("length");
  });

  test("that says what it cost is believed", async () => {
    const { url } = await startFakeOpenAi();
    const events = await eventsOf(openAiAt(ground, { url, model: "cost" }), ask("hello"));
    expect(events).toContainEqual({
      type: "usage",
      promptTokens: 5,
      answerTokens: 1,
      costUsd: 0.0021,
    });
  });

  test.each([
    ["no-credit", "model.no-credit", "its credit or spend limit is used up"],
    ["overloaded", "model.rate-limit", "it is overloaded"],
    ["rate-limit", "model.rate-limit", "(too many requests): try again in 7 seconds."],
    ["missing", "model.missing", "write the name of one that it has into config/models.local.yaml"],
    ["html", "model.address", "it answers with a web page"],
    ["malformed", "model.protocol", "not of its API"],
    ["filtered", "model.refusal", "declines to answer"],
  ])("%s is the failure %s", async (name, code, words) => {
    const { url } = await startFakeOpenAi();
    const events = await eventsOf(openAiAt(ground, { url, model: name }), ask("hello"));
    expect(stopOf(events)?.failure?.code).toBe(code);
    expect(stopOf(events)?.failure?.sentence).toContain(words);
  });

  test("whose address lacks /v1 is told with the fix", async () => {
    const { url } = await startFakeOpenAi();
    const short = url.replace("/v1", "");
    const events = await eventsOf(openAiAt(ground, { url: short, model: "plain" }), ask("hello"));
    expect(stopOf(events)?.failure).toEqual({
      code: "model.address",
      sentence: expect.stringContaining(
        "write /v1 at the end of its url in config/models.local.yaml",
      ),
    });
  });

  test("that is not there is unavailable", async () => {
    const url = `${await closedOrigin()}/v1`;
    const events = await eventsOf(openAiAt(ground, { url, model: "plain" }), ask("hello"));
    expect(stopOf(events)?.failure?.code).toBe("model.unavailable");
  });

  test("a key that no header can carry is a wrong one, and is not quoted", async () => {
    const { url, bodies } = await startFakeOpenAi();
    const events = await eventsOf(
      openAiAt(ground, { url, model: "plain", key: "sk-ä\n1" }),
      ask("?"),
    );
    expect(stopOf(events)?.failure).toEqual({
      code: "model.wrong-key",
      sentence: expect.not.stringContaining("sk-"),
    });
    expect(bodies).toEqual([]);
  });

  test.each([
    ["before the first token", "silent", 5000],
    ["within an answer", "slow", 1000],
  ])("that falls silent %s is left at the deadline, and told so", async (_, model, ms) => {
    const fake = await startFakeOpenAi();
    const clock = createFakeClock();
    const stream = openAiAt(groundOf(clock), { url: fake.url, model }).stream(
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
