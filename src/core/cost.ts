import type { Spending } from "./ledger.ts";
import type { TokenUsage } from "./model.ts";
import type { BudgetEvent } from "./route.ts";

/** US dollars of these attempts; null when the cost of any that used tokens is not known. It is then unknown, never zero. */
export function knownCost(usage: readonly TokenUsage[]): number | null {
  let sum = 0;
  for (const { costUsd, promptTokens } of usage) {
    if (costUsd === undefined && promptTokens !== undefined) return null;
    sum += costUsd ?? 0;
  }
  return sum;
}

/** Tokens of these attempts, as far as they were reported; null when none was. */
export function knownTokens(
  usage: readonly TokenUsage[],
  key: "promptTokens" | "answerTokens",
): number | null {
  const known = usage.flatMap((row) => row[key] ?? []);
  return known.length === 0 ? null : known.reduce((a, b) => a + b, 0);
}

/** A number of model calls as people read it. */
export function callsText(calls: number): string {
  return calls === 1 ? "1 call" : `${calls} calls`;
}

/** A cost as people read it. */
export function costText(costUsd: number | null): string {
  if (costUsd === null) return "cost unknown";
  if (costUsd === 0) return "no cost";
  return `$${costUsd < 0.01 ? costUsd.toPrecision(2) : costUsd.toFixed(2)}`;
}

/** A share of a cap that was just reached, as people read it. */
export function budgetText({ name, percent, spentUsd, capUsd }: BudgetEvent): string {
  return `${percent} % of the budget of ${costText(capUsd)} ${name} is spent (${costText(spentUsd)}).`;
}

/** What was spent under a cap, as people read it. */
export function spendingText({ name, spentUsd, capUsd }: Spending): string {
  const share = capUsd === 0 ? 100 : Math.floor((spentUsd / capUsd) * 100);
  const spent = spentUsd === 0 ? "nothing" : costText(spentUsd);
  return `Spent ${name}: ${spent} of $${capUsd.toFixed(2)} (${share} %).`;
}
