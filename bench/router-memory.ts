// A process that makes the product's router over the shipped settings, and says how many megabytes that added.
import { readFileSync } from "node:fs";
import path from "node:path";

import { parse } from "yaml";
import { z } from "zod";

import { systemClock } from "../src/core/clock.ts";
import { modelSettingsSchema } from "../src/core/settings.ts";

const file = path.join(import.meta.dirname, "..", "config", "models.yaml");
const text = readFileSync(file, "utf8").replaceAll(/\$\{\w+:-(.*?)\}/g, "$1");
const { embedded: _, hub: _hub, ...models } = z.record(z.string(), z.unknown()).parse(parse(text));
const settings = modelSettingsSchema.parse({ ...models, cloud: "when-asked" });

function residentMb(): number {
  for (let i = 0; i < 3; i += 1) globalThis.gc?.();
  return process.memoryUsage().rss / 1024 / 1024;
}

const before = residentMb();

const { createSpawn } = await import("../src/sandbox/spawn.ts");
const { createPriceTable } = await import("../src/models/price-table.ts");
const { createPurse } = await import("../src/models/purse.ts");
const { createRouter } = await import("../src/models/router.ts");

const nothing = () => Promise.resolve(undefined);
const priceOf = createPriceTable(settings, {
  spawn: createSpawn(),
  environment: process.env,
});
const router = createRouter({
  settings,
  clock: systemClock,
  rulesFor: () => Promise.resolve(new Set()),
  purse: createPurse({
    settings,
    clock: systemClock,
    priceOf,
    timeZone: () => Promise.resolve("Europe/Amsterdam"),
    ledger: {
      reserve: nothing,
      settle: () => Promise.resolve(),
      spent: (caps) => Promise.resolve(caps.map(() => 0)),
    },
  }),
  sources: {
    installed: () => Promise.resolve([]),
    open: () => Promise.reject(new Error("nothing is asked here")),
    embedded: {
      find: nothing,
      open: () => Promise.reject(new Error("nothing is asked here")),
      obtain: () => Promise.reject(new Error("nothing is asked here")),
      offer: undefined,
      installed: true,
    },
  },
});

const prices = await Promise.all(["claude-sonnet", "gpt"].map(priceOf));
if (prices.includes(undefined)) throw new Error("a shipped deployment has no price");
await router.explain("cloud-smart");
await systemClock.sleep(500);
process.stdout.write(`${residentMb() - before}\n`);
