import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

import Database from "better-sqlite3";

import { AppError } from "#core/errors.ts";

/** A lock that is held. */
export interface Lock {
  release(): void;
}

function holder(pidFile: string): string {
  try {
    return readFileSync(pidFile, "utf8").trim();
  } catch {
    return "unknown";
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "SQLITE_BUSY";
}

/**
 * Takes the lock on a data directory or throws `store.locked` at once. It is an exclusive transaction on a file of its own, so the
 * kernel frees it when the process dies, whatever kills it.
 */
export function takeLock(folder: string): Lock {
  const pidFile = path.join(folder, "lock.pid");
  const database = new Database(path.join(folder, "lock.db"), { timeout: 0 });
  try {
    database.pragma("journal_mode = MEMORY");
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    throw new AppError("store.locked", { folder, pid: holder(pidFile) }, { cause: error });
  }
  writeFileSync(pidFile, `${process.pid}\n`);
  return {
    release() {
      rmSync(pidFile, { force: true });
      database.close();
    },
  };
}
