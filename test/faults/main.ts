import { parseArgs } from "node:util";

import { printResult } from "../../bench/result.ts";

import * as providers from "./providers/campaign.ts";
import * as task from "./task-campaign.ts";
import * as telegram from "./telegram-run.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: "string", default: "200" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    only: { type: "string" },
    profile: { type: "string" },
  },
});
const [kills, seed] = [Number(values.kills), Number(values.seed)];
const campaigns = new Map([
  ["providers", () => providers.run({ ...values, seed })],
  ["task", () => task.run({ kills, seed })],
  ["telegram", () => telegram.run({ kills, seed })],
]);
const run = campaigns.get(positionals[0] ?? "");
if (run === undefined) {
  const known = [...campaigns.keys()].join(", ");
  console.error(`There is no campaign "${positionals[0] ?? ""}": use one of ${known}.`);
  process.exitCode = 2;
} else printResult(await run());
