import { answerCases } from "./answer-cases.ts";
import { busyCases } from "./busy-cases.ts";
import { callerCases } from "./caller-cases.ts";
import { connectionCases } from "./connection-cases.ts";
import { type FaultCase, runCase, type Verdict } from "./fault-case.ts";
import type { Breaks } from "./harness.ts";
import { moneyCases } from "./money-cases.ts";
import { networkCases } from "./network-cases.ts";
import { ollamaCases } from "./ollama-cases.ts";
import { refusalCases } from "./refusal-cases.ts";
import { streamCases } from "./stream-cases.ts";
import { toolCases } from "./tool-cases.ts";

/** The forty failure modes, in the order of their rows. */
export const matrix: readonly FaultCase[] = [
  ...connectionCases,
  ...streamCases,
  ...busyCases,
  ...refusalCases,
  ...answerCases,
  ...toolCases,
  ...callerCases,
  ...moneyCases,
  ...ollamaCases,
  ...networkCases,
].toSorted((a, b) => a.row - b.row);

/** Runs these cases, `lanes` at a time, and then, one by one, those that measure milliseconds. */
export async function runMatrix(
  cases: readonly FaultCase[],
  options: { readonly seed: number; readonly lanes: number; readonly breaks?: Breaks },
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  const queue = cases.filter(({ alone }) => alone !== true).values();
  const lane = async (): Promise<void> => {
    for (const fault of queue) verdicts.push(await runCase(fault, options));
  };
  await Promise.all(Array.from({ length: options.lanes }, lane));
  for (const fault of cases) {
    if (fault.alone === true) verdicts.push(await runCase(fault, options));
  }
  return verdicts.toSorted((a, b) => a.row - b.row);
}
