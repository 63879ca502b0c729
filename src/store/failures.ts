import { AppError, reasonOf } from "#core/errors.ts";

import { unwritable } from "./unwritable.ts";

function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string")
    return error.code;
  return "";
}

/** What a failure of SQLite or of the file system means to a person; anything else is given back as it is. */
export function storeFailure(error: unknown, folder: string): unknown {
  const code = codeOf(error);
  const options = { cause: error };
  if (code.startsWith("SQLITE_FULL") || code === "ENOSPC") {
    return new AppError("store.full", { folder }, options);
  }
  if (/^(SQLITE_READONLY|SQLITE_CANTOPEN|EACCES|EROFS|EPERM|ENOTDIR|EEXIST|ENOENT)/.test(code)) {
    return unwritable(folder, error);
  }
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) {
    return new AppError("store.damaged", { folder, problem: reasonOf(error) }, options);
  }
  return error;
}
