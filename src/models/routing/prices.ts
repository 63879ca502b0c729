import type { TokenUsage } from "#core/model.ts";
import type { PriceSource } from "#core/route.ts";
import type { DeploymentSettings } from "#core/settings.ts";

/** US dollars for a million tokens; a tier holds for the whole request once its prompt has more tokens than `start`. */
export interface Rate {
  readonly base: number;
  readonly tiers: readonly { readonly start: number; readonly price: number }[];
}

/** What a model costs; a cache's rates are those of the input where they are absent. */
export interface Price {
  readonly input: Rate;
  readonly output: Rate;
  readonly cacheRead?: Rate;
  readonly cacheWrite?: Rate;
  readonly source: Extract<PriceSource, "settings" | "table">;
}

const million = 1_000_000;

function at({ base, tiers }: Rate, promptTokens: number): number {
  return tiers.findLast(({ start }) => promptTokens > start)?.price ?? base;
}

/** US dollars of these tokens; unknown counts are none, so hand in what is known or estimated. */
export function costOf(price: Price, tokens: TokenUsage): number {
  const { promptTokens = 0, answerTokens = 0, cachedTokens = 0, cacheWrittenTokens = 0 } = tokens;
  const { input, output, cacheRead = input, cacheWrite = input } = price;
  const fresh = Math.max(0, promptTokens - cachedTokens - cacheWrittenTokens);
  const sum =
    fresh * at(input, promptTokens) +
    cachedTokens * at(cacheRead, promptTokens) +
    cacheWrittenTokens * at(cacheWrite, promptTokens) +
    answerTokens * at(output, promptTokens);
  return sum / million;
}

/** The most that a request may cost: all of its prompt at the dearest rate, and an answer of full length. */
export function worstCost(price: Price, promptTokens: number, maxTokens: number): number {
  const { input, output, cacheRead = input, cacheWrite = input } = price;
  const read = Math.max(...[input, cacheRead, cacheWrite].map((rate) => at(rate, promptTokens)));
  return (promptTokens * read + maxTokens * at(output, promptTokens)) / million;
}

/** The owner's own price of a deployment. */
export function ownPrice({ price }: DeploymentSettings): Price | undefined {
  if (price === undefined) return undefined;
  const flat = (base: number): Rate => ({ base, tiers: [] });
  const { input, output, cache_read: read, cache_write: write } = price;
  return {
    input: flat(input),
    output: flat(output),
    ...(read === undefined ? {} : { cacheRead: flat(read) }),
    ...(write === undefined ? {} : { cacheWrite: flat(write) }),
    source: "settings",
  };
}
