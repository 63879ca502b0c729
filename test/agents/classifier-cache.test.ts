import { createHash } from "node:crypto";
import { readFile, stat, truncate, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { setImmediate as turn } from "node:timers/promises";

import { describe, expect, onTestFinished, test } from "vitest";

import { cacheName, createClassifier } from "../../src/agents/classifier/classifier.ts";
import type { ExampleSources } from "../../src/agents/classifier/examples.ts";
import { systemClock } from "../../src/core/clock.ts";
import { createSpawn } from "../../src/sandbox/spawn.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { emptyFolder } from "../fakes/folder.ts";
import { blank, createNotingLog, phrasingsFolder, requests } from "./phrasings.ts";

const trained = "The classifier was trained.";
const text = "when do I water the roses";

/** A folder for the cache, phrasings, and classifiers over both: each as in a process of its own. */
async function setUp() {
  const folder = await emptyFolder("classifier");
  const phrasings = await phrasingsFolder(requests);
  const agents = [blank("gardener"), blank("cook")];
  const file = path.join(folder, cacheName);

  function start(
    own: Partial<ExampleSources> = {},
    { version = "1", at = folder, trainsAfterMs = 0, clock = systemClock } = {},
  ) {
    const { log, told } = createNotingLog();
    const changing: { sources: ExampleSources } = {
      sources: { agents, phrasings, gold: [], ...own },
    };
    const sources = () => Promise.resolve(changing.sources);
    const process = { spawn: createSpawn(), trainsAfterMs };
    const ports = { folder: at, version, sources, ...process, clock, log };
    const classifier = createClassifier(ports);
    onTestFinished(() => classifier.close());
    return { ...classifier, told, changing };
  }

  async function prepared(...args: Parameters<typeof start>) {
    const classifier = start(...args);
    await classifier.prepare();
    return classifier;
  }
  return { folder, phrasings, file, start, prepared };
}

describe("a classifier without a cache", () => {
  test("waits with its first training, and for nothing once it is asked for again", async () => {
    const { file, start } = await setUp();
    const clock = createFakeClock();
    const { prepare, told } = start({}, { trainsAfterMs: 15_000, clock });
    const first = prepare();
    await expect.poll(() => clock.next()).toBe(15_000);
    await expect(stat(file)).rejects.toThrow("ENOENT");
    expect(await Promise.all([first, prepare()])).toEqual([true, true]);
    expect(told.filter((line) => line.includes(trained))).toHaveLength(1);
  });

  test("trains in a process of its own, abstains meanwhile, and lets the loop go round", async () => {
    const { file, start } = await setUp();
    const { prepare, classify, told } = start();
    expect(await classify(text)).toEqual({ votes: [], agent: undefined });
    const state = { over: false, turns: 0, said: 0 };
    const prepared = prepare().then(() => (state.over = true));
    while (!state.over) {
      await turn();
      state.turns += 1;
      if (state.over) break;
      state.said += (await classify(text)).votes.length;
    }
    await prepared;
    expect(state.said).toBe(0);
    expect(state.turns).toBeGreaterThan(100);
    expect((await classify(text)).agent).toBe("gardener");
    expect(told).toEqual([trained]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test("ends its training when it is closed, and leaves no cache", async () => {
    const { file, start } = await setUp();
    const { prepare, close, classify, told } = start();
    const prepared = prepare();
    await turn();
    await close();
    expect(await prepared).toBe(false);
    expect(told).toEqual([]);
    expect((await classify(text)).votes).toEqual([]);
    await expect(stat(file)).rejects.toThrow("ENOENT");
  });

  test("says why it could not be trained, abstains, and is trained when it can be", async () => {
    const { file, folder, prepared } = await setUp();
    await writeFile(path.join(folder, "blocked"), "");
    const inFile = { version: "1", at: path.join(folder, "blocked", "folder") };
    const blocked = await prepared({}, inFile);
    expect(blocked.told).toEqual([expect.stringMatching(/^bug: .*ENOTDIR/)]);
    expect((await blocked.classify(text)).votes).toEqual([]);
    const unreadable = await prepared({ phrasings: path.join(folder, "blocked") });
    expect(unreadable.told).toEqual([expect.stringMatching(/^bug: .*ENOTDIR/)]);
    unreadable.changing.sources = { ...unreadable.changing.sources, phrasings: folder };
    await unreadable.prepare();
    expect(unreadable.told.slice(1)).toEqual([trained]);
    expect((await stat(file)).size).toBeGreaterThan(0);
  });
});

describe("a classifier with a cache", () => {
  test("neither trains nor reads a phrasing", async () => {
    const { phrasings, prepared } = await setUp();
    const cook = path.join(phrasings, "cook.txt");
    await utimes(cook, 1_000_000, 1_000_000);
    const { votes } = await (await prepared()).classify(text);
    await writeFile(cook, "x".repeat((await stat(cook)).size));
    await utimes(cook, 1_000_000, 1_000_000);
    const again = await prepared();
    expect((await again.classify(text)).votes).toEqual(votes);
    expect(again.told).toEqual([]);
  });

  test("is trained anew when an example, a phrasing, a correction or the version is another", async () => {
    const { phrasings, prepared } = await setUp();
    await prepared();
    const tailor = { name: "tailor", examples: ["sew a hem"] };
    const agents = [blank("gardener"), blank("cook"), tailor];
    expect((await prepared({ agents })).told).toEqual([trained]);
    expect((await prepared({ agents })).told).toEqual([]);
    const gold = [{ text, agent: "cook" }];
    expect((await prepared({ agents, gold })).told).toEqual([trained]);
    expect((await prepared({ agents, gold }, { version: "2" })).told).toEqual([trained]);
    await writeFile(path.join(phrasings, "none.txt"), requests.none.slice(1).join("\n"));
    expect((await prepared({ agents, gold }, { version: "2" })).told).toEqual([trained]);
  });

  test("takes up a correction while it lives: the vote is another", async () => {
    const { prepared: started } = await setUp();
    const { classify, prepare, changing, told } = await started();
    expect((await classify(text)).votes[0]?.agent).toBe("gardener");
    changing.sources = { ...changing.sources, gold: [{ text, agent: "cook" }] };
    const state = { over: false, silent: 0 };
    const prepared = prepare().finally(() => (state.over = true));
    while (!state.over) {
      await turn();
      // Asked while the new one is trained, the one before answers.
      if ((await classify(text)).votes.length === 0) state.silent += 1;
    }
    expect([await prepared, state.silent]).toEqual([true, 0]);
    expect((await classify(text)).votes[0]?.agent).toBe("cook");
    expect(told).toEqual([trained, trained]);
  });

  test.each([
    ["its digest", (bytes: Buffer) => bytes.writeUInt8(bytes.readUInt8(3) ^ 1, 3)],
    ["its length", (bytes: Buffer) => bytes.writeUInt32LE(0xff_ff_ff_ff, 32)],
    ["its head", (bytes: Buffer) => bytes.writeUInt8(bytes.readUInt8(50) ^ 1, 50)],
    ["its last weight", (bytes: Buffer) => bytes.writeUInt8(7, bytes.length - 1)],
  ])("that is damaged in %s is trained anew", async (_, damage) => {
    const { file, prepared } = await setUp();
    const { votes } = await (await prepared()).classify(text);
    const bytes = await readFile(file);
    damage(bytes);
    await writeFile(file, bytes);
    const again = await prepared();
    expect(again.told).toEqual([trained]);
    expect((await again.classify(text)).votes).toEqual(votes);
  });

  test.each([0, 1, 33, 36, 60, 100_000])(
    "that has only %i bytes is trained anew",
    async (length) => {
      const { file, prepared } = await setUp();
      await prepared();
      await truncate(file, length);
      expect((await prepared()).told).toEqual([trained]);
    },
  );

  test.each([
    ["another format", (rest: string) => rest.replace('"format":1', '"format":9')],
    ["more agents than thresholds", (rest: string) => rest.replace('"gardener"', '"garden",""')],
    ["a head that is no JSON", (rest: string) => rest.replace('{"format"', '["format"')],
    ["too few weights", (rest: string) => rest.slice(0, -4)],
    ["too many weights", (rest: string) => `${rest}more`],
  ])("that is whole, but has %s, is trained anew", async (_, change) => {
    const { file, prepared } = await setUp();
    await prepared();
    const before = (await readFile(file)).subarray(32).toString("latin1");
    const after = Buffer.from(change(before), "latin1");
    expect(after.toString("latin1")).not.toBe(before);
    await writeFile(file, Buffer.concat([createHash("sha256").update(after).digest(), after]));
    expect((await prepared()).told).toEqual([trained]);
  });

  test("is read once: what becomes of the file afterwards is nothing to who has found that it fits", async () => {
    const { file, prepared } = await setUp();
    await prepared();
    const { classify, told } = await prepared();
    await truncate(file, 100);
    expect((await classify(text)).agent).toBe("gardener");
    expect(told).toEqual([]);
  });

  test("that is damaged after it was written is trained anew, once, when it is first asked", async () => {
    const { file, prepared } = await setUp();
    const { classify, told } = await prepared();
    await truncate(file, 100);
    const said = await Promise.all([classify(text), classify(text)]);
    expect(said.map(({ votes }) => votes)).toEqual([[], []]);
    await expect.poll(async () => (await classify(text)).agent).toBe("gardener");
    expect(told).toEqual([trained, trained]);
  });

  test("is not touched by what a crash left beside it", async () => {
    const { file, prepared } = await setUp();
    await writeFile(`${file}.part`, "half");
    expect((await prepared()).told).toEqual([trained]);
    expect((await prepared()).told).toEqual([]);
    await expect(stat(`${file}.part`)).rejects.toThrow("ENOENT");
  });
});
