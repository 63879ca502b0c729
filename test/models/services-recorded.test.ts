import { readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, test } from "vitest";
import { z } from "zod";

import type { Model } from "../../src/core/model.ts";
import { ask, eventsOf, nowSpec, stopOf, textOf } from "../contract/ask.ts";
import { modelContract } from "../contract/model.ts";
import { startServer } from "../fakes/server.ts";

import { modelOf } from "./services.ts";

// Each recording says in its first lines which server it comes from; none of them is Anthropic's or OpenAI's own.
const recorded = (name: string): string =>
  readFileSync(path.join(import.meta.dirname, "recorded", name), "utf8");

const { answers } = z
  .object({
    answers: z.record(
      z.string(),
      z.object({ status: z.int(), type: z.string(), body: z.string() }),
    ),
  })
  .parse(JSON.parse(recorded("service-refusals.json")));

type Kind = "anthropic" | "openai";

/** A model whose server says again what was recorded, in pieces of seven bytes. */
async function replay(
  kind: Kind,
  answer: { readonly status: number; readonly type: string; readonly body: string },
  version = "/v1",
): Promise<Model> {
  const url = await startServer((_, response) => {
    response.writeHead(answer.status, { "content-type": answer.type });
    const bytes = Buffer.from(answer.body);
    for (let at = 0; at < bytes.length; at += 7) response.write(bytes.subarray(at, at + 7));
    response.end();
  });
  return modelOf({ kind, url: url + version }, "smollm2:135m");
}

const stream = (kind: Kind, name: string): Promise<Model> =>
  replay(kind, { status: 200, type: "text/event-stream", body: recorded(`${kind}-${name}.sse`) });

describe.each(["openai", "anthropic"] as const)("a recorded stream (%s)", (kind) => {
  modelContract(`${kind} as recorded`, async () => ({
    model: await stream(kind, "end"),
    long: ask("hello"),
  }));

  test("that ended by itself", async () => {
    const events = await eventsOf(await stream(kind, "end"), ask("Say hello in one word."));
    expect(textOf(events)).toMatch(/^I.*\.$/s);
    expect(events.slice(-2)).toEqual([
      { type: "usage", promptTokens: 15, answerTokens: 25 },
      { type: "stop", reason: "end" },
    ]);
  });

  test("that was cut at its limit", async () => {
    const events = await eventsOf(await stream(kind, "length"), ask("hello"));
    expect(stopOf(events)?.reason).toBe("length");
  });

  test.each([
    ["missing", "model.missing"],
    ["tools", "model.bad-request"],
    ["cloud", "model.refused"],
    ["path", "model.address"],
  ])("refused: %s", async (name, code) => {
    const answer = answers[`${kind} ${name}`];
    if (answer === undefined) throw new Error(`nothing is recorded of ${name}`);
    const model = await replay(kind, answer, name === "path" ? "" : "/v1");
    const events = await eventsOf(model, ask("hello", { tools: [nowSpec] }));
    expect(stopOf(events)?.failure?.code).toBe(code);
  });
});

test("a recorded stream that kept to a schema", async () => {
  const events = await eventsOf(await stream("openai", "schema"), ask("A colour?"));
  expect(JSON.parse(textOf(events))).toEqual({ colour: expect.stringMatching(/red|green/) });
});

test("a recorded stream without counts has none", async () => {
  const events = await eventsOf(await stream("openai", "no-usage"), ask("hello"));
  expect(events.filter((event) => event.type === "usage")).toEqual([]);
  expect(stopOf(events)?.reason).toBe("length");
});
