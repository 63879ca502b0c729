import { parseArgs } from "node:util";

import { printResult } from "../../bench/result.ts";

import * as task from "./task-campaign.ts";
import * as telegram from "./telegram-run.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: "string", default: "200" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});
const campaigns = new Map([
  ["task", task.run],
  ["telegram", telegram.run],
]);
const run = campaigns.get(positionals[0] ?? "");
if (run === undefined) {
  const known = [...campaigns.keys()].join(", ");
  console.error(`There is no campaign "${positionals[0] ?? ""}": use one of ${known}.`);
  process.exitCode = 2;
} else printResult(await run({ kills: Number(values.kills), seed: Number(values.seed) }));
