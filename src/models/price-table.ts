import { Worker } from "node:worker_threads";

import { z } from "zod";

import type { ModelSettings } from "#core/settings.ts";

import { trustOfDeployment } from "./candidates.ts";
import { ownPrice, type Price, type Rate } from "./routing/prices.ts";

const rateSchema = z
  .union([
    z.number(),
    z.object({
      base: z.number(),
      tiers: z.array(z.object({ start: z.number(), price: z.number() })),
    }),
  ])
  .transform((rate): Rate => (typeof rate === "number" ? { base: rate, tiers: [] } : rate));

/** What the table says of one model, in US dollars for a million tokens; without input and output there is no price. */
const pricesSchema = z.object({
  input_mtok: rateSchema,
  output_mtok: rateSchema,
  cache_read_mtok: rateSchema.optional(),
  cache_write_mtok: rateSchema.optional(),
});

const foundSchema = z.array(z.object({ id: z.string(), prices: z.unknown() }));

function toPrice(prices: unknown): Price | undefined {
  const read = pricesSchema.safeParse(prices).data;
  if (read === undefined) return undefined;
  const { input_mtok: input, output_mtok: output } = read;
  const { cache_read_mtok: cacheRead, cache_write_mtok: cacheWrite } = read;
  return {
    input,
    output,
    ...(cacheRead === undefined ? {} : { cacheRead }),
    ...(cacheWrite === undefined ? {} : { cacheWrite }),
    source: "table",
  };
}

/** The deployments whose price only the shipped table may know. */
function wanted({ hosts, deployments }: ModelSettings) {
  return Object.entries(deployments).flatMap(([id, deployment]) => {
    const host = hosts[deployment.host];
    const isFar = trustOfDeployment({ hosts }, deployment) === "cloud";
    if (host === undefined || !("url" in host) || !isFar || deployment.price !== undefined)
      return [];
    return [{ id, model: deployment.model, url: host.url }];
  });
}

/** Asks the table in a thread of its own, so that no more of it stays in memory than is used. */
function askTable(models: ReturnType<typeof wanted>): Promise<ReadonlyMap<string, Price>> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./price-worker.ts", import.meta.url), {
      workerData: models,
    });
    worker.once("error", reject);
    worker.once("message", (message) => {
      const found = foundSchema.parse(message);
      const prices = found.flatMap(({ id, prices: said }) => {
        const price = toPrice(said);
        return price === undefined ? [] : [[id, price] as const];
      });
      resolve(new Map(prices));
    });
    worker.once("exit", () => resolve(new Map()));
  });
}

/** What deployments cost: as the owner says, else as the shipped table does; undefined where neither knows. */
export function createPriceTable(
  settings: ModelSettings,
): (deployment: string) => Promise<Price | undefined> {
  const state: { table: Promise<ReadonlyMap<string, Price>> | undefined } = { table: undefined };
  return async (id) => {
    const deployment = settings.deployments[id];
    const own = deployment === undefined ? undefined : ownPrice(deployment);
    if (own !== undefined) return own;
    state.table ??= askTable(wanted(settings));
    return (await state.table).get(id);
  };
}
