import { describe, expect, test } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import type { Carried } from "../../src/core/model.ts";
import { createOllamaModel } from "../../src/models/clients/ollama.ts";
import { createOllamaHost } from "../../src/models/clients/ollama-host.ts";
import { ask, eventsOf, modelContract, stopOf, textOf } from "../contract/model.ts";
import { openDoor } from "../fakes/receipts.ts";

const given = process.env["OLLAMA_HOST"];
const url = given?.startsWith("http") === true ? given : `http://${given ?? "127.0.0.1:11434"}`;

function connect(name: string, contextTokens = 2048) {
  const { door } = openDoor([{ purpose: "model", origin: new URL(url).origin, linksOut: false }]);
  const fetchFor = ({ taskId }: Carried) => door.open({ purpose: "model", taskId });
  const fetch = fetchFor({ taskId: null });
  const host = createOllamaHost({ url, fetch, pulling: fetch, clock: systemClock });
  const model = createOllamaModel({
    id: name,
    url,
    model: name,
    limits: { contextTokens, promptBudget: 2000, tools: true, bare: false, maxAnswerTokens: 100 },
    fetchFor,
    passedOn: (response) => door.passedOn(response),
    clock: systemClock,
    keepAlive: () => "1m",
    loadsAhead: () => true,
    runner: {},
    firstTokenMs: 120_000,
    loadMs: 120_000,
    idleMs: 60_000,
  });
  return { host, model };
}

/** The smallest installed model, or the one that OLLAMA_TEST_MODEL names. */
async function liveModel(): Promise<string> {
  const { host } = connect("none");
  const models = (await host.installed()).filter((model) => !model.remote);
  const smallest = models.toSorted((a, b) => a.sizeBytes - b.sizeBytes)[0];
  return process.env["OLLAMA_TEST_MODEL"] ?? smallest?.name ?? "none";
}

describe.skipIf(given === undefined)("a live Ollama (skipped unless OLLAMA_HOST names one)", () => {
  modelContract("Ollama", async () => ({
    model: connect(await liveModel()).model,
    long: ask("Tell me a very long story about a river.", { maxTokens: 2000 }),
  }));

  test("says its version", async () => {
    expect(await connect("none").host.version()).toMatch(/^\d+\.\d+/);
  });

  test("counts tokens and keeps to a schema", async () => {
    const { model } = connect(await liveModel());
    const answerSchema = {
      type: "object",
      properties: { colour: { enum: ["red", "green"] } },
      required: ["colour"],
    };
    const events = await eventsOf(model, ask("A colour?", { answerSchema }));
    expect(JSON.parse(textOf(events))).toEqual({ colour: expect.stringMatching(/red|green/) });
    expect(events.find((event) => event.type === "usage")?.promptTokens).toBeGreaterThan(5);
  });

  test("a prompt that does not fit is refused, not cut", async () => {
    const { model } = connect(await liveModel(), 512);
    const events = await eventsOf(model, ask("word ".repeat(3000)));
    expect(stopOf(events)?.failure?.code).toBe("model.context-overflow");
  });

  test("a model that is not there is one sentence with the pull", async () => {
    const events = await eventsOf(connect("no-such-model:1b").model, ask("hello"));
    expect(stopOf(events)?.failure?.sentence).toContain("run agent models pull no-such-model:1b");
  });
});
