import { readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, test } from "vitest";
import { z } from "zod";

import { systemClock } from "../../src/core/clock.ts";
import type { Model } from "../../src/core/model.ts";
import { ask, eventsOf, nowSpec, stopOf, textOf } from "../contract/model.ts";
import { anthropicAt, type Ground, openAiAt } from "../contract/providers.ts";
import { openDoor } from "../fakes/receipts.ts";
import { startServer } from "../fakes/server.ts";

// Recorded from Ollama 0.24.0 (SmolLM2 135M), which speaks both protocols at /v1/chat/completions and /v1/messages,
// November 2026. The clouds themselves could not be reached for a recording.
const recorded = (name: string): string =>
  readFileSync(path.join(import.meta.dirname, "recorded", name), "utf8");

const refusalSchema = z.object({ status: z.int(), body: z.string() });
const refusals = z
  .object({
    openai: z.record(z.string(), refusalSchema),
    anthropic: z.record(z.string(), refusalSchema),
  })
  .parse(JSON.parse(recorded("service-refusals.json")));

const ground: Ground = {
  clock: systemClock,
  start: startServer,
  door: (origin) => openDoor([{ purpose: "model", origin, linksOut: false }]).door,
};

/** A model whose server says again what was recorded, in pieces of seven bytes. */
async function replay(
  protocol: "openai" | "anthropic",
  answer: { readonly status: number; readonly body: string },
): Promise<Model> {
  const origin = await startServer((_, response) => {
    const type = answer.status === 200 ? "text/event-stream" : "application/json";
    response.writeHead(answer.status, { "content-type": type });
    const bytes = Buffer.from(answer.body);
    for (let at = 0; at < bytes.length; at += 7) response.write(bytes.subarray(at, at + 7));
    response.end();
  });
  const address = { model: "smollm2:135m", url: protocol === "openai" ? `${origin}/v1` : origin };
  return protocol === "openai" ? openAiAt(ground, address) : anthropicAt(ground, address);
}

describe("what real servers said is understood", () => {
  test.each([
    ["openai", "I'm so glad you're here! I hope it's", { promptTokens: 12 }],
    ["anthropic", "Hello! I'm here to help with any programming or coding", { promptTokens: 20 }],
  ] as const)("an answer over %s that reached its limit", async (protocol, words, counts) => {
    const body = recorded(`${protocol}-length.sse`);
    const model = await replay(protocol, { status: 200, body });
    const events = await eventsOf(model, ask("Say hello."));
    expect(textOf(events)).toContain(words.slice(0, 20));
    expect(events).toContainEqual(
      expect.objectContaining({ type: "usage", answerTokens: 12, ...counts }),
    );
    expect(stopOf(events)?.reason).toBe("length");
  });

  test.each([
    ["openai", "missing", "model.missing"],
    ["openai", "no-tools", "model.bad-request"],
    ["openai", "wrong-path", "model.address"],
    ["anthropic", "missing", "model.missing"],
    ["anthropic", "no-tools", "model.bad-request"],
    ["anthropic", "bad", "model.bad-request"],
  ] as const)("a refusal over %s: %s", async (protocol, name, code) => {
    const answer = refusals[protocol][name];
    const model = await replay(protocol, answer ?? { status: 0, body: "" });
    const events = await eventsOf(model, ask("hi", { tools: [nowSpec] }));
    expect(stopOf(events)?.failure?.code).toBe(code);
  });
});
