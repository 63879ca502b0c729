import { readFileSync } from "node:fs";
import path from "node:path";

import { expect, test } from "vitest";

import { commandPages } from "../src/cli/pages.ts";

test("the page of every command is what its definition says (npm run docs writes it)", () => {
  const file = path.join(import.meta.dirname, "../docs/commands.md");
  expect(readFileSync(file, "utf8")).toBe(commandPages());
});
