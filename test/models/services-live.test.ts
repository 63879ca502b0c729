import { describe, expect, test } from "vitest";
import { z } from "zod";

import { ask, eventsOf, stopOf, textOf } from "../contract/ask.ts";
import { modelContract } from "../contract/model.ts";

import { modelOf } from "./services.ts";

const given = process.env["OLLAMA_HOST"];
const url = given?.startsWith("http") === true ? given : `http://${given ?? "127.0.0.1:11434"}`;
const { origin } = new URL(url);

const installedSchema = z.object({
  models: z.array(z.object({ name: z.string(), size: z.number() })),
});

/** The smallest installed model, or the one that OLLAMA_TEST_MODEL names. */
async function liveName(): Promise<string> {
  const response = await fetch(`${origin}/api/tags`);
  const { models } = installedSchema.parse(await response.json());
  const smallest = models.toSorted((a, b) => a.size - b.size)[0];
  return process.env["OLLAMA_TEST_MODEL"] ?? smallest?.name ?? "none";
}

// An Ollama also speaks both services' APIs: the one real server of them that can be had without a key.
describe.skipIf(given === undefined).each(["openai", "anthropic"] as const)(
  "a live Ollama as a server of kind %s (skipped unless OLLAMA_HOST names one)",
  (kind) => {
    const host = { kind, url: `${origin}/v1` };

    modelContract(kind, async () => ({
      model: await modelOf(host, await liveName()),
      long: ask("Tell me a very long story about a river.", { maxTokens: 2000 }),
    }));

    test("counts tokens", async () => {
      const events = await eventsOf(await modelOf(host, await liveName()), ask("A colour?"));
      expect(events.at(-2)).toMatchObject({ type: "usage", answerTokens: expect.any(Number) });
    });

    test("a model that is not there is one sentence with the fix", async () => {
      const events = await eventsOf(await modelOf(host, "no-such-model:1b"), ask("hello"));
      expect(stopOf(events)?.failure?.code).toBe("model.missing");
    });
  },
);

test.skipIf(given === undefined)("a live server of kind openai keeps to a schema", async () => {
  const answerSchema = {
    type: "object",
    properties: { colour: { enum: ["red", "green"] } },
    required: ["colour"],
  };
  const model = await modelOf({ kind: "openai", url: `${origin}/v1` }, await liveName());
  const events = await eventsOf(model, ask("A colour?", { answerSchema }));
  expect(JSON.parse(textOf(events))).toEqual({ colour: expect.stringMatching(/red|green/) });
});

test.skipIf(given === undefined)("a live server named without /v1 gets the fix", async () => {
  const model = await modelOf({ kind: "openai", url: origin }, "any");
  const events = await eventsOf(model, ask("hello"));
  expect(stopOf(events)?.failure?.sentence).toContain("write /v1 at the end of its url");
});
