import { costText, knownCost, knownTokens } from "#core/cost.ts";
import type { Receipt } from "#core/http.ts";
import type { UsageRow } from "#core/task.ts";

/** What is known of how an answer came about. */
export interface Origins {
  readonly usage: readonly UsageRow[];
  readonly receipts: readonly Receipt[];
}

function whereOf(receipts: readonly Receipt[]): string {
  const models = receipts.filter(({ purpose }) => purpose === "model");
  if (models.some(({ trust }) => trust === "cloud")) return "in the cloud";
  return models.some(({ trust }) => trust === "lan") ? "on your network" : "on this machine";
}

/** Model, where it runs, tokens, cost and time of an answer, in one line. */
export function detailsOf({ usage, receipts }: Origins): string {
  const answered = usage.findLast(({ outcome }) => outcome === "ok") ?? usage.at(-1);
  if (answered === undefined) return "Nothing is known of how this came about.";
  const tokens = (key: "promptTokens" | "answerTokens"): string =>
    String(knownTokens(usage, key) ?? "?");
  const seconds = usage.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000;
  const used = `${tokens("promptTokens")} tokens read, ${tokens("answerTokens")} written`;
  const model = `${answered.deployment} ${whereOf(receipts)}`;
  return [model, used, costText(knownCost(usage)), `${seconds.toFixed(1)} s`].join(" · ");
}
