import { fileURLToPath } from "node:url";

import { z } from "zod";

import { lazily } from "#core/lazy.ts";
import type { Environment, Spawn } from "#core/process.ts";
import type { ModelSettings } from "#core/settings.ts";

import { trustOfDeployment } from "./candidates.ts";
import { childEnvironment } from "./child-environment.ts";
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

/** Where the table is read. */
export interface PriceDeps {
  readonly spawn: Spawn;
  readonly environment: Environment;
}

/** Asks the table in a process of its own: a thread's memory would stay with this one, many times what is used of it. */
async function askTable(
  { spawn, environment }: PriceDeps,
  models: ReturnType<typeof wanted>,
): Promise<ReadonlyMap<string, Price>> {
  if (models.length === 0) return new Map();
  const file = fileURLToPath(new URL("price-child.ts", import.meta.url));
  const env = childEnvironment(environment);
  const child = spawn({ command: process.execPath, args: [file, JSON.stringify(models)], env });
  const said = { stdout: "", stderr: "" };
  child.onOutput((stream, text) => void (said[stream] += text));
  const { code, error } = await child.exited;
  if (code !== 0) {
    throw new Error(`the table of prices could not be read: ${error ?? said.stderr.slice(0, 500)}`);
  }
  const found = foundSchema.parse(JSON.parse(said.stdout));
  return new Map(
    found.flatMap(({ id, prices }) => {
      const price = toPrice(prices);
      return price === undefined ? [] : [[id, price] as const];
    }),
  );
}

/** What deployments cost: as the owner says, else as the shipped table does; undefined where neither knows. */
export function createPriceTable(
  settings: ModelSettings,
  deps: PriceDeps,
): (deployment: string) => Promise<Price | undefined> {
  const table = lazily(() => askTable(deps, wanted(settings)));
  return async (id) => {
    const deployment = settings.deployments[id];
    const own = deployment === undefined ? undefined : ownPrice(deployment);
    return own ?? (await table()).get(id);
  };
}
