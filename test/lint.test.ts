import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";

import { expect, test } from "vitest";
import { z } from "zod";

import { emptyFolder } from "./fakes/folder.ts";

const root = path.join(import.meta.dirname, "..");

/** One planted fault a file, and the rule that must find it. */
const faults: Readonly<Record<string, { readonly text: string; readonly rule: string }>> = {
  "src/agents/sideways.ts": {
    text: 'import { loadConfig } from "../config.ts";\n\nexport const load = loadConfig;\n',
    rule: "no-relative-parent-imports",
  },
  "src/agents/environment.ts": {
    text: 'export const home = process.env["HOME"];\n',
    rule: "no-process-env",
  },
  "src/agents/fetch.ts": {
    text: 'export const page = await fetch("https://example.com/");\n',
    rule: "no-restricted-globals",
  },
  "src/agents/global-fetch.ts": {
    text: 'export const page = await globalThis.fetch("https://example.com/");\n',
    rule: "no-restricted-properties",
  },
  "src/agents/taken-fetch.ts": {
    text: "const { fetch: get } = globalThis;\n\nexport const take = get;\n",
    rule: "no-restricted-properties",
  },
  "src/agents/old-global.ts": {
    text: 'export const page = await global.fetch("https://example.com/");\n',
    rule: "no-restricted-globals",
  },
  "src/agents/builtin.ts": {
    text: 'export const net = process.getBuiltinModule("node:net");\n',
    rule: "no-restricted-properties",
  },
  "src/agents/names.ts": {
    text: 'import { lookup } from "node:dns/promises";\n\nexport const found = await lookup("example.com");\n',
    rule: "no-restricted-imports",
  },
  "src/agents/socket.ts": {
    text: 'import { connect } from "node:net";\n\nexport const socket = connect(80);\n',
    rule: "no-restricted-imports",
  },
  "src/agents/process.ts": {
    text: 'import { spawn } from "node:child_process";\n\nexport const child = spawn("ls");\n',
    rule: "no-restricted-imports",
  },
  "src/agents/dropped.ts": {
    text: "async function work(): Promise<void> {}\n\nexport function go(): void {\n  work();\n}\n",
    rule: "no-floating-promises",
  },
  "src/agents/any.ts": {
    text: "export function take(value: any): string {\n  return String(value);\n}\n",
    rule: "no-explicit-any",
  },
  "src/agents/bang.ts": {
    text: "export const first = (list: string[]): string => list[0]!;\n",
    rule: "no-non-null-assertion",
  },
  "src/agents/cast.ts": {
    text: "export const read = (text: string): { a: number } => JSON.parse(text) as { a: number };\n",
    rule: "no-unsafe-type-assertion",
  },
  "src/agents/clean.ts": { text: "export const one = 1;\n", rule: "" },
};

const reportSchema = z.object({
  diagnostics: z.array(z.object({ code: z.string().optional(), filename: z.string() }).loose()),
});

test("the lint rules find each planted fault and leave clean code alone", async () => {
  const folder = await emptyFolder("lint");
  mkdirSync(path.join(folder, "src/agents"), { recursive: true });
  for (const name of [".oxlintrc.json", "tsconfig.json", "package.json"]) {
    copyFileSync(path.join(root, name), path.join(folder, name));
  }
  symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
  writeFileSync(path.join(folder, "src/config.ts"), "export const loadConfig = (): number => 1;\n");
  for (const [file, { text }] of Object.entries(faults))
    writeFileSync(path.join(folder, file), text);
  const oxlint = path.join(root, "node_modules/oxlint/bin/oxlint");
  const { stdout, status } = spawnSync(process.execPath, [oxlint, "--format", "json"], {
    cwd: folder,
    encoding: "utf8",
  });
  expect(status).toBe(1);
  const { diagnostics } = reportSchema.parse(JSON.parse(stdout));
  const found = Object.entries(faults).map(([file, { rule }]) => {
    const codes = diagnostics
      .filter(({ filename }) => filename.endsWith(file))
      .map(({ code }) => code ?? "");
    return [file, rule === "" ? codes : codes.some((code) => code.includes(rule))];
  });
  const wanted = Object.entries(faults).map(([file, { rule }]) => [file, rule === "" ? [] : true]);
  expect(found).toEqual(wanted);
});
