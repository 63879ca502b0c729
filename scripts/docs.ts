import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { commandPages } from "../src/cli/pages.ts";

const file = path.join(import.meta.dirname, "..", "docs", "commands.md");
const text = commandPages();
if (process.argv.includes("--check")) {
  if (readFileSync(file, "utf8") !== text) {
    console.error("docs/commands.md is not what the commands say: run npm run docs.");
    process.exitCode = 1;
  }
} else writeFileSync(file, text);
