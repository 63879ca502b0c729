import { readFileSync } from "node:fs";
import path from "node:path";

import { calcPrice } from "@pydantic/genai-prices";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

import type { TokenUsage } from "../../../src/core/model.ts";
import { modelSettingsSchema } from "../../../src/core/settings.ts";
import { createPriceTable } from "../../../src/models/price-table.ts";
import {
  costOf,
  ownPrice,
  type Price,
  type Rate,
  worstCost,
} from "../../../src/models/routing/prices.ts";
import { createSpawn } from "../../../src/sandbox/spawn.ts";

const shipped = z
  .record(z.string(), z.unknown())
  .parse(
    parse(
      readFileSync(
        path.join(import.meta.dirname, "../../../config/models.yaml"),
        "utf8",
      ).replaceAll(/\$\{\w+:-(.*?)\}/g, "$1"),
    ),
  );
const { embedded: _, hub: _hub, ...models } = shipped;
const shippedSettings = modelSettingsSchema.parse(models);

/** Services and models beside the shipped ones: with tiers, with a cache that costs extra, without a cache's price. */
const others = {
  anthropic: {
    kind: "anthropic",
    models: ["claude-sonnet-4-5", "claude-opus-5-5", "claude-haiku-4-5"],
  },
  openai: {
    kind: "openai",
    url: "https://api.openai.com/v1",
    models: ["gpt-5.5-pro", "gpt-5-mini"],
  },
  google: {
    kind: "openai",
    url: "https://generativelanguage.googleapis.com/v1beta/openai",
    models: ["gemini-2.5-pro", "gemini-3-pro-preview"],
  },
  openrouter: {
    kind: "openai",
    url: "https://openrouter.ai/api/v1",
    models: ["anthropic/claude-sonnet-4.5"],
  },
  mistral: { kind: "openai", url: "https://api.mistral.ai/v1", models: ["mistral-large-latest"] },
  deepseek: { kind: "openai", url: "https://api.deepseek.com", models: ["deepseek-chat"] },
} as const;

const otherSettings = modelSettingsSchema.parse({
  hosts: Object.fromEntries(
    Object.entries(others).map(([name, { models: _models, ...host }]) => [name, host]),
  ),
  deployments: Object.fromEntries(
    Object.entries(others).flatMap(([host, { models: names }]) =>
      names.map((model) => [model.replaceAll("/", "-"), { host, model }]),
    ),
  ),
  tiers: {},
});

interface Deployment {
  readonly id: string;
  readonly model: string;
  readonly url: string;
}

function inCloud({ hosts, deployments }: typeof shippedSettings): Deployment[] {
  return Object.entries(deployments).flatMap(([id, { host, model }]) => {
    const settled = hosts[host];
    const isFar = settled !== undefined && "url" in settled && settled.kind !== "ollama";
    return isFar ? [{ id, model, url: settled.url }] : [];
  });
}

const deps = { spawn: createSpawn(), environment: process.env };

const tableOf = {
  shipped: createPriceTable(shippedSettings, deps),
  others: createPriceTable(otherSettings, deps),
} as const;

const all = [
  ...inCloud(shippedSettings).map((one) => ({ ...one, table: "shipped" as const })),
  ...inCloud(otherSettings).map((one) => ({ ...one, table: "others" as const })),
];

/** Tokens as a service reports them: what was cached and written are parts of the prompt. */
const anyTokens = fc
  .record({
    promptTokens: fc.oneof(
      fc.nat(5000),
      fc.nat(400_000),
      fc.constantFrom(200_000, 200_001, 271_999, 272_000),
    ),
    answerTokens: fc.nat(20_000),
    cached: fc.nat(100),
    written: fc.nat(100),
  })
  .map(({ promptTokens, answerTokens, cached, written }) => {
    const cachedTokens = Math.floor((promptTokens * cached) / 100);
    const cacheWrittenTokens = Math.floor(((promptTokens - cachedTokens) * written) / 100);
    return { promptTokens, answerTokens, cachedTokens, cacheWrittenTokens };
  });

function expected({ model, url }: Deployment, tokens: Required<Omit<TokenUsage, "costUsd">>) {
  const usage = {
    input_tokens: tokens.promptTokens,
    output_tokens: tokens.answerTokens,
    cache_read_tokens: tokens.cachedTokens,
    cache_write_tokens: tokens.cacheWrittenTokens,
  };
  return calcPrice(usage, model, { providerApiUrl: url })?.total_price;
}

async function known(table: keyof typeof tableOf, id: string): Promise<Price> {
  const price = await tableOf[table](id);
  if (price === undefined) throw new Error(`nobody knows what ${id} costs`);
  return price;
}

describe("what a request costs", () => {
  test.each(all)("is what the table says: $id", async ({ table, ...deployment }) => {
    const price = await known(table, deployment.id);
    fc.assert(
      fc.property(anyTokens, (tokens) => {
        expect(costOf(price, tokens)).toBeCloseTo(expected(deployment, tokens) ?? Number.NaN, 9);
      }),
      { numRuns: 200 },
    );
  });

  test("every shipped deployment in a cloud has a price, and some of the others have tiers", async () => {
    expect(inCloud(shippedSettings).map(({ id }) => id)).toEqual(["claude-sonnet", "gpt"]);
    const prices = await Promise.all(all.map(({ table, id }) => known(table, id)));
    expect(prices.filter(({ input }) => input.tiers.length > 0).length).toBeGreaterThan(3);
    expect(new Set(prices.map(({ source }) => source))).toEqual(new Set(["table"]));
  });

  test("is unknown for a model that nobody knows, and for one at home", async () => {
    const settings = modelSettingsSchema.parse({
      hosts: {
        far: { kind: "openai", url: "https://api.openai.com/v1" },
        near: { kind: "openai", url: "http://127.0.0.1:1234/v1" },
      },
      deployments: {
        unknown: { host: "far", model: "nobody-knows-this" },
        mine: { host: "near", model: "gpt-5.5" },
      },
      tiers: {},
    });
    const priceOf = createPriceTable(settings, deps);
    expect([await priceOf("unknown"), await priceOf("mine"), await priceOf("none")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("is the owner's own price where there is one, before the table's", async () => {
    const settings = modelSettingsSchema.parse({
      hosts: { openai: { kind: "openai", url: "https://api.openai.com/v1" } },
      deployments: {
        mine: { host: "openai", model: "gpt-5.5", price: { input: 1, output: 2, cache_read: 0.5 } },
      },
      tiers: {},
    });
    const price = await createPriceTable(settings, deps)("mine");
    expect(price).toMatchObject({ source: "settings" });
    if (price === undefined) throw new Error("no price");
    const tokens = {
      promptTokens: 3_000_000,
      cachedTokens: 1_000_000,
      cacheWrittenTokens: 1_000_000,
    };
    expect(costOf(price, tokens)).toBeCloseTo(1 + 0.5 + 1);
    expect(costOf(price, { answerTokens: 500_000 })).toBeCloseTo(1);
    expect(costOf(price, {})).toBe(0);
  });

  test("is asked for again where the table could not be read", async () => {
    let times = 0;
    const spawn: typeof deps.spawn = (options) => {
      times += 1;
      const args = times === 1 ? ["--no-such-option"] : options.args;
      return deps.spawn({ ...options, args });
    };
    const priceOf = createPriceTable(shippedSettings, { ...deps, spawn });
    await expect(priceOf("gpt")).rejects.toThrow(/could not be read: .*--no-such-option/s);
    expect(await priceOf("gpt")).toMatchObject({ source: "table" });
    expect([await priceOf("claude-sonnet"), times]).toMatchObject([{ source: "table" }, 2]);
  });

  test("is nothing where the owner says so", () => {
    const deployment = shippedSettings.deployments["gpt"];
    if (deployment === undefined) throw new Error("no such deployment");
    const price = ownPrice({ ...deployment, price: { input: 0, output: 0 } });
    expect(price).toBeDefined();
    expect(ownPrice(deployment)).toBeUndefined();
  });
});

/** Prices that rise with the prompt, as services have them. */
const anyRate = fc
  .tuple(fc.float({ min: 0, max: 100, noNaN: true }), fc.array(fc.nat(50), { maxLength: 2 }))
  .map(([base, steps]): Rate => {
    let price = base;
    return {
      base,
      tiers: steps.map((step, at) => ({ start: (at + 1) * 1000, price: (price += step) })),
    };
  });

const anyPrice: fc.Arbitrary<Price> = fc
  .record({
    input: anyRate,
    output: anyRate,
    cacheRead: fc.option(anyRate),
    cacheWrite: fc.option(anyRate),
  })
  .map(({ input, output, cacheRead, cacheWrite }) => ({
    input,
    output,
    ...(cacheRead === null ? {} : { cacheRead }),
    ...(cacheWrite === null ? {} : { cacheWrite }),
    source: "table",
  }));

describe("the most that a request may cost", () => {
  const share = fc.integer({ min: 0, max: 100 });

  test("is never less than what any answer within its limits costs", () => {
    fc.assert(
      fc.property(
        anyPrice,
        fc.record({ prompt: fc.nat(5000), answer: fc.nat(5000) }),
        fc.tuple(share, share, share, share),
        (price, most, [prompt, answer, cached, written]) => {
          const promptTokens = Math.floor((most.prompt * prompt) / 100);
          const cachedTokens = Math.floor((promptTokens * cached) / 100);
          const tokens = {
            promptTokens,
            answerTokens: Math.floor((most.answer * answer) / 100),
            cachedTokens,
            cacheWrittenTokens: Math.floor(((promptTokens - cachedTokens) * written) / 100),
          };
          const worst = worstCost(price, most.prompt, most.answer);
          expect(costOf(price, tokens)).toBeLessThanOrEqual(worst * (1 + 1e-12));
        },
      ),
      { numRuns: 1000 },
    );
  });

  test.each(all)(
    "is what a whole answer to an uncached prompt costs at least: $id",
    async ({ table, id }) => {
      const price = await known(table, id);
      const tokens = { promptTokens: 1000, answerTokens: 100 };
      expect(worstCost(price, 1000, 100)).toBeGreaterThanOrEqual(costOf(price, tokens));
      expect(worstCost(price, 1000, 100)).toBeLessThan(costOf(price, tokens) * 1.3);
    },
  );
});
