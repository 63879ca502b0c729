import { readFile } from "node:fs/promises";

import { z } from "zod";

/** What the campaign tells its child process. */
export const faultSettingsSchema = z.strictObject({
  folder: z.string(),
  journal: z.string(),
  /** New tasks of this life of the process. */
  newTasks: z.int(),
  /** Milliseconds that each tool call takes. */
  stepMs: z.int(),
  /** The negative control: promises to store steps and does not. */
  forgetSteps: z.boolean(),
});

const entrySchema = z.discriminatedUnion("did", [
  z.strictObject({ did: z.literal("effect"), task: z.string(), part: z.int() }),
  z.strictObject({ did: z.literal("stored"), task: z.string(), part: z.int() }),
  z.strictObject({
    did: z.literal("ended"),
    task: z.string(),
    state: z.string(),
    output: z.string().nullable(),
  }),
  z.strictObject({ did: z.literal("bug"), task: z.string(), error: z.string() }),
]);

type Entry = z.infer<typeof entrySchema>;

/** What the journal shows against the claim. */
export interface Verdict {
  /** Effects done again after the store had promised to keep their step. */
  readonly repeatedAfterStored: number;
  /** Effects done again because the kill fell between effect and promise: the window that no store can close. */
  readonly repeatedInWindow: number;
  readonly endedTwice: number;
  readonly wrongEnds: number;
  readonly bugs: number;
  readonly ended: number;
}

/** Reads a journal; a line that a kill cut short is left out. */
export async function readJournal(file: string): Promise<Entry[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => entrySchema.parse(JSON.parse(line)));
}

/** Judges a journal by the claim alone: every task ends once, and no stored step is executed again. */
export function judge(entries: readonly Entry[]): Verdict {
  const stored = new Set<string>();
  const effects = new Set<string>();
  const ends = new Map<string, number>();
  const verdict = { repeatedAfterStored: 0, repeatedInWindow: 0, wrongEnds: 0, bugs: 0 };
  for (const entry of entries) {
    if (entry.did === "bug") verdict.bugs += 1;
    else if (entry.did === "ended") {
      ends.set(entry.task, (ends.get(entry.task) ?? 0) + 1);
      if (entry.state !== "done" || entry.output !== "Both are marked.") verdict.wrongEnds += 1;
    } else {
      const key = `${entry.task} ${entry.part}`;
      if (entry.did === "stored") stored.add(key);
      else if (stored.has(key)) verdict.repeatedAfterStored += 1;
      else if (effects.has(key)) verdict.repeatedInWindow += 1;
      if (entry.did === "effect") effects.add(key);
    }
  }
  const endedTwice = [...ends.values()].filter((times) => times > 1).length;
  return { ...verdict, endedTwice, ended: ends.size };
}
