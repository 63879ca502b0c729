import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { onTestFinished } from "vitest";

import { emptyFolder } from "./folder.ts";

/** The program as people start it. */
export const launcher = path.join(import.meta.dirname, "../../agent.js");

/** What a run of the program came to. */
export interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** A run under way. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Run>;
  /** Resolves when stdout and stderr together hold this text. */
  saw(text: string): Promise<void>;
}

/** Settings by which a scripted model answers everything. */
const scriptedSettings = `use: script
hosts: { here: { kind: scripted, script: script.yaml } }
deployments: { script: { host: here, model: script } }
`;

/** An empty home whose model answers from this script (YAML). */
export async function scriptedHome(script: string): Promise<string> {
  const home = await emptyFolder("home");
  await writeScript(home, script);
  return home;
}

/** Makes this script the model of a home. */
export async function writeScript(home: string, script: string): Promise<void> {
  await mkdir(path.join(home, "config"), { recursive: true });
  await writeFile(path.join(home, "config/models.local.yaml"), scriptedSettings);
  await writeFile(path.join(home, "script.yaml"), script);
}

/** Starts the real program. */
export function start(
  home: string,
  args: readonly string[],
  options: {
    readonly input?: string | Buffer;
    readonly env?: Record<string, string>;
    /** Leaves standard input open, for words that come later. */
    readonly keepOpen?: boolean;
    /** A file that standard output goes to. */
    readonly stdoutTo?: string;
  } = {},
): Running {
  const child = spawn(process.execPath, [launcher, "--home", home, ...args], {
    env: { ...process.env, ...options.env },
    stdio: [
      "pipe",
      options.stdoutTo === undefined ? "pipe" : openSync(options.stdoutTo, "w"),
      "pipe",
    ],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const seen = { stdout: "", stderr: "" };
  const waiting = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      seen[name] += text;
      for (const check of waiting) check();
    });
  }
  child.stdin?.on("error", () => {});
  if (options.keepOpen !== true) child.stdin?.end(options.input ?? "");
  return {
    child,
    ended: once(child, "close").then(() => ({ ...seen, code: child.exitCode })),
    saw: (text) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!(seen.stdout + seen.stderr).includes(text)) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
  };
}

/** Runs the real program to its end. */
export async function run(
  home: string,
  args: readonly string[],
  options: Parameters<typeof start>[2] = {},
): Promise<Run> {
  return start(home, args, options).ended;
}
