import assert from "node:assert/strict";

import type { ErrorCode } from "../../src/core/errors.ts";
import type { Model, ModelEvent, ModelRequest } from "../../src/core/model.ts";

import { ask, callsOf, eventsOf, never, nowSpec, stopOf, textOf, thoughtOf } from "./ask.ts";

/** What a case is run on. */
export interface ModelSubject {
  /** Plays what the case is about; in the cases of every model it answers in words. */
  readonly model: Model;
  /** A request whose answer is long enough to be stopped in its middle. */
  readonly long: ModelRequest;
  /** Resolves when the server has seen the client go; absent where there is no server. */
  readonly gone?: Promise<void>;
}

/** A named check that throws where the model does not hold it. */
export interface ModelCase {
  readonly name: string;
  run(subject: ModelSubject): Promise<void>;
}

/** The key that fakes refuse; no sentence may hold it. */
export const badKey = "sk-bad-key-4711";

function oneStop(events: readonly ModelEvent[]): void {
  const stops = events.filter((event) => event.type === "stop");
  assert.deepEqual(stops, [events.at(-1)], "exactly one stop, last");
  const usages = events.filter((event) => event.type === "usage");
  assert.ok(usages.length <= 1, "usage at most once");
}

/** The request fails with one of these codes, in one sentence that has these words and not the key. */
async function fails(
  { model }: ModelSubject,
  codes: readonly ErrorCode[],
  words: RegExp,
): Promise<ModelEvent[]> {
  const events = await eventsOf(model, ask("hello"));
  oneStop(events);
  const failure = stopOf(events)?.failure;
  assert.ok(failure !== undefined, "it must fail");
  assert.ok(codes.includes(failure.code), `${failure.code} is none of ${codes.join(", ")}`);
  assert.match(failure.sentence, words);
  assert.match(failure.sentence, /^[^\n]+\.$/, "one line, ended by a stop");
  assert.doesNotMatch(failure.sentence, /\{\w+\}|sk-bad|undefined/, "filled, and no key in it");
  return events;
}

async function stopsInTheMiddle(subject: ModelSubject): Promise<void> {
  const { model, long, gone } = subject;
  const abort = new AbortController();
  const events: ModelEvent[] = [];
  for await (const event of model.stream(long, abort.signal)) {
    events.push(event);
    if (event.type === "text") abort.abort();
  }
  assert.deepEqual(stopOf(events), { type: "stop", reason: "aborted" });
  await gone;
}

async function leftByItsConsumer({ model, long, gone }: ModelSubject): Promise<void> {
  for await (const event of model.stream(long, never)) if (event.type === "text") break;
  await gone;
}

/** What every model must do. */
export const basicCases: readonly ModelCase[] = [
  {
    name: "text comes in order, usage at most once, and exactly one stop, last",
    async run({ model }) {
      const events = await eventsOf(model, ask("hello"));
      assert.notEqual(textOf(events), "");
      oneStop(events);
      assert.match(stopOf(events)?.reason ?? "", /^(end|length)$/);
    },
  },
  {
    name: "an abort in the middle of an answer ends it, and the next request is answered",
    async run(subject) {
      await stopsInTheMiddle(subject);
      assert.notEqual(textOf(await eventsOf(subject.model, ask("hello"))), "");
    },
  },
  {
    name: "an abort before the start gives nothing but a stop",
    async run({ model }) {
      const events = await eventsOf(model, ask("hello"), AbortSignal.abort());
      assert.deepEqual(events, [{ type: "stop", reason: "aborted" }]);
    },
  },
  {
    name: "a consumer that stops iterating leaves the model ready for the next",
    async run(subject) {
      await leftByItsConsumer(subject);
      assert.notEqual(textOf(await eventsOf(subject.model, ask("hello"))), "");
    },
  },
  {
    name: "two requests at once are both answered",
    async run({ model }) {
      const answers = await Promise.all([
        eventsOf(model, ask("hello")),
        eventsOf(model, ask("hi")),
      ]);
      const failures = answers.map((events) => stopOf(events)?.failure);
      assert.deepEqual(failures, [undefined, undefined]);
    },
  },
];

async function whole({ model }: ModelSubject): Promise<void> {
  const events = await eventsOf(model, ask("hello"));
  oneStop(events);
  assert.equal(textOf(events), "Hello, wörld 😀.");
  const usage = events.at(-2);
  assert.ok(usage?.type === "usage");
  assert.deepEqual([usage.promptTokens, usage.answerTokens], [12, 3]);
  assert.deepEqual(stopOf(events), { type: "stop", reason: "end" });
}

async function severalTools({ model }: ModelSubject): Promise<void> {
  const request = ask("time?", { tools: [nowSpec] });
  const events = await eventsOf(model, request);
  oneStop(events);
  const toolCalls = callsOf(events);
  assert.deepEqual(
    toolCalls.map(({ name, input }) => [name, input]),
    [
      ["now", { zone: "UTC" }],
      ["now", {}],
    ],
  );
  assert.equal(new Set(toolCalls.map(({ id }) => id)).size, 2);
  assert.equal(stopOf(events)?.reason, "toolCalls");
  const results = toolCalls.map(
    ({ id, name }) => ({ role: "tool", callId: id, name, text: "noon" }) as const,
  );
  const said = { role: "assistant", text: textOf(events), toolCalls } as const;
  const next = { ...request, messages: [...request.messages, said, ...results] };
  assert.equal(stopOf(await eventsOf(model, next))?.failure, undefined, "results go back");
}

/** What a model of a service must do besides; each is run on the scenario of its name. */
export const serviceCases: readonly ModelCase[] = [
  { name: "text", run: whole },
  { name: "several tools in a turn", run: severalTools },
  {
    name: "thinking",
    async run({ model }) {
      const events = await eventsOf(model, ask("2+2?"));
      assert.deepEqual([textOf(events), thoughtOf(events)], ["Four.", "Hmm."]);
      assert.equal(stopOf(events)?.reason, "end");
    },
  },
  { name: "unicode cut across chunks", run: whole },
  { name: "cancel in the middle", run: stopsInTheMiddle },
  { name: "consumer leaves", run: leftByItsConsumer },
  {
    name: "stream cut",
    async run(subject) {
      const events = await fails(subject, ["model.truncated"], /broke off.*: try again/);
      assert.equal(textOf(events), "Half an");
    },
  },
  {
    name: "connection reset",
    run: async (subject) => void (await fails(subject, ["model.truncated"], /broke off/)),
  },
  {
    name: "error in the stream",
    async run(subject) {
      const codes = ["model.failed", "model.rate-limit", "model.protocol"] as const;
      const events = await fails(subject, codes, /try again|check that/);
      assert.equal(textOf(events), "Half an");
    },
  },
  {
    name: "rate limit",
    async run(subject) {
      await fails(subject, ["model.rate-limit"], /too many requests.*: try again in 7 seconds\./);
    },
  },
  {
    name: "wrong key",
    async run(subject) {
      await fails(
        subject,
        ["model.wrong-key"],
        /does not accept the key \w+_KEY: .*run agent setup --key/,
      );
    },
  },
  {
    name: "revoked key",
    run: async (subject) =>
      void (await fails(subject, ["model.wrong-key"], /revoked.*run agent setup --key/)),
  },
  {
    name: "no key",
    run: async (subject) =>
      void (await fails(subject, ["model.no-key"], /run agent setup --key \w+_KEY/)),
  },
  {
    name: "context too long",
    run: async (subject) => void (await fails(subject, ["model.context-overflow"], /--new/)),
  },
  {
    name: "answer cut at its limit",
    async run({ model }) {
      const events = await eventsOf(model, ask("hello"));
      assert.deepEqual(stopOf(events), { type: "stop", reason: "length" });
    },
  },
  {
    name: "refusal",
    run: async (subject) => void (await fails(subject, ["model.refusal"], /declines.*: ask/)),
  },
  {
    name: "model that does not exist",
    async run(subject) {
      await fails(subject, ["model.missing"], /missing is not on .*: (write the name|run agent)/);
    },
  },
  {
    name: "base address without /v1",
    run: async (subject) => void (await fails(subject, ["model.address"], /write \/v1 at the end/)),
  },
  {
    name: "server answers HTML",
    async run(subject) {
      const codes = ["model.address", "model.protocol"] as const;
      await fails(subject, codes, /correct its url|the address in .* is right/);
    },
  },
  {
    name: "server is off",
    run: async (subject) => void (await fails(subject, ["model.unavailable"], /start it/)),
  },
];
