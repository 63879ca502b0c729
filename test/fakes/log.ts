import type { Log } from "../../src/core/log.ts";

/** A log that keeps the bugs it was told of. */
export function createFakeLog(onBug: (error: unknown, task: string | undefined) => void): Log {
  return { info: () => {}, warn: () => {}, bug: (error, fields) => onBug(error, fields?.task) };
}
