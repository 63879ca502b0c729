import { randomUUID } from "node:crypto";
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import path from "node:path";

import { median } from "./result.ts";

/** Milliseconds of one write and fdatasync of a WAL frame's size in this folder, median of many. */
export function bareCommitMs(folder: string): number {
  const file = openSync(path.join(folder, `bare-${randomUUID()}`), "w");
  const frame = Buffer.alloc(3 * 4120);
  const times = Array.from({ length: 60 }, () => {
    const start = performance.now();
    writeSync(file, frame);
    fdatasyncSync(file);
    return performance.now() - start;
  });
  closeSync(file);
  return median(times);
}
