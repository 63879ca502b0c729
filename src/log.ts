import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync, writeSync } from "node:fs";
import path from "node:path";

import { pino } from "pino";

import type { Clock } from "#core/clock.ts";
import { reasonOf } from "#core/errors.ts";
import type { Log } from "#core/log.ts";
import type { Redactor } from "#core/redact.ts";

const dayMs = 86_400_000;

/** Where the log goes, and how much of it is kept. */
export interface LogOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly redactor: Redactor;
  /** Days that a file is kept. */
  readonly keepDays: number;
  /** Bytes after which a day's next file begins. */
  readonly fileBytes: number;
  /** Told once when a line could not be written; the program goes on without its log. */
  readonly onProblem: (problem: string) => void;
  /** Sees every line, redacted, as JSON. */
  readonly echo?: (line: string) => void;
}

/** A log in files. */
export interface FileLog extends Log {
  close(): void;
}

/** The name of a day's file; names sort by time. */
function nameOf(now: number, part: number): string {
  return `${new Date(now).toISOString().slice(0, 10)}.${String(part).padStart(3, "0")}.jsonl`;
}

function openLast(
  folder: string,
  now: number,
  fileBytes: number,
): { day: string; fd: number; size: number } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const day = nameOf(now, 0).slice(0, 10);
  const parts = readdirSync(folder).filter(
    (name) => name.startsWith(day) && name.endsWith(".jsonl"),
  );
  const last = parts.toSorted().at(-1);
  const number = last === undefined ? 1 : Number(last.slice(11, 14));
  const full = last !== undefined && statSync(path.join(folder, last)).size >= fileBytes;
  const file = path.join(folder, nameOf(now, full ? number + 1 : number));
  const fd = openSync(file, "a", 0o600);
  return { day, fd, size: statSync(file).size };
}

function removeOld(folder: string, now: number, keepDays: number): void {
  const oldest = nameOf(now - keepDays * dayMs, 0).slice(0, 10);
  for (const name of readdirSync(folder)) {
    if (name.endsWith(".jsonl") && name.slice(0, 10) < oldest) rmSync(path.join(folder, name));
  }
}

/** Writes lines to the day's file and begins the next when the day turns or the file is full. */
function createFiles({ folder, clock, keepDays, fileBytes, onProblem }: LogOptions) {
  const state: { open: ReturnType<typeof openLast> | undefined; broken: boolean } = {
    open: undefined,
    broken: false,
  };

  function close(): void {
    if (state.open !== undefined) closeSync(state.open.fd);
    state.open = undefined;
  }

  function append(line: string): void {
    const now = clock.now();
    const { open } = state;
    if (
      open !== undefined &&
      (open.size >= fileBytes || nameOf(now, 0).slice(0, 10) !== open.day)
    ) {
      close();
    }
    if (state.open === undefined) {
      state.open = openLast(folder, now, fileBytes);
      removeOld(folder, now, keepDays);
    }
    state.open.size += writeSync(state.open.fd, line);
  }

  return {
    close,
    write(line: string): void {
      try {
        append(line);
      } catch (error) {
        if (!state.broken)
          onProblem(
            `The log in ${folder} cannot be written (${reasonOf(error)}): check its owner and the disk.`,
          );
        state.broken = true;
      }
    },
  };
}

/** A log of JSON lines; whatever is logged, a finished line holds no secret. */
export function createLog(options: LogOptions): FileLog {
  const files = createFiles(options);
  const { clock, redactor, echo } = options;
  const write = (line: string): void => {
    const clean = redactor.redact(line);
    files.write(clean);
    echo?.(clean.trimEnd());
  };
  const logger = pino(
    {
      base: { pid: process.pid },
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
  return {
    info: (words, fields = {}) => logger.info(fields, words),
    warn: (words, fields = {}) => logger.warn(fields, words),
    bug: (error, fields = {}) => logger.error({ ...fields, err: error }, reasonOf(error)),
    close: () => files.close(),
  };
}
