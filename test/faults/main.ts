import { parseArgs } from "node:util";

import { printResult } from "../../bench/result.ts";

import { run } from "./task-campaign.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: "string", default: "200" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
if (positionals[0] === "task") {
  printResult(await run({ kills: Number(values.kills), seed: Number(values.seed) }));
} else {
  console.error(`There is no campaign "${positionals[0] ?? ""}": use task.`);
  process.exitCode = 2;
}
