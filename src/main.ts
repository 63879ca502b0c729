import { AppError, exitCodes } from "#core/errors.ts";
import type { Redactor } from "#core/redact.ts";

import { createOutput, type Output } from "./cli/output.ts";
import { createOwnRedactor, findFolders, readVersion, wantsNoColor } from "./config.ts";

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
  const own = await readVersion(root);
  return runCli(argv, {
    version: own,
    output,
    stdin: process.stdin,
    screen: process.stderr,
    interrupt: interruptSignal,
    termination: terminationSignal,
    async open({ home, ...options }) {
      const { openProgram } = await import("./app.ts");
      return openProgram({ ...options, folders: findFolders(root, home), redactor, version: own });
    },
  });
}

/** Runs the program for these arguments and sets the process's exit code; never rejects. */
export async function main(
  argv: readonly string[],
  launch: { readonly root: string },
): Promise<void> {
  const redactor = createOwnRedactor();
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
