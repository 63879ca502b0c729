import { expect, test } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import type { Model } from "../../src/core/model.ts";
import { modelSettingsSchema } from "../../src/core/settings.ts";
import type { Found, Sources } from "../../src/models/candidates.ts";
import { createRouter } from "../../src/models/router.ts";
import { createScriptedModel } from "../../src/models/clients/scripted.ts";
import { createHurriedClock } from "../fakes/clock.ts";
import { askWith, freePurse, noRules } from "../fakes/router.ts";

/** One model of a host, in both tiers of a home, and one in a cloud that is not allowed. */
const settings = modelSettingsSchema.parse({
  hosts: { ollama: { kind: "ollama", url: "http://127.0.0.1:9" }, far: { kind: "anthropic" } },
  deployments: {
    small: { host: "ollama", model: "qwen3:1.7b" },
    sonnet: { host: "far", model: "claude-sonnet-5" },
  },
  tiers: { "local-fast": ["small"], "local-smart": ["small"], "cloud-smart": ["sonnet"] },
});

function model(id: string): Promise<Model> {
  const script = { scenes: [{ replies: [{ text: `I am ${id}.` }] }] };
  return Promise.resolve(createScriptedModel({ id, script, clock: systemClock }));
}

/** A router over that, with this model in the program, or this one to be downloaded. */
function routerWith(own: { readonly here?: Found; readonly offer?: string }) {
  const { here, offer } = own;
  const listed = { name: "qwen3:1.7b", sizeBytes: 1000, tools: true, remote: false };
  const sources: Sources = {
    installed: () => [listed],
    open: model,
    embedded: {
      find: () => Promise.resolve(here),
      open: model,
      obtain: () => model("downloaded"),
      offer,
      installed: true,
    },
  };
  const clock = createHurriedClock();
  return createRouter({ settings, sources, clock, purse: freePurse, rulesFor: noRules });
}

test.each([
  ["the same one before a toy", { here: { name: "starter", notice: "a toy" } }, "small"],
  ["the same one before a download", { offer: "downloaded once" }, "small"],
  ["another one that is as good", { here: { name: "qwen3-4b" } }, "qwen3-4b"],
])("what is asked again is answered by %s", async (_, own, expected) => {
  const asked = askWith({ avoid: "small" });
  const events = await Array.fromAsync(routerWith(own).stream(asked, new AbortController().signal));
  const chosen = events.flatMap((event) => (event.type === "chosen" ? event.deployment : []));
  expect(chosen).toEqual([expected]);
});

test("what a tier would do names each model once, and no name twice", async () => {
  const router = routerWith({ here: { name: "starter", notice: "a toy" } });
  expect(await router.explain("local-fast")).toEqual([
    { deployment: "small", tier: "local-fast", reason: "listed in local-fast", usable: true },
    {
      deployment: "starter",
      tier: "embedded",
      reason: "a model file on this machine",
      usable: true,
    },
  ]);
  expect(await router.explain("cloud-smart")).toMatchObject([
    { deployment: "sonnet", reason: expect.stringMatching(/^nothing is sent to a cloud until/) },
  ]);
});
