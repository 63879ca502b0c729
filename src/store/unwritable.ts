import { accessSync, constants, existsSync, lstatSync, readdirSync } from "node:fs";
import path from "node:path";

import { AppError, reasonOf } from "#core/errors.ts";

/** Who runs this program. */
interface Runner {
  readonly uid: number;
  readonly gid: number;
  /** True in our image, which has neither sudo nor root: its volume is mended from outside. */
  readonly container: boolean;
}

interface Finding {
  readonly problem: string;
  readonly fix: string;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function codeOfAccess(file: string): string {
  try {
    accessSync(file, constants.W_OK);
    return "";
  } catch (error) {
    return codeOf(error);
  }
}

/** A file that only our image has. */
const imageMarker = "/etc/agent-image";

const isBlocked = (file: string): boolean => codeOfAccess(file) !== "";

/** The folder itself or the nearest of those above it that is there. */
function nearest(folder: string): string {
  const above = path.dirname(folder);
  return existsSync(folder) || above === folder ? folder : nearest(above);
}

/** The folder, or the first file of the database or its lock in it, that cannot be written. */
function culprit(folder: string): string | undefined {
  const there = nearest(folder);
  if (isBlocked(there)) return there;
  if (there !== folder) return undefined;
  const names = readdirSync(folder).filter((name) => /^(agent|lock)\./.test(name));
  return names.map((name) => path.join(folder, name)).find(isBlocked);
}

/** The highest folder of the home that one command must mend with this one; the data directory lies two below the home. */
function highest(blocked: string, home: string): string {
  const above = path.dirname(blocked);
  const inside = !path.relative(home, above).startsWith("..");
  return inside && isBlocked(above) ? highest(above, home) : blocked;
}

function chown({ uid, gid, container }: Runner, target: string): string {
  if (!container) return `run sudo chown -R ${uid}:${gid} ${target}`;
  const caps = "--cap-add CHOWN --cap-add DAC_OVERRIDE";
  const compose = `docker compose run --rm --no-deps --user 0:0 ${caps} --entrypoint chown agent`;
  return `run ${compose} -R ${uid}:${gid} ${target}`;
}

function findingOf(blocked: string, home: string, runner: Runner): Finding {
  if (codeOfAccess(blocked) === "EROFS") {
    return { problem: "its disk is mounted read-only", fix: "mount it writable" };
  }
  const { uid, gid, mode } = lstatSync(blocked);
  const bits = (mode & 0o7777).toString(8).padStart(4, "0");
  if (uid === runner.uid) {
    const fix = `run chmod -R u+rwX ${highest(blocked, home)}`;
    return { problem: `${blocked} has mode ${bits}`, fix };
  }
  const us = `${runner.uid}:${runner.gid}`;
  const problem = `${blocked} belongs to ${uid}:${gid} with mode ${bits}, and this program runs as ${us}`;
  const above = path.relative(home, blocked).startsWith("..");
  // What lies above the home is others' too: the home is made in it, and nothing given away.
  if (above)
    return { problem, fix: `run sudo install -d -o ${runner.uid} -g ${runner.gid} ${home}` };
  return { problem, fix: chown(runner, highest(blocked, home)) };
}

function look(folder: string, error: unknown): Finding {
  const there = nearest(folder);
  if (!lstatSync(there).isDirectory()) {
    return { problem: `${there} is not a folder`, fix: "move it away" };
  }
  const blocked = culprit(folder);
  const { getuid, getgid } = process;
  if (blocked === undefined || getuid === undefined || getgid === undefined) {
    return { problem: reasonOf(error), fix: "let this program write there" };
  }
  const runner = { uid: getuid(), gid: getgid(), container: existsSync(imageMarker) };
  return findingOf(blocked, path.resolve(folder, "../.."), runner);
}

/** What keeps a data directory from being written, as `store.read-only` with the exact owner, mode and command; never throws. */
export function unwritable(folder: string, error: unknown): AppError {
  const options = { cause: error };
  try {
    return new AppError("store.read-only", { folder, ...look(folder, error) }, options);
  } catch {
    const unknown = { problem: reasonOf(error), fix: "let this program write there" };
    return new AppError("store.read-only", { folder, ...unknown }, options);
  }
}

/**
 * Throws what `unwritable` says unless the data directory and the files of the database can be written. SQLite opens a file
 * that is not ours for reading, and then a lock on it is none.
 */
export function checkWritable(folder: string): void {
  const blocked = culprit(folder);
  if (blocked === undefined) return;
  throw unwritable(folder, new Error(codeOfAccess(blocked)));
}

/**
 * Throws what `unwritable` says when one of these folders is there and closed to this program. Asked first, since a closed
 * folder fails in other ways too: as settings that cannot be read, or as a service of somebody else's.
 */
export function checkOpen(state: string, folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      accessSync(folder, constants.R_OK | constants.X_OK);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw unwritable(state, error);
    }
  }
}
