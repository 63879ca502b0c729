import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

import {
  cacheName,
  type Classifier,
  createClassifier,
} from "../src/agents/classifier/classifier.ts";
import { canonical, type Lesson, readLesson } from "../src/agents/classifier/examples.ts";
import { createRandom, dealFolds } from "../src/agents/classifier/folds.ts";
import { classifyWith } from "../src/agents/classifier/model.ts";
import { type Example, trainModel } from "../src/agents/classifier/train.ts";
import { findFolders, loadConfig } from "../src/config.ts";
import type { Agent } from "../src/core/agent.ts";
import { systemClock } from "../src/core/clock.ts";
import { createSpawn } from "../src/sandbox/spawn.ts";
import { createRedactor } from "../src/core/redact.ts";

import {
  boundFigures,
  printConfusion,
  tallyFigures,
  tallyOf,
  type Verdict,
} from "./classify-tally.ts";
import { languageOf } from "./language.ts";
import { type BenchResult, type Figure, figure, median, resultOf } from "./result.ts";
import { shareWords } from "./wilson.ts";

const root = path.join(import.meta.dirname, "..");
const phrasings = path.join(root, "config/phrasings");
const foldCount = 5;
const latencyRounds = 5;
/** Sizes of an agent that its owner has just written. */
const youngSizes = [10, 20, 50];
const log = { info: () => {}, warn: console.error, bug: console.error };

/** The agents as they are shipped: an empty home adds none. */
async function shippedAgents(home: string): Promise<Agent[]> {
  return (await loadConfig(findFolders(root, home), createRedactor())).agents();
}

/** Verdicts of a model on examples that it was not trained on. */
function judge(names: readonly string[], seen: readonly Example[], unseen: readonly Example[]) {
  const model = trainModel(names, seen);
  return unseen.map(({ text, agent }): Verdict => ({
    text,
    agent,
    said: classifyWith(model, text).agent,
  }));
}

function foldOf({ examples }: Lesson, seed: number): number[] {
  const labels = examples.map(({ agent }) => agent ?? "");
  return dealFolds(labels, foldCount, createRandom(seed));
}

/** Each fold judged by a model of the others, which chose its thresholds on folds of its own. */
function foldFigures(lesson: Lesson, seed: number): Figure[] {
  const { agents: names, examples } = lesson;
  const fold = foldOf(lesson, seed);
  const verdicts = Array.from({ length: foldCount }, (_, part) =>
    judge(
      names,
      examples.filter((_example, at) => fold[at] !== part),
      examples.filter((_example, at) => fold[at] === part),
    ),
  );
  printConfusion("All folds", verdicts.flat());
  return [
    ...verdicts.flatMap((part, at) => tallyFigures(`fold ${at + 1}`, tallyOf(part))),
    ...tallyFigures("all folds", tallyOf(verdicts.flat())),
  ];
}

/** What an agent with few examples gets beside others that have many; each agent is the young one in turn. */
function youngFigures(lesson: Lesson, seed: number): Figure[] {
  const { agents: names, examples } = lesson;
  const fold = foldOf(lesson, seed);
  const unseen = examples.filter((_example, at) => fold[at] === 0);
  return youngSizes.flatMap((size) => {
    const verdicts = names.map((young) => {
      const all = examples.filter((_example, at) => fold[at] !== 0);
      const own = all.filter(({ agent }) => agent === young).slice(0, size);
      const seen = [...all.filter(({ agent }) => agent !== young), ...own];
      return judge(names, seen, unseen).map((verdict) => ({ ...verdict, young }));
    });
    const given = verdicts.flat().filter(({ said, young }) => said === young);
    const right = given.filter(({ agent, young }) => agent === young).length;
    const mine = verdicts.flat().filter(({ agent, young }) => agent === young);
    const lost = mine.filter(({ said, young }) => said !== undefined && said !== young).length;
    const name = `an agent with ${size} examples`;
    return [
      { name: `${name}: precision`, value: shareWords({ part: right, whole: given.length }) },
      { name: `${name}: found`, value: shareWords({ part: right, whole: mine.length }) },
      { name: `${name}: given to others`, value: shareWords({ part: lost, whole: mine.length }) },
    ];
  });
}

/** A quantile of these numbers, the nearest that is one of them. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** Every answer counts for the bound; the middle one of each text tells whether a miss is the machine's, busy with other work. */
async function latencyFigures(classifier: Classifier, texts: readonly string[]): Promise<Figure[]> {
  const spans = texts.map(() => new Array<number>());
  for (let round = 0; round < latencyRounds; round += 1) {
    for (const [at, text] of texts.entries()) {
      const begun = performance.now();
      await classifier.classify(text);
      spans[at]?.push(performance.now() - begun);
    }
  }
  const middles = spans.map(median);
  return [
    figure("latency p50 ms", quantile(spans.flat(), 0.5)),
    figure("latency p99 ms", quantile(spans.flat(), 0.99), 1),
    figure("latency p99 ms of each text's middle answer", quantile(middles, 0.99)),
    figure("latency worst ms", quantile(spans.flat(), 1)),
  ];
}

/** Precision and coverage by the language that a text seems to be in. */
function languageFigures(verdicts: readonly Verdict[]): Figure[] {
  const languages = [...new Set(verdicts.map(({ text }) => languageOf(text)))].toSorted();
  return languages.map((language) => {
    const tally = tallyOf(verdicts.filter(({ text }) => languageOf(text) === language));
    const words = `precision ${shareWords(tally.precision)}; coverage ${shareWords(tally.coverage)}`;
    return { name: `test, ${language}`, value: words };
  });
}

/** The test set, and how many of its texts are left out since they are trained on. */
async function readTests(agents: readonly Agent[], lesson: Lesson) {
  const blank = agents.map(({ name }) => ({ name, examples: [] }));
  const folder = path.join(root, "bench/classify");
  const { examples } = await readLesson({ agents: blank, phrasings: folder, gold: [] });
  const known = new Set(lesson.examples.map(({ text }) => canonical(text)));
  const tests = examples.filter(({ text }) => !known.has(canonical(text)));
  return { tests, leftOut: examples.length - tests.length };
}

async function verdictsOf(classifier: Classifier, tests: readonly Example[]): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const { text, agent } of tests) {
    verdicts.push({ text, agent, said: (await classifier.classify(text)).agent });
  }
  return verdicts;
}

/** The classifier as the program makes it, on texts that nothing was tuned on. */
async function testFigures(
  folder: string,
  agents: readonly Agent[],
  lesson: Lesson,
): Promise<Figure[]> {
  const sources = { agents, phrasings, gold: [] };
  const process = { spawn: createSpawn(), trainsAfterMs: 0 };
  const ports = { folder, version: "bench", ...process, clock: systemClock, log };
  const classifier = createClassifier({ ...ports, sources: () => Promise.resolve(sources) });
  const begun = performance.now();
  await classifier.prepare();
  const seconds = (performance.now() - begun) / 1000;
  const { tests, leftOut } = await readTests(agents, lesson);
  const texts = tests.map(({ text }) => text);
  const first = performance.now();
  await classifier.classify("hello");
  const firstMs = performance.now() - first;
  const verdicts = await verdictsOf(classifier, tests);
  const latency = await latencyFigures(classifier, texts);
  await classifier.close();
  printConfusion("Test set", verdicts);
  const tally = tallyOf(verdicts);
  return [
    figure("test texts", tests.length),
    figure("test texts left out, since they are trained on", leftOut),
    ...boundFigures(tally),
    ...tallyFigures("test, with intervals", tally),
    ...languageFigures(verdicts),
    figure("first answer, with reading the cache, ms", firstMs),
    ...latency,
    figure("training seconds", seconds),
    figure("cache KB", (await stat(path.join(folder, cacheName))).size / 1000),
  ];
}

/** How well the classifier chooses: on folds of what it is trained on, then on texts of its own. */
export async function run(args: readonly string[]): Promise<BenchResult> {
  const { values } = parseArgs({
    args: [...args],
    options: { seed: { type: "string", default: "1" } },
  });
  const seed = Number(values.seed);
  const folder = await mkdtemp(path.join(tmpdir(), "bench-classify-"));
  try {
    const agents = await shippedAgents(folder);
    const lesson = await readLesson({ agents, phrasings, gold: [] });
    return resultOf("classify", seed, [
      figure("examples", lesson.examples.length),
      ...foldFigures(lesson, seed),
      ...youngFigures(lesson, seed),
      ...(await testFigures(folder, agents, lesson)),
    ]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
