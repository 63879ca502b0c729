import { callsText, costText, spendingText } from "#core/cost.ts";
import type { Operations } from "#core/operations.ts";
import type { Stats, UsageTotal } from "#core/store.ts";

import { type Output, secondsText } from "./output.ts";

/** Characters of the longest bar. */
const barWidth = 30;

/** Most days that are drawn one by one. */
const drawnDays = 31;

function bar(share: number): string {
  return "█".repeat(Math.max(share > 0 ? 1 : 0, Math.round(share * barWidth)));
}

function costOf({ costUsd, unpriced, calls }: UsageTotal): string {
  if (unpriced === 0) return costText(costUsd);
  return unpriced === calls ? costText(null) : `${costText(costUsd)} and some unknown`;
}

function modelLine(model: UsageTotal): string {
  const { name, calls, failures, promptTokens, answerTokens, durationMs } = model;
  const rate = durationMs === 0 ? 0 : Math.round((answerTokens / durationMs) * 1000);
  return (
    `${name.padEnd(24)} ${callsText(calls)}, ${failures} failed, ${promptTokens} tokens read, ` +
    `${answerTokens} written, ${rate} a second, ${secondsText(durationMs)}, ${costOf(model)}`
  );
}

/** The share of each tier in all calls. */
function tierLines(tiers: readonly UsageTotal[], drawn: boolean): string[] {
  const all = tiers.reduce((sum, { calls }) => sum + calls, 0);
  return tiers.map((tier) => {
    const share = all === 0 ? 0 : tier.calls / all;
    const text = `${tier.name.padEnd(12)} ${String(Math.round(share * 100)).padStart(3)} %  ${costOf(tier)}`;
    return drawn ? `${text}  ${bar(share)}` : text;
  });
}

function dayLines(days: Stats["perDay"]): string[] {
  const most = Math.max(1, ...days.map(({ tasks }) => tasks));
  return days
    .slice(-drawnDays)
    .map(({ date, tasks }) => `${date} ${String(tasks).padStart(5)}  ${bar(tasks / most)}`);
}

/** Totals of the last days; drawn as bars on a terminal. */
export async function stats(
  operations: Operations,
  output: Output,
  options: { readonly days: number; readonly json: boolean },
): Promise<void> {
  const { days, json } = options;
  const totals = await operations.stats({ days });
  if (json) {
    output.line(JSON.stringify({ days, ...totals }));
    return;
  }
  const states = Object.entries(totals.tasks).filter(([, count]) => count > 0);
  const tasks = states.map(([state, count]) => `${count} ${state}`).join(", ");
  output.line(`Tasks of the last ${days} days: ${tasks === "" ? "none" : tasks}`);
  if (output.isTerminal) for (const line of dayLines(totals.perDay)) output.line(line);
  for (const spent of totals.spending) output.line(spendingText(spent));
  for (const model of totals.models) output.line(modelLine(model));
  for (const line of tierLines(totals.tiers, output.isTerminal)) output.line(line);
}
