import { readFile, writeFile } from "node:fs/promises";
import { arch, platform, release, totalmem } from "node:os";
import path from "node:path";

import type { Check } from "#core/doctor.ts";
import { AppError, exitCodes, reasonOf } from "#core/errors.ts";

import { logFiles } from "./logs.ts";
import type { Output } from "./output.ts";
import type { Services } from "./services.ts";

const signs = { ok: "ok     ", warning: "warning", failed: "FAILED ", off: "off    " } as const;

/** Lines of the log that a bug report gets. */
const bundleLines = 200;

/** Prints each check with its reason and its fix; the exit code is 1 when one failed. */
export function reportChecks(
  checks: readonly Check[],
  output: Output,
  options: { readonly json: boolean },
): number {
  if (options.json) output.line(JSON.stringify(checks));
  else {
    for (const { name, state, reason, fix } of checks) {
      output.line(`${signs[state]}  ${name}: ${reason}`);
      if (fix !== undefined) output.line(`         ${output.bold("Fix:")} ${fix}`);
    }
  }
  return checks.some((check) => check.state === "failed") ? exitCodes.failed : exitCodes.ok;
}

async function lastLogLines(folder: string): Promise<string[]> {
  const last = (await logFiles(folder)).at(-1);
  if (last === undefined) return [];
  const text = await readFile(path.join(folder, last), "utf8");
  return text.trimEnd().split("\n").slice(-bundleLines);
}

/** Writes what a bug report needs, readable by the person who sends it: checks, settings and the last lines of the log. */
export async function writeBundle(
  services: Services,
  output: Output,
  bundle: { readonly file: string; readonly checks: readonly Check[] },
): Promise<void> {
  const { version, settings, logs, redact } = services;
  const file = path.resolve(bundle.file);
  const content = {
    program: version,
    node: process.version,
    system: `${platform()} ${release()} ${arch()}`,
    memoryGb: Math.round(totalmem() / 1e9),
    checks: bundle.checks,
    settings: await (await settings()).list().catch((error: unknown) => reasonOf(error)),
    log: await lastLogLines(logs),
  };
  try {
    await writeFile(file, `${redact(JSON.stringify(content, undefined, 2))}\n`, { mode: 0o600 });
  } catch (error) {
    const problem = reasonOf(error);
    throw new AppError("export.failed", { file, problem }, { cause: error });
  }
  output.note(`Written to ${file}: read it before you send it.`);
}
