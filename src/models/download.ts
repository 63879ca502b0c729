import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat, statfs } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";

import type { Clock } from "#core/clock.ts";
import { AppError, reasonOf } from "#core/errors.ts";
import type { Fetch } from "#core/http.ts";

import { within } from "./clients/deadline.ts";

/** A file to be fetched, and what it must be. */
export interface Wanted {
  /** How people name it. */
  readonly name: string;
  readonly url: string;
  /** Where it is put when it is whole and right. */
  readonly target: string;
  readonly size: number;
  readonly sha256: string;
}

/** What a download works with. */
export interface DownloadDeps {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: { completedBytes: number; totalBytes: number }) => void;
}

/** Tries without a new byte before a download is given up. */
const tryLimit = 4;
const retryMs = 1000;
const silenceMs = 60_000;

/** The SHA-256 of a file, in hexadecimal. */
async function hashOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/** Bytes of a file; 0 where there is none. */
export async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch {
    return 0;
  }
}

/** Throws `download.no-space` unless this many bytes are free in the folder. */
export async function checkSpace(name: string, folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= bytes) return;
  const megabytes = (value: number): string => `${Math.ceil(value / 1e6)} MB`;
  const needs = megabytes(bytes);
  throw new AppError("download.no-space", { name, needs, free: megabytes(free), folder });
}

/** Throws `download.corrupt`, and deletes the file, unless it is of this size and hash. */
export async function checkFile(
  file: string,
  wanted: Pick<Wanted, "name" | "size" | "sha256">,
): Promise<void> {
  const size = await sizeOf(file);
  const problem =
    size === wanted.size
      ? (await hashOf(file)) === wanted.sha256
        ? undefined
        : "its SHA-256 is another"
      : `${size} bytes in place of ${wanted.size}`;
  if (problem === undefined) return;
  await rm(file, { force: true });
  throw new AppError("download.corrupt", { name: wanted.name, problem });
}

/** One request from where the part ends; gives the bytes that the part then has. */
async function fetchOnce(part: string, wanted: Wanted, deps: DownloadDeps): Promise<number> {
  const { fetch, clock, signal, onProgress } = deps;
  const have = await sizeOf(part);
  const headers: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {};
  const response = await fetch(wanted.url, { headers, signal });
  if (response.status === 416) {
    await response.body?.cancel();
    await rm(part, { force: true });
    return 0;
  }
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new Error(`status ${response.status}`);
  }
  const goesOn = response.status === 206;
  const file = await open(part, goesOn ? "a" : "w");
  let completedBytes = goesOn ? have : 0;
  const reader = response.body.getReader();
  try {
    for (;;) {
      const next = await within(clock, silenceMs, reader.read());
      if (next.done) break;
      await file.write(next.value);
      completedBytes += next.value.byteLength;
      // A server that goes on for ever must not fill the disk.
      if (completedBytes > wanted.size) break;
      onProgress({ completedBytes, totalBytes: wanted.size });
    }
    await file.sync();
  } finally {
    // Also one that said nothing any more is given up, so that nothing comes in that is on no receipt.
    await reader.cancel().catch(() => undefined);
    await file.close();
  }
  return completedBytes;
}

/**
 * Fetches a file, going on where an earlier try broke off; it appears at its target only whole and checked. Rejects with
 * `download.failed`, `download.no-space` or `download.corrupt`, or with the signal's reason.
 */
export async function download(wanted: Wanted, deps: DownloadDeps): Promise<void> {
  const { name, target, size } = wanted;
  const part = `${target}.part`;
  if ((await sizeOf(target)) > 0) {
    await checkFile(target, wanted);
    return;
  }
  await mkdir(path.dirname(target), { recursive: true });
  await checkSpace(name, path.dirname(target), size - (await sizeOf(part)));
  let failures = 0;
  let problem = "it ended early";
  while ((await sizeOf(part)) < size) {
    const before = await sizeOf(part);
    try {
      await fetchOnce(part, wanted, deps);
    } catch (error) {
      deps.signal.throwIfAborted();
      problem = reasonOf(error);
      if (error instanceof AppError && error.code !== "door.unreachable") throw error;
    }
    failures = (await sizeOf(part)) > before ? 0 : failures + 1;
    if (failures >= tryLimit) throw new AppError("download.failed", { name, problem });
    if (failures > 0) await deps.clock.sleep(retryMs * failures, deps.signal);
    deps.signal.throwIfAborted();
  }
  await checkFile(part, wanted);
  await rename(part, target);
}
