import { readFile } from "node:fs/promises";
import path from "node:path";

import { AppError, exitCodes } from "#core/errors.ts";
import { z } from "zod";

import { createOutput } from "./cli/output.ts";
import { findFolders, loadConfig, wantsNoColor } from "./config.ts";

/** Aborts at the first Ctrl-C; the second ends the process at once. */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  process.once("SIGINT", () => {
    controller.abort();
    process.once("SIGINT", () => process.exit(exitCodes.interrupted));
  });
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

/** Runs the program for these arguments and sets the process's exit code; never rejects. */
export async function main(
  argv: readonly string[],
  launch: { readonly root: string },
): Promise<void> {
  const { stdin, stdout, stderr } = process;
  const output = createOutput(stdout, stderr, { noColor: wantsNoColor() });
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    // A reader that went away (agent ... | head) is no failure; a full disk under a file is one.
    if (error.code === "EPIPE") process.exit(exitCodes.ok);
    output.note(`The answer could not be written (${error.message}): agent history has it.`);
    process.exit(exitCodes.failed);
  });
  try {
    const { runCli } = await import("./cli/program.ts");
    process.exitCode = await runCli(argv, {
      version: await version(launch.root),
      output,
      stdin,
      screen: stderr,
      interrupt: interruptSignal,
      open: async (home, person) => {
        const { createApp } = await import("./app.ts");
        const { checkHome } = await import("./store/unwritable.ts");
        const folders = findFolders(launch.root, home);
        checkHome(folders);
        return createApp(await loadConfig(folders), person);
      },
    });
  } catch (error) {
    const known = asKnown(error);
    process.exitCode = known instanceof AppError ? known.exit : exitCodes.failed;
    output.note(sentenceOf(known, argv.includes("--verbose")));
  }
}
