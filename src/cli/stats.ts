import type { Clock } from "#core/clock.ts";
import type { Store } from "#core/store.ts";

import type { Output } from "./output.ts";

const dayMs = 86_400_000;

/** Totals of the last days. */
export async function stats(
  store: Store,
  output: Output,
  options: { readonly days: number; readonly json: boolean; readonly clock: Clock },
): Promise<void> {
  const { days, json, clock } = options;
  const totals = await store.stats(clock.now() - days * dayMs);
  if (json) {
    output.line(JSON.stringify({ days, ...totals }));
    return;
  }
  const states = Object.entries(totals.tasks).filter(([, count]) => count > 0);
  const tasks = states.map(([state, count]) => `${count} ${state}`).join(", ");
  output.line(`Tasks of the last ${days} days: ${tasks === "" ? "none" : tasks}`);
  for (const model of totals.models) {
    const rate =
      model.durationMs === 0 ? 0 : Math.round((model.answerTokens / model.durationMs) * 1000);
    output.line(
      `${model.deployment.padEnd(24)} ${model.calls} calls, ${model.failures} failed, ` +
        `${model.promptTokens} tokens read, ${model.answerTokens} written, ${rate} a second`,
    );
  }
}
