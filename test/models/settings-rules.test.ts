import { describe, expect, test } from "vitest";

import { createModelsConfigSchema } from "../../src/models/settings-rules.ts";
import { createSpawn } from "../../src/sandbox/spawn.ts";

const schema = createModelsConfigSchema({
  spawn: createSpawn(),
  environment: {},
  agents: () => Promise.resolve(["assistant", "code"]),
});

const usual = {
  hub: "https://hub.invalid",
  hosts: {
    ollama: { kind: "ollama", url: "http://127.0.0.1:11434" },
    mac: { kind: "ollama", url: "http://192.168.1.9:11434" },
    anthropic: { kind: "anthropic" },
    own: { kind: "openai", url: "https://models.example/v1" },
  },
  deployments: {
    small: { host: "ollama", model: "qwen3:1.7b" },
    big: { host: "mac", model: "qwen3:8b" },
    sonnet: { host: "anthropic", model: "claude-sonnet-5" },
    strange: { host: "own", model: "nobody-knows-it" },
  },
  tiers: { "local-fast": ["small"], "local-smart": [["big", "small"]], "cloud-smart": ["sonnet"] },
};

/** What is wrong with the usual settings and these over them: the place and the sentence. */
async function problems(own: object): Promise<string[]> {
  const { success, error } = await schema.safeParseAsync({ ...usual, ...own });
  return success ? [] : error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
}

const tiers = (own: object) => ({ tiers: { ...usual.tiers, ...own } });

describe("what settings say together", () => {
  test("is checked, and usual ones pass, with a cloud and without", async () => {
    expect(await problems({})).toEqual([]);
    expect(await problems({ cloud: "fallback" })).toEqual([]);
  });

  test.each([
    [
      "a deployment that is not there",
      tiers({ "local-fast": ["smal"] }),
      /^tiers\.local-fast\.0: there is no deployment smal: use one of small, big, sonnet/,
    ],
    [
      "a budget of a deployment that is not there",
      { budgets: { deployments: { sonet: { day: 1 } } } },
      /^budgets\.deployments\.sonet: there is no deployment sonet: use one of small, big, sonnet/,
    ],
    [
      "a budget of an agent that is not there",
      { budgets: { agents: { coder: { day: 1 } } } },
      /^budgets\.agents\.coder: there is no agent coder: use one of assistant, code/,
    ],
    [
      "a deployment where our own instructions may not go",
      { policy: { public: ["local"] } },
      /^tiers\.local-smart\.0\.0: big is on a host of trust lan, and policy\.public lets nothing go there/,
    ],
    [
      "a tier without deployments",
      tiers({ "local-fast": [] }),
      /^tiers\.local-fast: is empty: name at least one deployment$/,
    ],
    [
      "an empty cloud tier where a cloud may be asked",
      { cloud: "when-asked", ...tiers({ "cloud-smart": [] }) },
      /^tiers\.cloud-smart: is empty/,
    ],
    [
      "a cloud in a tier of what runs at home",
      tiers({ "local-smart": ["big", "sonnet"] }),
      /^tiers\.local-smart\.1: sonnet runs in a cloud, and local-smart is for what runs at home/,
    ],
    [
      "a name that an Ollama passes on",
      {
        deployments: {
          ...usual.deployments,
          small: { host: "ollama", model: "gpt-oss:120b-cloud" },
        },
      },
      /^tiers\.local-fast\.0: small runs in a cloud/,
    ],
    [
      "a fallback that policy can never allow",
      { cloud: "fallback", policy: { public: ["local", "lan"] } },
      /^policy\.public: .*none can ever answer: add cloud to it, or set cloud to never$/,
    ],
    [
      "a host that policy keeps everything personal from",
      { policy: { personal: ["local"] } },
      /^tiers\.local-smart\.0\.0: big is on a host of trust lan, and policy\.personal lets nothing go there/,
    ],
    [
      "a choice that is never allowed",
      { use: "sonnet" },
      /^use: sonnet runs in a cloud, and cloud is never/,
    ],
    [
      "two hosts with one address",
      { hosts: { ...usual.hosts, twin: { kind: "ollama", url: "http://127.0.0.1:11434/" } } },
      /^hosts\.twin\.url: is also that of hosts\.ollama/,
    ],
    [
      "a price that nobody knows, under a cap",
      { cloud: "when-asked", ...tiers({ "cloud-smart": ["strange"] }) },
      /^deployments\.strange: what it costs is not known, .*price: \{ input: 3, output: 15 \}$/,
    ],
  ])("refuses %s, with the place and the fix", async (_, own, problem) => {
    const [first = ""] = await problems(own);
    expect(first).toMatch(problem);
  });

  test("a price of the owner's, or no cap at all, is enough", async () => {
    const cloud = { cloud: "when-asked", ...tiers({ "cloud-smart": ["strange"] }) };
    const strange = { ...usual.deployments.strange, price: { input: 1, output: 2 } };
    const priced = { ...cloud, deployments: { ...usual.deployments, strange } };
    expect(await problems(priced)).toEqual([]);
    expect(await problems({ ...cloud, budgets: { day: null, month: null } })).toEqual([]);
  });

  test("a tier may be empty where one deployment answers everything", async () => {
    expect(await problems({ use: "small", ...tiers({ "local-fast": [] }) })).toEqual([]);
  });
});
