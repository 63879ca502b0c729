import { readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, test } from "vitest";
import { z } from "zod";

import { systemClock } from "../../src/core/clock.ts";
import type { Model } from "../../src/core/model.ts";
import { createOllamaModel } from "../../src/models/clients/ollama.ts";
import { ask, eventsOf, modelContract, nowSpec, stopOf, textOf } from "../contract/model.ts";
import { openDoor } from "../fakes/receipts.ts";
import { startServer } from "../fakes/server.ts";

// Recorded from Ollama 0.24.0 with SmolLM2 135M (Q4_1) on a CPU, November 2026.
const recorded = (name: string): string =>
  readFileSync(path.join(import.meta.dirname, "recorded", name), "utf8");

const refusals = z
  .record(z.string(), z.object({ status: z.int(), body: z.string() }))
  .parse(JSON.parse(recorded("refusals.json")));

/** A model whose host says again what was recorded, in pieces of seven bytes. */
async function replay(answer: { readonly status: number; readonly body: string }): Promise<Model> {
  const url = await startServer((request, response) => {
    if (request.url === "/api/show") {
      response.end(recorded("show.json"));
      return;
    }
    response.writeHead(answer.status);
    const bytes = Buffer.from(answer.body);
    for (let at = 0; at < bytes.length; at += 7) response.write(bytes.subarray(at, at + 7));
    response.end();
  });
  const { door } = openDoor([{ purpose: "model", origin: url, linksOut: false }]);
  return createOllamaModel({
    id: "recorded",
    url,
    model: "smollm2:135m",
    limits: {
      contextTokens: 512,
      promptBudget: 500,
      tools: true,
      bare: false,
      maxAnswerTokens: 20,
    },
    fetchFor: ({ taskId }) => door.open({ purpose: "model", taskId }),
    passedOn: (response) => door.passedOn(response),
    clock: systemClock,
    keepAlive: () => "1m",
    loadsAhead: () => true,
    runner: {},
    firstTokenMs: 10_000,
    loadMs: 10_000,
    idleMs: 10_000,
  });
}

const stream = (name: string) => replay({ status: 200, body: recorded(name) });

modelContract("Ollama as recorded", async () => ({
  model: await stream("end.ndjson"),
  long: ask("hello"),
}));

describe("a recorded stream of Ollama", () => {
  test("that ended by itself", async () => {
    const events = await eventsOf(await stream("end.ndjson"), ask("Say yes."));
    expect(textOf(events)).toMatch(/^I'm .*[.!?]$/s);
    expect(events.slice(-2)).toEqual([
      { type: "usage", promptTokens: 12, answerTokens: 47, promptMs: 142.709223 },
      { type: "stop", reason: "end" },
    ]);
  });

  test("that was cut at its limit", async () => {
    const events = await eventsOf(await stream("length.ndjson"), ask("hello"));
    expect(stopOf(events)?.reason).toBe("length");
  });

  test("that kept to a schema", async () => {
    const events = await eventsOf(await stream("schema.ndjson"), ask("A colour?"));
    expect(JSON.parse(textOf(events))).toEqual({ colour: expect.stringMatching(/red|green/) });
  });

  test.each([
    ["missing", "model.missing"],
    ["tools", "model.bad-request"],
    ["think", "model.bad-request"],
    ["overflow", "model.context-overflow"],
    ["cloud", "model.refused"],
  ])("refused: %s", async (name, code) => {
    const answer = refusals[name] ?? { status: 200, body: "" };
    const events = await eventsOf(await replay(answer), ask("hello", { tools: [nowSpec] }));
    expect(stopOf(events)?.failure?.code).toBe(code);
  });
});
