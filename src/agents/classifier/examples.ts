import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";

import type { Agent } from "#core/agent.ts";
import type { GoldLabel } from "#core/choice.ts";

import type { Example } from "./train.ts";

/** Where the examples come from. */
export interface ExampleSources {
  readonly agents: readonly Pick<Agent, "name" | "examples">[];
  /** The folder of the shipped phrasings: a file an agent, and none.txt of what is for none; a line each. */
  readonly phrasings: string;
  /** In the order in which they were given: of two about the same text the later holds. */
  readonly gold: readonly GoldLabel[];
}

/** What a model is trained on. */
export interface Lesson {
  /** The agents that have enough examples, sorted. */
  readonly agents: readonly string[];
  readonly examples: readonly Example[];
}

/** The name of the file of texts for nobody; an agent of that name has no phrasings. */
const nobody = "none";
/** With fewer examples an agent is not told from the others. */
const fewestExamples = 8;
/** The owner's word against what was shipped. */
const goldWeight = 5;

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

async function linesOf(folder: string, name: string): Promise<string[]> {
  try {
    return (await readFile(path.join(folder, `${name}.txt`), "utf8")).split("\n");
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** What two spellings of the same text have in common. */
export function canonical(text: string): string {
  return text.normalize("NFKC").toLowerCase().replaceAll(/\s+/g, " ").trim();
}

/** The phrasings of the agents and of nobody, then what the owner wrote, so that the later is the weightier. */
async function allExamples({ agents, phrasings, gold }: ExampleSources): Promise<Example[]> {
  const names = agents.map(({ name }) => name).toSorted();
  const shipped = await Promise.all(
    names.map(async (agent) => {
      const lines = agent === nobody ? [] : await linesOf(phrasings, agent);
      return lines.map((text) => ({ text, agent, weight: 1 }));
    }),
  );
  const none = await linesOf(phrasings, nobody);
  const written = agents.flatMap(({ name, examples }) =>
    examples.map((text) => ({ text, agent: name, weight: 1 })),
  );
  return [
    ...none.map((text) => ({ text, agent: null, weight: 1 })),
    ...shipped.flat(),
    ...written.toSorted((a, b) => (a.agent < b.agent ? -1 : a.agent > b.agent ? 1 : 0)),
    ...gold
      .filter(({ agent }) => names.includes(agent))
      .map((label) => ({ ...label, weight: goldWeight })),
  ];
}

/** Reads the examples, each text once. Without enough texts for nobody there is no agent: all of them would be too sure. */
export async function readLesson(sources: ExampleSources): Promise<Lesson> {
  const byText = new Map<string, Example>();
  for (const example of await allExamples(sources)) {
    const text = canonical(example.text);
    if (text !== "") byText.set(text, example);
  }
  const examples = [...byText.values()];
  const enough = (name: string | null): boolean =>
    examples.filter(({ agent }) => agent === name).length >= fewestExamples;
  const names = sources.agents.map(({ name }) => name).toSorted();
  const agents = enough(null) ? names.filter(enough) : [];
  const used = examples.filter(({ agent }) => agent === null || agents.includes(agent));
  return { agents, examples: used };
}

/** The phrasings as they lie there, without reading them: names, sizes and times. */
async function marksOf(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown): string[] => {
    if (isMissing(error)) return [];
    throw error;
  });
  return Promise.all(
    names.toSorted().map(async (name) => {
      const { size, mtimeMs } = await stat(path.join(folder, name));
      return `${name} ${size} ${mtimeMs}`;
    }),
  );
}

/** Is another one when a model must be trained anew: when the examples or what makes a model of them changed. */
export async function keyOf(sources: ExampleSources, version: string): Promise<string> {
  const agents = sources.agents.map(({ name, examples }) => [name, examples] as const);
  const facts = [
    version,
    agents.toSorted(([a], [b]) => (a < b ? -1 : 1)),
    sources.gold.map(({ text, agent }) => [text, agent]),
    await marksOf(sources.phrasings),
  ];
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex");
}
