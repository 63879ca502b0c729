import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

import { z } from "zod";

import { type Model, weightCount } from "./model.ts";
import { formatVersion } from "./write-model.ts";

const digestBytes = 32;
const lengthBytes = 4;

const headSchema = z.strictObject({
  format: z.literal(formatVersion),
  key: z.string(),
  agents: z.array(z.string()),
  thresholds: z.array(z.number()),
});

function parseHead(bytes: Buffer): z.infer<typeof headSchema> | undefined {
  try {
    return headSchema.safeParse(JSON.parse(bytes.toString())).data;
  } catch {
    return undefined;
  }
}

function decode(file: Buffer, key: string): Model | undefined {
  const rest = file.subarray(digestBytes);
  if (rest.length < lengthBytes) return undefined;
  const digest = createHash("sha256").update(rest).digest();
  if (!digest.equals(file.subarray(0, digestBytes))) return undefined;
  const begin = lengthBytes + rest.readUInt32LE();
  const head = parseHead(rest.subarray(lengthBytes, begin));
  if (head?.key !== key || head.thresholds.length !== head.agents.length) return undefined;
  const weights = new Float32Array(weightCount(head.agents.length));
  if (rest.length !== begin + weights.byteLength) return undefined;
  new Uint8Array(weights.buffer).set(rest.subarray(begin));
  return { agents: head.agents, thresholds: head.thresholds, weights };
}

/** The model of a file; undefined where there is none, where it is damaged, and where it is another key's or version's. */
export async function readModel(file: string, key: string): Promise<Model | undefined> {
  const bytes = await readFile(file).catch(() => undefined);
  return bytes === undefined ? undefined : decode(bytes, key);
}
