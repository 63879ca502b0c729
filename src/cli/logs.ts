import { open, readdir, stat } from "node:fs/promises";
import path from "node:path";

import { systemClock } from "#core/clock.ts";
import { AppError } from "#core/errors.ts";

import { logLineText, parseLogLine } from "./log-line.ts";
import type { Output } from "./output.ts";

/** How often a followed log is looked at. */
const followMs = 200;

/** What of the log is shown. */
export interface LogsOptions {
  readonly follow?: boolean;
  /** The end of a task's id. */
  readonly task?: string;
  /** Most lines of what there is already. */
  readonly lines: number;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** The log's files, oldest first. */
export async function logFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.endsWith(".jsonl")).toSorted();
}

/** The whole lines of a file from an offset, and where the next would begin. */
async function linesFrom(file: string, offset: number): Promise<{ lines: string[]; next: number }> {
  const { size } = await stat(file);
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(Buffer.alloc(size - offset), 0, size - offset, offset);
    const whole = buffer.subarray(0, buffer.lastIndexOf(0x0a) + 1);
    const lines = whole.toString("utf8").split("\n").slice(0, -1);
    return { lines, next: offset + whole.length };
  } finally {
    await handle.close();
  }
}

function isAbout(text: string, task: string | undefined): boolean {
  if (task === undefined) return true;
  return parseLogLine(text)?.task?.endsWith(task.toUpperCase()) === true;
}

/** Shows the log's last lines and, if asked, what is added, until the signal aborts. */
export async function showLogs(
  folder: string,
  output: Output,
  options: LogsOptions,
): Promise<void> {
  const show = (line: string): void => output.line(options.json ? line : logLineText(line));
  const offsets = new Map<string, number>();

  async function added(): Promise<string[]> {
    const found: string[] = [];
    for (const name of await logFiles(folder)) {
      const { lines, next } = await linesFrom(path.join(folder, name), offsets.get(name) ?? 0);
      offsets.set(name, next);
      found.push(...lines.filter((line) => isAbout(line, options.task)));
    }
    return found;
  }

  const before = await added();
  if (before.length === 0 && options.follow !== true) throw new AppError("logs.none", { folder });
  for (const line of before.slice(-options.lines)) show(line);
  while (options.follow === true && !options.signal.aborted) {
    await systemClock.sleep(followMs, options.signal);
    for (const line of await added()) show(line);
  }
}
