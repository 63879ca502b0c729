import { z } from "zod";

import { shortId } from "#core/ids.ts";

import { plainText } from "./output.ts";

const lineSchema = z.looseObject({
  level: z.string(),
  time: z.string(),
  msg: z.string().default(""),
  task: z.string().optional(),
  pid: z.unknown().optional(),
  err: z.looseObject({ stack: z.string().optional() }).optional(),
});

/** A line of the log, parsed; undefined for what is none. */
export type LogLine = z.infer<typeof lineSchema>;

/** Parses a line of the log. */
export function parseLogLine(text: string): LogLine | undefined {
  try {
    return lineSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function localTime(iso: string): string {
  const date = new Date(iso);
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replace("T", " ");
}

/** A line of the log as people read it; a line that is none of ours is given back. */
export function logLineText(text: string): string {
  const line = parseLogLine(text);
  if (line === undefined) return plainText(text);
  const { level, time, msg, task, pid: _, err, ...fields } = line;
  const known = Object.entries(fields).map(([key, value]) => `${key}=${String(value)}`);
  const level5 = level === "info" ? "     " : level.toUpperCase().padEnd(5);
  const words = [localTime(time), level5, ...(task === undefined ? [] : [shortId(task)]), msg];
  return plainText(
    [...words, ...known, ...(err?.stack === undefined ? [] : [`\n${err.stack}`])].join(" "),
  );
}
