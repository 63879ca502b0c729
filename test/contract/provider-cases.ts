import assert from "node:assert/strict";

import { ask, eventsOf, nowSpec, stopOf, textOf } from "./model.ts";
import type { Opened, Provider } from "./providers.ts";

/** One thing that every provider must do; `run` throws where it does not. */
export interface ProviderCase {
  readonly name: string;
  run(provider: Provider): Promise<void>;
}

async function failsWith(provider: Provider, scenario: string, code: string): Promise<void> {
  const { model } = await provider.open(scenario);
  const stop = stopOf(await eventsOf(model, ask("hello")));
  assert.equal(stop?.failure?.code, provider.codes[scenario] ?? code);
  assert.equal(stop?.reason, "error");
}

async function saysHello({ model }: Opened): Promise<void> {
  const events = await eventsOf(model, ask("hello"));
  assert.equal(textOf(events), "Hello, wörld 😀.");
  assert.deepEqual(events.at(-1), { type: "stop", reason: "end" });
  const counts = events.filter((event) => event.type === "usage");
  assert.equal(counts.length, 1);
  assert.equal(counts[0]?.promptTokens, 12);
  assert.equal(counts[0]?.answerTokens, 3);
}

/** What the contract asks of every provider, in the order of the table. */
export const providerCases: readonly ProviderCase[] = [
  { name: "text", run: async (provider) => saysHello(await provider.open("plain")) },
  {
    name: "several tools in a turn",
    async run(provider) {
      const { model } = await provider.open("tools");
      const events = await eventsOf(model, ask("time?", { tools: [nowSpec] }));
      const calls = events.flatMap((event) => (event.type === "toolCall" ? [event.call] : []));
      const inputs = calls.map(({ name, input }) => `${name} ${JSON.stringify(input)}`);
      assert.deepEqual(inputs.toSorted(), ['now {"zone":"UTC"}', "now {}"]);
      assert.equal(new Set(calls.map(({ id }) => id)).size, 2);
      assert.equal(textOf(events), "Let me look.");
      assert.equal(stopOf(events)?.reason, "toolCalls");
    },
  },
  {
    name: "thinking",
    async run(provider) {
      const { model } = await provider.open("thinking");
      const events = await eventsOf(model, ask("2+2?"));
      assert.equal(textOf(events), "Four.");
      const thought = events.map((event) => (event.type === "thinking" ? event.text : ""));
      assert.equal(thought.join(""), "Hmm.");
    },
  },
  {
    name: "unicode cut across chunks",
    run: async (provider) => saysHello(await provider.open("plain-bytes")),
  },
  {
    name: "cancel in the middle",
    async run(provider) {
      const { model, aborted } = await provider.open("slow");
      const abort = new AbortController();
      const events = [];
      for await (const event of model.stream(ask("hello"), abort.signal)) {
        events.push(event);
        if (event.type === "text") abort.abort();
      }
      assert.deepEqual(events.at(-1), { type: "stop", reason: "aborted" });
      await aborted;
    },
  },
  {
    name: "a consumer that stops iterating",
    async run(provider) {
      const { model, aborted } = await provider.open("slow");
      const stream = model.stream(ask("hello"), new AbortController().signal);
      for await (const event of stream) if (event.type === "text") break;
      await aborted;
    },
  },
  { name: "stream cut", run: (provider) => failsWith(provider, "cut", "model.truncated") },
  { name: "connection broken", run: (provider) => failsWith(provider, "reset", "model.truncated") },
  {
    name: "error in the stream",
    run: (provider) => failsWith(provider, "error-line", "model.failed"),
  },
  { name: "rate limit", run: (provider) => failsWith(provider, "rate-limit", "model.rate-limit") },
  {
    name: "wrong key",
    async run(provider) {
      const { model } = await provider.open("plain", "sk-revoked-9876543210");
      const failure = stopOf(await eventsOf(model, ask("hello")))?.failure;
      assert.equal(failure?.code, "model.wrong-key");
      assert.match(failure?.sentence ?? "", /TEST_API_KEY: it is mistyped or revoked/);
      assert.doesNotMatch(failure?.sentence ?? "", /sk-revoked/);
    },
  },
  {
    name: "context too long",
    run: (provider) => failsWith(provider, "overflow", "model.context-overflow"),
  },
  { name: "refusal", run: (provider) => failsWith(provider, "refusal", "model.refusal") },
  { name: "unknown model", run: (provider) => failsWith(provider, "missing", "model.missing") },
  {
    name: "cut at the limit",
    async run(provider) {
      const { model } = await provider.open("length");
      const events = await eventsOf(model, ask("hello"));
      assert.equal(textOf(events), "Too lo");
      assert.equal(stopOf(events)?.reason, "length");
    },
  },
];
