import { describe, expect, test } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import type { Model } from "../../src/core/model.ts";
import { ask, modelContract } from "../contract/model.ts";
import { providerCases } from "../contract/provider-cases.ts";
import { type Ground, type Provider, providers } from "../contract/providers.ts";
import { openDoor } from "../fakes/receipts.ts";
import { startServer } from "../fakes/server.ts";

const ground: Ground = {
  clock: systemClock,
  start: startServer,
  door: (origin) => openDoor([{ purpose: "model", origin, linksOut: false }]).door,
};

const all = providers(ground);
const applicable = all.flatMap((provider) =>
  providerCases
    .filter(({ name }) => provider.lacks[name] === undefined)
    .map((one) => [provider.name, one.name, provider, one] as const),
);

describe("every provider passes every case that its protocol has", () => {
  test.each(applicable)("%s: %s", async (_, __, provider, one) => {
    await expect(one.run(provider)).resolves.toBeUndefined();
  });

  test("a case is left out only with a reason", () => {
    const left = all.flatMap(({ name, lacks }) => Object.keys(lacks).map((key) => [name, key]));
    expect(left).toEqual([
      ["Ollama", "wrong key"],
      ["Ollama", "refusal"],
    ]);
  });
});

async function subject(provider: Provider) {
  const { model: plain } = await provider.open("plain");
  const { model: slow } = await provider.open("slow");
  const model: Model = {
    ...plain,
    stream: (request, signal) =>
      (request.messages[0]?.text === "long" ? slow : plain).stream(request, signal),
  };
  return { model, long: ask("long") };
}

for (const provider of all.filter(({ name }) => name !== "Ollama")) {
  modelContract(`${provider.name} on a fake server`, () => subject(provider));
}
