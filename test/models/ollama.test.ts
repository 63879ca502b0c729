import type { ServerResponse } from "node:http";

import { describe, expect, test } from "vitest";

import type { Model } from "../../src/core/model.ts";
import { ask, eventsOf, modelContract, nowSpec, stopOf, textOf } from "../contract/model.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { startFakeOllama } from "../fakes/ollama.ts";
import { closedOrigin, startServer } from "../fakes/server.ts";
import { modelAt } from "./open-ollama.ts";

modelContract("Ollama on a fake server", async () => {
  const { url } = await startFakeOllama();
  const plain = modelAt(url, "plain");
  const slow = modelAt(url, "slow");
  const isLong = (text: string): boolean => text === "long";
  const model: Model = {
    ...plain,
    stream: (request, signal) =>
      (isLong(request.messages[0]?.text ?? "") ? slow : plain).stream(request, signal),
  };
  return { model, long: ask("long") };
});

describe("Ollama", () => {
  test("every request pins the context and forbids silent cuts", async () => {
    const fake = await startFakeOllama();
    await eventsOf(modelAt(fake.url, "plain"), ask("hello", { maxTokens: 7 }));
    expect(fake.chats).toMatchObject([
      { truncate: false, shift: false, options: { num_ctx: 2048, num_predict: 7 } },
    ]);
  });

  test.each(["plain", "plain-bytes"])("text is whole however it is cut (%s)", async (name) => {
    const { url } = await startFakeOllama();
    const events = await eventsOf(modelAt(url, name), ask("hello"));
    expect(textOf(events)).toBe("Hello, wörld 😀.");
    expect(events.slice(-2)).toEqual([
      { type: "usage", promptTokens: 12, answerTokens: 3 },
      { type: "stop", reason: "end" },
    ]);
  });

  test("several tool calls of the last line come with ids", async () => {
    const { url } = await startFakeOllama();
    const events = await eventsOf(modelAt(url, "tools"), ask("time?", { tools: [nowSpec] }));
    const calls = events.flatMap((event) => (event.type === "toolCall" ? [event.call] : []));
    expect(calls.map(({ name, input }) => [name, input])).toEqual([
      ["now", { zone: "UTC" }],
      ["now", {}],
    ]);
    expect(calls[1]?.id).toBe("given");
    expect(new Set(calls.map((call) => call.id)).size).toBe(2);
    expect(stopOf(events)?.reason).toBe("toolCalls");
  });

  test("steps go back as Ollama wants them", async () => {
    const fake = await startFakeOllama();
    const call = { id: "c1", name: "now", input: { zone: "UTC" } };
    await eventsOf(modelAt(fake.url, "tools"), {
      ...ask("time?", { tools: [nowSpec] }),
      messages: [
        { role: "user", text: "time?" },
        { role: "assistant", text: "", toolCalls: [call] },
        { role: "tool", callId: "c1", name: "now", text: "noon" },
      ],
    });
    expect(fake.chats[0]?.messages.slice(1)).toEqual([
      {
        role: "assistant",
        content: "",
        tool_calls: [{ function: { name: "now", arguments: { zone: "UTC" } } }],
      },
      { role: "tool", content: "noon", tool_name: "now" },
    ]);
  });

  test.each(["thinking", "think-tags"])("thinking is no part of the answer (%s)", async (name) => {
    const fake = await startFakeOllama();
    const events = await eventsOf(modelAt(fake.url, name), ask("2+2?"));
    expect(textOf(events)).toBe("Four.");
    const thought = events.map((event) => (event.type === "thinking" ? event.text : "")).join("");
    expect(thought).toBe("Hmm.");
    expect(fake.chats[0]?.think).toBe(name === "thinking" ? false : undefined);
  });

  test("a call that was written as text is made, one of no offered tool is text", async () => {
    const { url } = await startFakeOllama();
    const offered = await eventsOf(modelAt(url, "salvage"), ask("time?", { tools: [nowSpec] }));
    expect(stopOf(offered)?.reason).toBe("toolCalls");
    const other = { ...nowSpec, name: "other" };
    const refused = await eventsOf(modelAt(url, "salvage"), ask("time?", { tools: [other] }));
    expect(stopOf(refused)?.reason).toBe("end");
  });

  test("a model that knows no tools is offered none", async () => {
    const fake = await startFakeOllama();
    const events = await eventsOf(
      modelAt(fake.url, "no-tools"),
      ask("time?", { tools: [nowSpec] }),
    );
    expect(stopOf(events)?.reason).toBe("end");
    expect(fake.chats[0]?.tools).toBeUndefined();
  });

  test("an answer that was cut at its limit says so", async () => {
    const { url } = await startFakeOllama();
    expect(stopOf(await eventsOf(modelAt(url, "length"), ask("hello")))?.reason).toBe("length");
  });

  test.each([
    ["missing", "model.missing", "run agent models pull missing"],
    ["overflow", "model.context-overflow", "too long for overflow"],
    ["busy", "model.busy", "too many requests waiting"],
    ["html", "model.protocol", "something that is not an answer"],
    ["cut", "model.truncated", "broke off"],
    ["reset", "model.truncated", "broke off"],
    ["malformed", "model.protocol", "not of its API"],
    ["error-line", "model.failed", "an error was encountered"],
    ["remote", "model.refused", "runs in a cloud"],
    ["remote-answer", "model.passed-on", "passed what it was sent on to a cloud"],
    ["foreign", "model.refused", "set OLLAMA_HOST where it runs"],
  ])("%s is the failure %s", async (name, code, words) => {
    const { url } = await startFakeOllama();
    const events = await eventsOf(modelAt(url, name), ask("hello", { tools: [nowSpec] }));
    expect(stopOf(events)?.failure?.code).toBe(code);
    expect(stopOf(events)?.failure?.sentence).toContain(words);
  });

  test("what a model wrote is in no failure, which others may be told", async () => {
    const { url } = await startFakeOllama();
    const failure = stopOf(await eventsOf(modelAt(url, "error-quote"), ask("hello")))?.failure;
    expect(failure?.sentence).toContain("(error parsing tool call):");
    expect(failure?.sentence).not.toContain("doctor");
  });

  test.each([
    "gpt-oss:120b-cloud",
    "qwen3:cloud",
    "gpt-oss:120b-Cloud",
    "qwen3:CLOUD",
    "qwen3: cloud ",
  ])("%s is refused before anything is sent", async (name) => {
    const fake = await startFakeOllama();
    const events = await eventsOf(modelAt(fake.url, name), ask("hello"));
    expect(stopOf(events)?.failure?.code).toBe("model.refused");
    expect(fake.paths).toEqual([]);
  });

  test("a host that does not answer is unavailable", async () => {
    const events = await eventsOf(modelAt(await closedOrigin(), "plain"), ask("hello"));
    expect(stopOf(events)?.failure).toMatchObject({
      code: "model.unavailable",
      sentence: expect.stringContaining("(connection refused)"),
    });
  });

  test("an abort while nothing has come yet reaches the server", async () => {
    const fake = await startFakeOllama();
    const abort = new AbortController();
    const events = eventsOf(modelAt(fake.url, "silent"), ask("hello"), abort.signal);
    await expect.poll(() => fake.chats.length).toBe(1);
    abort.abort();
    expect(stopOf(await events)?.reason).toBe("aborted");
    await fake.aborted;
  });

  test("a consumer that stops iterating reaches the server", async () => {
    const fake = await startFakeOllama();
    const stream = modelAt(fake.url, "slow").stream(ask("hello"), new AbortController().signal);
    for await (const event of stream) if (event.type === "text") break;
    await expect(fake.aborted).resolves.toBeUndefined();
  });

  test("who is stopped while a host is asked what its model can do stops nobody else", async () => {
    const shows: ServerResponse[] = [];
    const url = await startServer((request, response) => {
      if (request.url === "/api/show") shows.push(response);
      if (request.url === "/api/ps") response.end(JSON.stringify({ models: [{ name: "m" }] }));
      if (request.url === "/api/chat") {
        response.end(JSON.stringify({ message: { content: "Hello." }, done: true }));
      }
    });
    const model = modelAt(url, "m");
    const stop = new AbortController();
    const one = Array.fromAsync(model.stream(ask("hello"), stop.signal));
    const other = eventsOf(model, ask("hello"));
    await expect.poll(() => shows).toHaveLength(2);
    stop.abort();
    expect(stopOf(await one)).toMatchObject({ reason: "aborted" });
    for (const show of shows) show.end(JSON.stringify({ capabilities: [] }));
    expect(textOf(await other)).toBe("Hello.");
  });

  test("a host that freezes, and does not tell what it has loaded either, is given up at the deadline", async () => {
    const asked = Promise.withResolvers<void>();
    const url = await startServer((request, response) => {
      if (request.url === "/api/show") response.end(JSON.stringify({ capabilities: [] }));
      if (request.url === "/api/ps") asked.resolve();
    });
    const clock = createFakeClock();
    const events = eventsOf(modelAt(url, "frozen", clock), ask("hello"));
    await asked.promise;
    clock.pass(3000);
    await expect.poll(() => clock.next()).toBe(5000);
    clock.pass(5000);
    const failure = { code: "model.timeout" };
    await expect.poll(() => clock.next()).toBe(3000);
    clock.pass(3000);
    expect((await events).at(-1)).toMatchObject({ reason: "error", failure });
  });

  test("a host that freezes is not waited for when it is made ready, and one that is off is told of", async () => {
    const asked = Promise.withResolvers<void>();
    const url = await startServer((request) => {
      if (request.url === "/api/ps") asked.resolve();
    });
    const clock = createFakeClock();
    const never = new AbortController().signal;
    const frozen = modelAt(url, "frozen", clock).load?.(never);
    await asked.promise;
    clock.pass(3000);
    await expect(frozen).rejects.toMatchObject({ code: "model.timeout" });
    const off = modelAt(await closedOrigin(), "off", clock).load?.(never);
    await expect(off).rejects.toMatchObject({ code: "model.unavailable" });
  });

  test("a host that is gone while its answer is waited for is given up before the deadline", async () => {
    const url = await startServer((request, response) => {
      if (request.url === "/api/show") response.end(JSON.stringify({ capabilities: [] }));
      if (request.url === "/api/ps") response.end(JSON.stringify({ models: [{ name: "gone" }] }));
      if (request.url === "/api/version") response.destroy();
    });
    const clock = createFakeClock();
    const events = eventsOf(modelAt(url, "gone", clock, 120_000), ask("hello"));
    await expect.poll(() => clock.next()).toBe(25_000);
    clock.pass(25_000);
    await expect.poll(() => clock.next()).toBe(5000);
    clock.pass(5000);
    expect((await events).at(-1)).toMatchObject({
      reason: "error",
      failure: {
        code: "model.unavailable",
        sentence: expect.stringContaining("does not answer (frozen, or out of reach)"),
      },
    });
  });

  test("the same while it loads a model ahead, and it is left alone then", async () => {
    const left = Promise.withResolvers<void>();
    const url = await startServer((request, response) => {
      if (request.url === "/api/show") response.end(JSON.stringify({ capabilities: [] }));
      if (request.url === "/api/ps") response.end(JSON.stringify({ models: [] }));
      if (request.url === "/api/version") response.destroy();
      if (request.url === "/api/chat") response.on("close", () => left.resolve());
    });
    const clock = createFakeClock();
    const load = modelAt(url, "gone", clock, 300_000).load?.(new AbortController().signal);
    load?.catch(() => undefined);
    await expect.poll(() => clock.next()).toBe(25_000);
    clock.pass(25_000);
    await expect.poll(() => clock.next()).toBe(5000);
    clock.pass(5000);
    await expect(load).rejects.toMatchObject({ code: "model.unavailable" });
    await left.promise;
  });

  test.each([
    ["before the first token", "silent", 5000],
    ["within an answer", "slow", 1000],
  ])("silence %s ends at its deadline, and the server is told", async (_, name, ms) => {
    const fake = await startFakeOllama();
    const clock = createFakeClock();
    const events: unknown[] = [];
    const ended = (async () => {
      for await (const event of modelAt(fake.url, name, clock).stream(
        ask("hello"),
        new AbortController().signal,
      )) {
        events.push(event);
      }
    })();
    await expect
      .poll(() => [fake.chats.length, events.length])
      .toEqual([1, name === "slow" ? 1 : 0]);
    clock.pass(ms);
    await ended;
    expect(events.at(-1)).toMatchObject({ reason: "error", failure: { code: "model.timeout" } });
    await fake.aborted;
  });
});
