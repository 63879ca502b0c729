import { describe, expect, test } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import { AppError } from "../../src/core/errors.ts";
import type { Model } from "../../src/core/model.ts";
import type { TierName } from "../../src/core/route.ts";
import type { RoutedEvent } from "../../src/core/router.ts";
import { type ModelSettings, modelSettingsSchema } from "../../src/core/settings.ts";
import type { Found, Sources } from "../../src/models/candidates.ts";
import type { Installed } from "../../src/models/clients/ollama-host.ts";
import { createRouter } from "../../src/models/router.ts";
import { createScriptedModel, type ScriptedReply } from "../../src/models/clients/scripted.ts";
import { createHurriedClock } from "../fakes/clock.ts";
import { askWith, freePurse, noRules } from "../fakes/router.ts";

function model(id: string, reply: ScriptedReply = { text: `I am ${id}.` }): Model {
  return createScriptedModel({
    id,
    script: { scenes: [{ replies: [reply] }] },
    clock: systemClock,
  });
}

const settings: ModelSettings = modelSettingsSchema.parse({
  hosts: {
    ollama: { kind: "ollama", url: "http://127.0.0.1:11434" },
    far: { kind: "anthropic" },
    near: { kind: "openai", url: "http://127.0.0.1:1234/v1" },
  },
  deployments: {
    small: { host: "ollama", model: "qwen3:1.7b" },
    big: { host: "ollama", model: "qwen3:8b" },
    sonnet: { host: "far", model: "claude-sonnet-5" },
    studio: { host: "near", model: "any" },
  },
  tiers: { "local-fast": ["small"], "local-smart": ["big", "small"], "cloud-smart": ["sonnet"] },
});

function installed(name: string, own: Partial<Installed> = {}): Installed {
  return { name, sizeBytes: 1000, tools: true, remote: false, ...own };
}

const nothing: Sources = {
  installed: () =>
    Promise.reject(new AppError("model.unavailable", { host: "ollama", problem: "off" })),
  open: (id) => Promise.resolve(model(id)),
  embedded: {
    find: () => Promise.resolve(undefined),
    open: (name) => Promise.resolve(model(name)),
    obtain: () => Promise.resolve(model("starter")),
    offer: undefined,
    installed: true,
  },
};

async function route(
  own: Partial<Sources>,
  ask: { tier?: TierName; forced?: boolean; settings?: Partial<ModelSettings> } = {},
): Promise<RoutedEvent[]> {
  const { tier = "local-fast", forced = false } = ask;
  const router = createRouter({
    settings: { ...settings, ...ask.settings },
    sources: { ...nothing, ...own },
    clock: createHurriedClock(),
    purse: freePurse,
    rulesFor: noRules,
  });
  return Array.fromAsync(router.stream(askWith({ tier, forced }), new AbortController().signal));
}

function chosen(events: readonly RoutedEvent[]): string[] {
  return events.flatMap((event) => (event.type === "chosen" ? [event.deployment] : []));
}

function failure(events: readonly RoutedEvent[]): string | undefined {
  const last = events.at(-1);
  return last?.type === "stop" ? last.failure?.code : "no stop";
}

test("a request that is stopped while a host lists what it has is over at once", async () => {
  const stop = new AbortController();
  const asked = Promise.withResolvers<void>();
  const router = createRouter({
    settings,
    sources: {
      ...nothing,
      installed() {
        asked.resolve();
        return new Promise(() => {});
      },
    },
    clock: createHurriedClock(),
    purse: freePurse,
    rulesFor: noRules,
  });
  const events = Array.fromAsync(router.stream(askWith({}), stop.signal));
  await asked.promise;
  stop.abort();
  expect((await events).at(-1)).toEqual({ type: "stop", reason: "aborted" });
});

test("a deployment that failed is not tried again where another list names it", async () => {
  const opened: string[] = [];
  const open = (id: string) => {
    opened.push(id);
    return Promise.reject(new AppError("model.unavailable", { host: id, problem: "off" }));
  };
  const installedHere = () => Promise.resolve([installed("qwen3:1.7b"), installed("qwen3:8b")]);
  const embedded = { ...nothing.embedded, obtain: () => open("starter") };
  await route({ installed: installedHere, open, embedded });
  expect(opened).toEqual(["small", "big"]);
});

describe("which model answers", () => {
  const both = () => Promise.resolve([installed("qwen3:1.7b"), installed("qwen3:8b")]);

  test("what the owner set goes before everything, and a forced tier before that", async () => {
    const own = { settings: { use: "big" } };
    expect(chosen(await route({ installed: both }, own))).toEqual(["big"]);
    const forced = { ...own, tier: "local-fast", forced: true } as const;
    expect(chosen(await route({ installed: both }, forced))).toEqual(["small"]);
  });

  test("what the owner set is looked up in its host's list like any other", async () => {
    const list = [installed("qwen3:1.7b"), installed("qwen3:8b", { remote: true })];
    const events = await route({ installed: () => list }, { settings: { use: "big" } });
    expect(chosen(events)).toEqual(["small"]);
    expect(events[0]).toMatchObject({ notice: expect.stringContaining("it runs in a cloud") });
  });

  test("the tier's list goes in its order, past what is not installed", async () => {
    expect(chosen(await route({ installed: both }, { tier: "local-smart" }))).toEqual(["big"]);
    const one = { installed: () => Promise.resolve([installed("qwen3:1.7b")]) };
    expect(chosen(await route(one, { tier: "local-smart" }))).toEqual(["small"]);
  });

  test("another installed model with tools stands in, and it is said how to get the right one", async () => {
    const list = [
      installed("huge", { sizeBytes: 9000 }),
      installed("tiny", { sizeBytes: 10, tools: false }),
      installed("far", { sizeBytes: 20, remote: true }),
      installed("little", { sizeBytes: 500 }),
    ];
    const own = { installed: () => Promise.resolve(list) };
    const fast = await route(own);
    expect(chosen(fast)).toEqual(["ollama/little"]);
    expect(fast[0]).toMatchObject({
      notice: expect.stringContaining("agent models pull qwen3:1.7b"),
    });
    expect(chosen(await route(own, { tier: "local-smart" }))).toEqual(["ollama/huge"]);
  });

  test("without a host a model file here answers, else one is obtained", async () => {
    const found = { name: "my-file", notice: "a toy" };
    const embedded = { ...nothing.embedded, find: () => Promise.resolve(found) };
    expect(chosen(await route({ embedded }))).toEqual(["my-file"]);
    const offering = { ...nothing.embedded, offer: "a download" };
    expect(chosen(await route({ embedded: offering }))).toEqual(["starter"]);
  });

  test("an install without the engine says so, and downloads nothing for it", async () => {
    const embedded = { ...nothing.embedded, offer: "a download", installed: false };
    const last = (await route({ embedded })).at(-1);
    expect(last).toMatchObject({
      failure: { code: "model.none", sentence: expect.stringContaining("engine is not installed") },
    });
  });

  test("with nothing to be had there is one sentence with the ways to a model", async () => {
    expect(failure(await route({}))).toBe("model.none");
  });

  test("a cloud that is not allowed is refused by name, and nothing else answers in its place", async () => {
    const events = await route({ installed: both }, { tier: "cloud-smart", forced: true });
    expect([chosen(events), failure(events)]).toEqual([[], "model.refused"]);
  });

  test("a cloud that is allowed answers who asks for it, and nobody else", async () => {
    const allowed = { settings: { cloud: "when-asked" } } as const;
    const asked = { ...allowed, tier: "cloud-smart", forced: true } as const;
    expect(chosen(await route({ installed: both }, asked))).toEqual(["sonnet"]);
    expect(chosen(await route({ installed: both }, { ...allowed, tier: "cloud-smart" }))).toEqual([
      "big",
    ]);
    const tiers = {
      "local-fast": ["sonnet", "small"],
      "local-smart": [],
      "cloud-smart": ["sonnet"],
    };
    const listed = { settings: { cloud: "when-asked", tiers } } as const;
    expect(chosen(await route({ installed: both }, listed))).toEqual(["small"]);
  });

  test("the owner's own choice of a cloud is not obeyed unasked, and the person is told why", async () => {
    const own = { settings: { use: "sonnet", cloud: "when-asked" } } as const;
    const [first] = await route({ installed: both }, own);
    expect(first).toMatchObject({
      deployment: "small",
      notice: expect.stringMatching(
        /runs in a cloud.*add --tier cloud, or begin with @cloud\. small is tried instead\.$/,
      ),
    });
  });

  test("a server of OpenAI's API at home needs no permission, one elsewhere does", async () => {
    const at = (url: string) =>
      modelSettingsSchema.parse({
        hosts: { server: { kind: "openai", url } },
        deployments: { mine: { host: "server", model: "m" } },
        tiers: { "local-fast": ["mine"] },
      });
    const home = ["http://127.0.0.1:1234/v1", "http://192.168.1.5:8080/v1"];
    for (const url of home)
      expect(chosen(await route({}, { settings: at(url) }))).toEqual(["mine"]);
    const far = await route({}, { settings: at("https://openrouter.ai/api/v1") });
    expect([chosen(far), failure(far)]).toEqual([[], "model.refused"]);
  });

  test("an agent's own cloud tier is answered here while no cloud is allowed", async () => {
    expect(chosen(await route({ installed: both }, { tier: "cloud-smart" }))).toEqual(["big"]);
  });
});

describe("a deployment in a cloud", () => {
  const asked = { tier: "cloud-smart", forced: true } as const;
  const allowed = { cloud: "when-asked" } as const;
  const sentence = (events: readonly RoutedEvent[]): string | undefined => {
    const last = events.at(-1);
    return last?.type === "stop" ? last.failure?.sentence : undefined;
  };

  test("answers where the owner allowed it and the request asked for it", async () => {
    expect(chosen(await route({}, { ...asked, settings: allowed }))).toEqual(["sonnet"]);
  });

  test("is told nothing until the owner allows it, and the sentence says how", async () => {
    expect(sentence(await route({}, asked))).toContain(
      "run agent config set models.cloud when-asked",
    );
  });

  test.each([
    ["as the owner's own choice", { use: "sonnet" }],
    [
      "in the list of a local tier",
      { tiers: { "local-fast": ["sonnet"], "local-smart": [], "cloud-smart": [] } },
    ],
  ])("is told nothing %s unless the request asks for the cloud", async (_, own) => {
    const events = await route({}, { settings: { ...allowed, ...own } });
    expect([chosen(events), failure(events)]).toEqual([[], "model.refused"]);
    expect(sentence(events)).toContain("add --tier cloud");
  });

  test("is not what a server on this machine is, whatever it speaks", async () => {
    const tiers = { "local-fast": ["studio"], "local-smart": [], "cloud-smart": ["studio"] };
    expect(chosen(await route({}, { settings: { tiers } }))).toEqual(["studio"]);
    expect(chosen(await route({}, { ...asked, settings: { tiers } }))).toEqual(["studio"]);
  });

  test("is also what a local Ollama would pass on, through whatever it is asked", async () => {
    const deployments = { far: { ...settings.deployments["studio"], model: "qwen3:cloud" } };
    const tiers = { "local-fast": ["far"], "local-smart": [], "cloud-smart": [] };
    const own = modelSettingsSchema.parse({ hosts: settings.hosts, deployments, tiers });
    expect(failure(await route({}, { settings: own }))).toBe("model.refused");
  });

  test("that fails is replaced by a model here and never by a toy, and the person is told", async () => {
    const open = () => Promise.reject(new AppError("model.no-key", { host: "far", key: "K" }));
    const here = (found: Found) => ({ ...nothing.embedded, find: () => Promise.resolve(found) });
    const toy = here({ name: "my-file", notice: "a toy" });
    const own = { ...asked, settings: allowed };
    const none = await route({ open, embedded: toy }, own);
    expect([chosen(none), failure(none)]).toEqual([[], "model.no-key"]);
    const events = await route({ open, embedded: here({ name: "my-file" }) }, own);
    expect(events.find((event) => event.type === "chosen")).toMatchObject({
      deployment: "my-file",
      notice: expect.stringMatching(/wants a key.*my-file is tried instead\.$/),
    });
  });
});

describe("when a deployment fails", () => {
  const both = () => Promise.resolve([installed("qwen3:1.7b"), installed("qwen3:8b")]);
  const opening = (reply: ScriptedReply) => (id: string) =>
    Promise.resolve(id === "big" ? model(id, reply) : model(id));

  test("before its first token, the next one answers and both tries are on record", async () => {
    const open = opening({ failure: "model.timeout" });
    const told = await route({ installed: both, open }, { tier: "local-smart" });
    expect(told.findLast((event) => event.type === "chosen")).toMatchObject({
      notice: expect.stringContaining("small is tried instead."),
    });
    const events = await route({ installed: both, open }, { tier: "local-smart" });
    expect(chosen(events)).toEqual(["big", "small"]);
    const tries = events.flatMap((event) => (event.type === "attempt" ? [event.attempt] : []));
    expect(tries.map(({ deployment, outcome }) => [deployment, outcome])).toEqual([
      ["big", "model.timeout"],
      ["small", "ok"],
    ]);
    expect(events.filter((event) => event.type === "stop")).toHaveLength(1);
  });

  test("in the middle of its answer, it is tried again and then the next one begins anew", async () => {
    const open = opening({ text: "Half an", failure: "model.truncated" });
    const events = await route({ installed: both, open }, { tier: "local-smart" });
    expect([chosen(events), failure(events)]).toEqual([["big", "big", "big", "small"], undefined]);
    const last = events.slice(events.findLastIndex((event) => event.type === "chosen"));
    expect(last.flatMap((event) => (event.type === "text" ? [event.text] : []))).toEqual([
      "I am small.",
    ]);
  });

  test("a request that no other could answer either is not tried elsewhere", async () => {
    const open = opening({ failure: "model.bad-request" });
    const events = await route({ installed: both, open }, { tier: "local-smart" });
    expect([chosen(events), failure(events)]).toEqual([["big"], "model.bad-request"]);
  });

  test("a model that cannot be made ready counts as a try", async () => {
    const open = (id: string): Promise<Model> =>
      id === "big" ? Promise.reject(new AppError("engine.missing")) : Promise.resolve(model(id));
    const events = await route({ installed: both, open }, { tier: "local-smart" });
    expect(chosen(events)).toEqual(["small"]);
  });
});
