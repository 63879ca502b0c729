import type { TokenUsage } from "./model.ts";

/** US dollars of these attempts; null when the cost of any that used tokens is not known. It is then unknown, never zero. */
export function knownCost(usage: readonly TokenUsage[]): number | null {
  let sum = 0;
  for (const { costUsd, promptTokens } of usage) {
    if (costUsd === undefined && promptTokens !== undefined) return null;
    sum += costUsd ?? 0;
  }
  return sum;
}

/** A cost as people read it. */
export function costText(costUsd: number | null): string {
  if (costUsd === null) return "cost unknown";
  if (costUsd === 0) return "no cost";
  return `$${costUsd < 0.01 ? costUsd.toPrecision(2) : costUsd.toFixed(2)}`;
}
