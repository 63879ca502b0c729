/** What a bench found: figures by name, and what each is bound by in words. */
export interface BenchResult {
  readonly name: string;
  /** True when every bound holds. */
  readonly ok: boolean;
  readonly seed: number;
  readonly figures: Readonly<Record<string, number | string>>;
  readonly bounds: Readonly<Record<string, string>>;
}

/** A measured figure with its bound, if it has one. */
export interface Figure {
  readonly name: string;
  readonly value: number | string;
  /** What the figure must hold, in words, and whether it does. */
  readonly bound?: { readonly words: string; readonly holds: boolean };
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** A figure that must be at most `limit`; without a limit it is only printed. */
export function figure(name: string, value: number, limit?: number): Figure {
  if (limit === undefined) return { name, value: round(value) };
  return {
    name,
    value: round(value),
    bound: { words: `<= ${round(limit)}`, holds: value <= limit },
  };
}

/** The result of these figures. */
export function resultOf(name: string, seed: number, figures: readonly Figure[]): BenchResult {
  const bounded = figures.flatMap(({ name: key, bound }) =>
    bound === undefined ? [] : [[key, bound.words] as const],
  );
  return {
    name,
    ok: figures.every(({ bound }) => bound?.holds ?? true),
    seed,
    figures: Object.fromEntries(figures.map((entry) => [entry.name, entry.value])),
    bounds: Object.fromEntries(bounded),
  };
}

/** Prints a table and, as the last line, the result as JSON; sets exit code 1 when a bound is missed. */
export function printResult(result: BenchResult): void {
  const rows = Object.entries(result.figures).map(([key, value]) => ({
    figure: key,
    value,
    bound: result.bounds[key] ?? "",
  }));
  console.table(rows);
  console.log(JSON.stringify(result));
  if (!result.ok) process.exitCode = 1;
}

/** The middle value of these numbers; 0 of none. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
