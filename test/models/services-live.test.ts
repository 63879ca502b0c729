import { describe, expect, test } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import { ask, eventsOf, modelContract, stopOf } from "../contract/model.ts";
import { anthropicAt, type Ground, openAiAt } from "../contract/providers.ts";
import { openDoor } from "../fakes/receipts.ts";
import { startServer } from "../fakes/server.ts";

const given = process.env["OLLAMA_HOST"];
const origin = given?.startsWith("http") === true ? given : `http://${given ?? "127.0.0.1:11434"}`;
const model = process.env["OLLAMA_TEST_MODEL"] ?? "smollm2:135m";

const ground: Ground = {
  clock: systemClock,
  start: startServer,
  door: (at) => openDoor([{ purpose: "model", origin: at, linksOut: false }]).door,
};

const services = {
  "OpenAI's API": openAiAt,
  "Anthropic's API": anthropicAt,
} as const;

describe.skipIf(given === undefined)("a live server (skipped unless OLLAMA_HOST names one)", () => {
  for (const [name, at] of Object.entries(services)) {
    const address = { url: at === openAiAt ? `${origin}/v1` : origin, model };
    modelContract(`${name} of a live Ollama`, () =>
      Promise.resolve({
        model: at(ground, address),
        long: ask("Count from one to one hundred in words.", { maxTokens: 400 }),
      }),
    );

    test(`a model that ${name} of a live Ollama does not have is missing`, async () => {
      const missing = at(ground, { ...address, model: "no-such-model" });
      expect(stopOf(await eventsOf(missing, ask("hi")))?.failure?.code).toBe("model.missing");
    });
  }
});
