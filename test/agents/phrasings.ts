import { writeFile } from "node:fs/promises";
import path from "node:path";

import type { Log } from "../../src/core/log.ts";
import { emptyFolder } from "../fakes/folder.ts";

const tasks = ["sow", "water", "prune", "plant"];
const plants = ["carrots", "roses", "tomatoes", "beans"];
const ways = ["fry", "bake", "season", "serve"];
const dishes = ["noodles", "soup", "pancakes", "fish"];
const chatter = ["ok", "yes", "later", "see you", "thanks", "no", "the blue one", "hm"];

/** Requests for a gardener, for a cook and for nobody, easy to tell apart. */
export const requests = {
  gardener: tasks.flatMap((task) => plants.map((plant) => `when do I ${task} the ${plant}?`)),
  cook: ways.flatMap((way) => dishes.map((dish) => `how long do I ${way} ${dish}`)),
  none: chatter.flatMap((word) => [word, `${word} then`]),
} as const;

/** A folder of phrasings with these lines by file. */
export async function phrasingsFolder(
  lines: Readonly<Record<string, readonly string[]>>,
): Promise<string> {
  const folder = await emptyFolder("phrasings");
  for (const [name, texts] of Object.entries(lines)) {
    await writeFile(path.join(folder, `${name}.txt`), `${texts.join("\n")}\n`);
  }
  return folder;
}

/** An agent without examples of its own. */
export const blank = (name: string) => ({ name, examples: new Array<string>() });

/** A log that notes what it is told. */
export function createNotingLog() {
  const told: string[] = [];
  const log: Log = {
    info: (words) => told.push(words),
    warn: (words) => told.push(words),
    bug: (error) => told.push(`bug: ${String(error)}`),
  };
  return { log, told };
}
