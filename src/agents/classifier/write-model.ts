import { createHash } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";

import type { Model } from "./model.ts";

/** Another one whenever the features, the training or the file's form change: what is cached is then of no use. */
export const formatVersion = 1;

/**
 * A model as a file holds it: the SHA-256 of the rest, the length of the head in bytes (32 bits, little-endian), the head in JSON,
 * the weights (32-bit floats in the order of this machine, which the file does not leave).
 */
function encode({ agents, thresholds, weights }: Model, key: string): Buffer {
  const head = Buffer.from(JSON.stringify({ format: formatVersion, key, agents, thresholds }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  const floats = Buffer.from(weights.buffer, weights.byteOffset, weights.byteLength);
  const rest = Buffer.concat([length, head, floats]);
  return Buffer.concat([createHash("sha256").update(rest).digest(), rest]);
}

/** Writes a model beside its file and gives it its name then; it is the owner's alone, as are the words it was made from. */
export async function writeModel(file: string, model: Model, key: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const beside = `${file}.part`;
  await writeFile(beside, encode(model, key), { mode: 0o600 });
  await rename(beside, file);
}
