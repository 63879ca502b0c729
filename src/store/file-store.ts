import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";

import type { FileStore } from "#core/attachments.ts";
import { AppError } from "#core/errors.ts";

import { storeFailure } from "./failures.ts";

/** Files are the owner's alone. */
const fileMode = 0o600;
const folderMode = 0o700;

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** A failure of the file system in our words; any other, that of the stream that is stored for one, as it is. */
function explained(error: unknown, folder: string): unknown {
  if (isCode(error, "EDQUOT")) return new AppError("store.full", { folder }, { cause: error });
  const isOfFile = error instanceof Error && "syscall" in error && "path" in error;
  return isOfFile || isCode(error, "ENOSPC") ? storeFailure(error, folder) : error;
}

/** Makes a new name in a folder outlast a power cut; Windows cannot, and need not. */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a stream as it comes, and knows its hash at the end. Ends the stream where it fails. */
async function pour(
  body: ReadableStream<Uint8Array>,
  file: FileHandle,
  mostBytes: number,
): Promise<{ readonly sha256: string; readonly size: number }> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > mostBytes) {
      const limit = `${mostBytes / 1_000_000} MB`;
      const more = `more than ${limit}`;
      throw new AppError("chat.file-too-large", { name: "The file", size: more, limit });
    }
    hash.update(chunk);
    await file.writeFile(chunk);
  }
  await file.sync();
  return { sha256: hash.digest("hex"), size };
}

/** Gives a finished file its name, for good. */
async function keep(folder: string, temporary: string, place: string): Promise<void> {
  const parent = path.dirname(place);
  const made = await mkdir(parent, { recursive: true, mode: folderMode });
  // The same content may be there already; then the one replaces its equal.
  await rename(temporary, place);
  await flushFolder(parent);
  if (made !== undefined) await flushFolder(folder);
}

/** Writes a stream into a file of its own; the stream is ended also where there can be none. */
async function writeOut(
  file: string,
  body: ReadableStream<Uint8Array>,
  mostBytes: number,
): ReturnType<typeof pour> {
  const handle = await open(file, "wx", fileMode).catch(async (error: unknown) => {
    await body.cancel().catch(() => undefined);
    throw error;
  });
  try {
    return await pour(body, handle, mostBytes);
  } finally {
    await handle.close();
  }
}

/**
 * Opens the files of a folder, which is made where it is missing, and removes what a crash left unfinished. One process at a time,
 * which is the one that holds the store. Rejects with a `store.*` where the folder cannot be used.
 */
export async function openFileStore(folder: string): Promise<FileStore> {
  const unfinished = path.join(folder, "unfinished");
  const placeOf = (sha256: string): string => path.join(folder, sha256.slice(0, 2), sha256);
  try {
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true, mode: folderMode });
  } catch (error) {
    throw explained(error, folder);
  }
  return {
    async put(body, mostBytes) {
      const temporary = path.join(unfinished, randomUUID());
      try {
        const stored = await writeOut(temporary, body, mostBytes);
        await keep(folder, temporary, placeOf(stored.sha256));
        return stored;
      } catch (error) {
        // Where even this fails, the next start removes it.
        await rm(temporary, { force: true }).catch(() => undefined);
        throw explained(error, folder);
      }
    },
    async read(sha256) {
      const missing = new AppError("chat.file-missing", { hash: sha256.slice(0, 12) });
      if (!/^[0-9a-f]{64}$/.test(sha256)) throw missing;
      try {
        return await readFile(placeOf(sha256));
      } catch (error) {
        throw isCode(error, "ENOENT") ? missing : explained(error, folder);
      }
    },
  };
}
