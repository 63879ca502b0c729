import { createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createInflateRaw } from "node:zlib";

// The parts of a ZIP archive that are read here (APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16).
const endMark = 0x06054b50;
const entryMark = 0x02014b50;
const endSize = 22;
const longestComment = 65_535;

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly packedBytes: number;
  readonly localOffset: number;
}

function entriesOf(directory: Buffer): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === entryMark;) {
    const nameLength = directory.readUInt16LE(at + 28);
    entries.push({
      method: directory.readUInt16LE(at + 10),
      packedBytes: directory.readUInt32LE(at + 20),
      localOffset: directory.readUInt32LE(at + 42),
      name: directory.toString("utf8", at + 46, at + 46 + nameLength),
    });
    at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

/** Writes one deflated entry of a wheel (a ZIP archive) to a file. Nothing else of the archive is read. */
export async function extractEntry(wheel: string, name: string, target: string): Promise<void> {
  const file = await open(wheel);
  try {
    const { size } = await file.stat();
    const tail = Buffer.alloc(Math.min(size, endSize + longestComment));
    await file.read(tail, 0, tail.length, size - tail.length);
    const at = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
    if (at === -1 || tail.readUInt32LE(at) !== endMark) throw new Error("not a ZIP archive");
    const directory = Buffer.alloc(tail.readUInt32LE(at + 12));
    await file.read(directory, 0, directory.length, tail.readUInt32LE(at + 16));
    const entry = entriesOf(directory).find((candidate) => candidate.name === name);
    if (entry === undefined || entry.method !== 8)
      throw new Error(`no entry ${name} in the archive`);
    const head = Buffer.alloc(30);
    await file.read(head, 0, head.length, entry.localOffset);
    const start = entry.localOffset + 30 + head.readUInt16LE(26) + head.readUInt16LE(28);
    const packed = file.createReadStream({
      start,
      end: start + entry.packedBytes - 1,
      autoClose: false,
    });
    await pipeline(packed, createInflateRaw(), createWriteStream(target, { flush: true }));
  } finally {
    await file.close();
  }
}
