import { ratio, type Share, shareWords } from "./wilson.ts";
import { type Figure, figure } from "./result.ts";

/** A text that was classified: what it is for, and what was said; null is nobody, undefined that the classifier abstained. */
export interface Verdict {
  readonly text: string;
  readonly agent: string | null;
  readonly said: string | undefined;
}

/** How good verdicts are. */
export interface Tally {
  /** The right ones of those about an agent's texts that did not abstain. */
  readonly precision: Share;
  /** The same, with texts for nobody that were given an agent counted as wrong. */
  readonly strict: Share;
  /** The ones about an agent's texts that did not abstain. */
  readonly coverage: Share;
  /** The texts for nobody that were given an agent. */
  readonly outOfScope: Share;
}

/** Counts verdicts. */
export function tallyOf(verdicts: readonly Verdict[]): Tally {
  const within = verdicts.filter(({ agent }) => agent !== null);
  const without = verdicts.filter(({ agent }) => agent === null);
  const given = within.filter(({ said }) => said !== undefined);
  const right = given.filter(({ said, agent }) => said === agent).length;
  const accepted = without.filter(({ said }) => said !== undefined).length;
  return {
    precision: { part: right, whole: given.length },
    strict: { part: right, whole: given.length + accepted },
    coverage: { part: given.length, whole: within.length },
    outOfScope: { part: accepted, whole: without.length },
  };
}

/** A tally in words, with its intervals. */
export function tallyFigures(name: string, tally: Tally): Figure[] {
  return [
    { name: `${name}: precision`, value: shareWords(tally.precision) },
    { name: `${name}: precision with out-of-scope`, value: shareWords(tally.strict) },
    { name: `${name}: coverage`, value: shareWords(tally.coverage) },
    { name: `${name}: out-of-scope accepted`, value: shareWords(tally.outOfScope) },
  ];
}

/** What must hold on the test set. */
export function boundFigures({ precision, coverage, outOfScope }: Tally): Figure[] {
  const least = (name: string, value: number, limit: number): Figure => ({
    ...figure(name, value),
    bound: { words: `>= ${limit}`, holds: value >= limit },
  });
  return [
    least("test: precision", ratio(precision), 0.97),
    least("test: coverage", ratio(coverage), 0.4),
    figure("test: out-of-scope accepted", ratio(outOfScope), 0.08),
    least("test: out-of-scope texts", outOfScope.whole, 200),
  ];
}

/** Prints who was given what: a row for what the texts are for, a column for what was said. */
export function printConfusion(title: string, verdicts: readonly Verdict[]): void {
  const rows: Record<string, Record<string, number>> = {};
  for (const { agent, said } of verdicts) {
    const row = (rows[agent ?? "nobody"] ??= {});
    row[said ?? "abstained"] = (row[said ?? "abstained"] ?? 0) + 1;
  }
  console.log(title);
  console.table(rows);
}
