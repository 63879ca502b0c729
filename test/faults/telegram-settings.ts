import { readFileSync } from "node:fs";

import { z } from "zod";

/** A part that is broken on purpose: the campaign must find what it does. */
export const controlSchema = z.enum(["confirm-first", "resend-when-unsure", "lying-store"]);

/** What the campaign tells its child, as its one argument. */
export const childSettingsSchema = z.strictObject({
  home: z.string(),
  journal: z.string(),
  /** The process kills itself when it comes to this point for the so-many-th time. */
  armed: z.strictObject({ point: z.string(), nth: z.int(), onSignal: z.boolean() }).optional(),
  /** The disk is full for a while. */
  full: z.strictObject({ afterMs: z.int(), forMs: z.int() }).optional(),
  /** Milliseconds that the clock goes wrong by, and from when on. */
  clock: z.strictObject({ startsAt: z.int(), afterMs: z.int(), jumpsTo: z.int() }),
  broken: controlSchema.optional(),
});

export type ChildSettings = z.infer<typeof childSettingsSchema>;
export type Control = z.infer<typeof controlSchema>;

const entrySchema = z.union([
  /** The store has promised to keep these updates; messages as "chat/message". */
  z.strictObject({ accepted: z.array(z.string()), messages: z.array(z.string()) }),
  /** The process kills itself here. */
  z.strictObject({ killed: z.string() }),
]);

export type Entry = z.infer<typeof entrySchema>;

/** Reads a journal on, from where it was read last; a line that a kill cut short is left out. */
export function createJournalReader(file: string): () => Entry[] {
  let done = 0;
  return () => {
    const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
    const fresh = lines.slice(done).filter((line) => line.endsWith("}"));
    done = lines.length;
    return fresh.map((line) => entrySchema.parse(JSON.parse(line)));
  };
}
