import type { Caught } from "./controls.ts";
import type { Score, Scored } from "./failover.ts";
import type { Verdict } from "./fault-case.ts";
import { matrix } from "./matrix.ts";

/** All that a full run found. */
export interface Found {
  readonly verdicts: readonly Verdict[];
  readonly scored: readonly Scored[];
  /** The same by the benchmark's reference client, rebuilt. */
  readonly reference: readonly Scored[];
  readonly caught: readonly Caught[];
  readonly seed: number;
}

type Row = readonly (string | number)[];

function cell(value: string | number): string {
  return String(value).replaceAll("|", "\\|").replaceAll("\n", " ");
}

function table(head: Row, rows: readonly Row[]): string {
  const line = (row: Row): string => `| ${row.map(cell).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Published figures of other systems: pass, partial, safe and fail, as their publisher counted them. */
const published: readonly Row[] = [
  ["reference client of the benchmark", 16, 0, 0, 0],
  ["DeepSeek Harness with fallbacks", 12, 3, 1, 0],
  ["Portkey OSS", 11, 2, 0, 3],
  ["Bifrost 2.1.1", 9, 3, 3, 1],
  ["Bifrost, development build", 10, 3, 3, 0],
  [
    "LiteLLM proxy, LiteLLM Router, LiteLLM Router tuned, LangChain with_fallbacks (each)",
    9,
    3,
    4,
    0,
  ],
  ["openai-python", 6, 0, 10, 0],
  ["plain client without retries", 4, 0, 12, 0],
];

function ours(scored: readonly Scored[]): Row {
  const count = (wanted: Score): number => scored.filter(({ score }) => score === wanted).length;
  const counts = (["pass", "partial", "safe", "fail"] as const).map(count);
  return ["**this program's router (in-process, not a gateway)**", ...counts];
}

/** The text of docs/providers.md. */
export function page({ verdicts, scored, reference, caught, seed }: Found): string {
  const passed = verdicts.filter((verdict) => verdict.passed).length;
  const ofReference = reference.filter(({ score }) => score === "pass").length;
  const date = new Date().toISOString().slice(0, 10);
  const rows = verdicts.map(({ row, passed: holds, reason }): Row => {
    const fault = matrix.find((one) => one.row === row);
    const result = holds ? "pass" : `fail: ${reason.slice(0, 160)}`;
    return [row, fault?.failure ?? "", fault?.simulated ?? "", fault?.required ?? "", result];
  });
  const faults = scored.map(({ id, title, score, missed, ms, primaryAttempts }): Row => {
    const seconds = (ms / 1000).toFixed(1);
    return [id, title, score, missed, primaryAttempts, seconds];
  });
  const controls = caught.map(({ name, by }): Row => {
    return [`a router that ${name}`, by.length === 0 ? "not caught" : `caught by ${by.join(", ")}`];
  });
  return `# When a provider fails

This page is written by \`npm run faults -- providers\`; do not edit it. The last full run was on ${date}, with seed ${seed}. It drives
the router as the program does, through the door and over real connections, against fake providers on loopback. What is required is
judged from both sides: by what the caller gets and by what the provider sees.

## Failure modes

${passed} of ${verdicts.length} hold. Deadlines are shortened to seconds by the settings; where a case is about minutes or days, its
clock runs faster.

${table(["", "Failure", "Simulated by", "Required", "Result"], rows)}

## Failover Bench

The sixteen faults of Failover Bench (failoverbench/failoverbench, methodology 0.1), rebuilt from their description and played with the
timings of the full profile, each on a server of its own; scored in its own words. *pass* is a complete answer with every check clean, *partial* a rescue with an
advisory miss, *safe* a clean error within bounds, *fail* a hang, half an answer shown as a whole one, or a required check missed. Our
router has at most two retries and one fallback, as every system there, and its own deadlines: 5 s to connect, 10 s to the first token
and 10 s of silence. All calls stream. The benchmark's reference client, rebuilt by its published rules, passes ${ofReference} of ${reference.length} here:
what is asked can be done.

${table(["", "Fault", "Score", "Missed", "Attempts on the primary", "Seconds"], faults)}

The figures of other systems are those published with the benchmark in September 2026 (results under CC BY 4.0), full profile. They were
not measured here, and ours were not measured by its harness: ours is a router in the process that asks, not a gateway beside it.

${table(["System", "pass", "partial", "safe", "fail"], [ours(scored), ...published])}

## Negative controls

Routers that are broken on purpose. Each must be found out by a row that the program's own router holds.

${table(["Broken router", "Result"], controls)}
`;
}
