import { readFile } from "node:fs/promises";
import path from "node:path";

import { AppError, exitCodes } from "#core/errors.ts";
import { createRedactor, type Redactor } from "#core/redact.ts";
import { z } from "zod";

import { createOutput, type Output } from "./cli/output.ts";
import { findFolders, wantsNoColor } from "./config.ts";
import { checkOpen } from "./store/unwritable.ts";

/** Aborts at the first Ctrl-C; the second ends the process at once. */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  process.once("SIGINT", () => {
    controller.abort();
    process.once("SIGINT", () => process.exit(exitCodes.interrupted));
  });
  return controller.signal;
}

/** Aborts when the system, or a person at the terminal, wants the process to end; a second time it ends at once. */
function terminationSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCodes.interrupted);
      controller.abort();
    });
  }
  return controller.signal;
}

async function version(root: string): Promise<string> {
  const text = await readFile(path.join(root, "package.json"), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

/** A piece of work that Ctrl-C aborted is no bug. */
function asKnown(error: unknown): unknown {
  const aborted = error instanceof Error && error.name === "AbortError";
  return aborted ? new AppError("task.cancelled", {}, { cause: error }) : error;
}

/** What went wrong, in one line; where it came from only when asked, or when it is a bug of ours. */
function sentenceOf(error: unknown, verbose: boolean): string {
  if (error instanceof AppError && !verbose) return error.message;
  if (verbose && error instanceof Error) return error.stack ?? error.message;
  const message = error instanceof Error ? error.message : String(error);
  return `Something went wrong in the program itself: ${message} (--verbose shows where; please report it).`;
}

/** A crash is said without secrets; Node's own report would print values as they are. */
function reportCrashes(output: Output, verbose: boolean): void {
  const crash = (error: unknown): void => {
    output.note(sentenceOf(error, verbose));
    process.exit(exitCodes.failed);
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);
}

function reportUnwritable(output: Output): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // A reader that went away (agent ... | head) is no failure; a full disk under a file is one.
    if (error.code === "EPIPE") process.exit(exitCodes.ok);
    output.note(`The answer could not be written (${error.message}): agent history has it.`);
    process.exit(exitCodes.failed);
  });
}

async function run(
  argv: readonly string[],
  root: string,
  { output, redactor }: { readonly output: Output; readonly redactor: Redactor },
): Promise<number> {
  const { runCli } = await import("./cli/program.ts");
  const own = await version(root);
  return runCli(argv, {
    version: own,
    output,
    stdin: process.stdin,
    screen: process.stderr,
    interrupt: interruptSignal,
    termination: terminationSignal,
    async open({ home, ...options }) {
      const folders = findFolders(root, home);
      // Another command may only want to ask the service of whoever owns the data.
      const mine = options.kind === "service" ? [folders.home, folders.state] : [folders.home];
      checkOpen(folders.state, mine);
      const { openProgram } = await import("./app.ts");
      return openProgram({ ...options, folders, redactor, version: own });
    },
  });
}

/** Runs the program for these arguments and sets the process's exit code; never rejects. */
export async function main(
  argv: readonly string[],
  launch: { readonly root: string },
): Promise<void> {
  const redactor = createRedactor();
  const { stdout, stderr } = process;
  const { redact } = redactor;
  const output = createOutput(stdout, stderr, { noColor: wantsNoColor(), redact });
  const verbose = argv.includes("--verbose");
  reportUnwritable(output);
  reportCrashes(output, verbose);
  try {
    process.exitCode = await run(argv, launch.root, { output, redactor });
  } catch (error) {
    const known = asKnown(error);
    process.exitCode = known instanceof AppError ? known.exit : exitCodes.failed;
    output.note(sentenceOf(known, verbose));
  }
}
