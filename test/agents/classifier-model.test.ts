import { describe, expect, test } from "vitest";

import { type ExampleSources, readLesson } from "../../src/agents/classifier/examples.ts";
import { abstained, classifyWith, type Model } from "../../src/agents/classifier/model.ts";
import { thresholdsOf, trainModel } from "../../src/agents/classifier/train.ts";
import { blank, phrasingsFolder, requests } from "./phrasings.ts";

/** Both agents with all their phrasings, except for what is set otherwise. */
async function sourcesWith(own: Partial<ExampleSources> = {}): Promise<ExampleSources> {
  const agents = [blank("gardener"), blank("cook")];
  return { agents, phrasings: await phrasingsFolder(requests), gold: [], ...own };
}

async function train(own: Partial<ExampleSources> = {}): Promise<Model> {
  const { agents, examples } = await readLesson(await sourcesWith(own));
  return trainModel(agents, examples);
}

describe("a trained model", () => {
  test("tells agents apart on words that it has not seen together, and shows every vote", async () => {
    const model = await train();
    const { votes, agent } = classifyWith(model, "When do I sow the roses and tomatoes");
    expect(agent).toBe("gardener");
    expect(new Set(votes.map((vote) => vote.agent))).toEqual(new Set(["cook", "gardener", null]));
    expect(votes[0]?.agent).toBe("gardener");
    expect(votes.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1);
    expect(classifyWith(model, "how long do I bake soup").agent).toBe("cook");
  });

  test("abstains where the class of nobody wins, however sure", async () => {
    const { votes, agent } = classifyWith(await train(), "ok then");
    expect([votes[0]?.agent, votes[0]?.threshold, agent]).toEqual([null, null, undefined]);
  });

  test("abstains below the threshold of the class that wins", async () => {
    const model = await train();
    const text = "how long do I bake soup";
    const score = classifyWith(model, text).votes[0]?.score ?? 0;
    const at = (threshold: number): Model => ({ ...model, thresholds: [threshold, threshold] });
    expect(classifyWith(at(score), text).agent).toBe("cook");
    expect(classifyWith(at(score + 1e-9), text).agent).toBeUndefined();
    expect(classifyWith(at(2), text).votes[0]).toEqual({ agent: "cook", score, threshold: null });
  });

  test("is the same to the bit for the same examples, in whatever order the agents are", async () => {
    const one = await train();
    const agents = [blank("cook"), blank("gardener")];
    const other = await train({ agents });
    expect(other.agents).toEqual(one.agents);
    expect(other.thresholds).toEqual(one.thresholds);
    expect(Buffer.from(other.weights.buffer).equals(Buffer.from(one.weights.buffer))).toBe(true);
    const moved = await train({ gold: [{ text: "one more", agent: "cook" }] });
    expect(Buffer.from(moved.weights.buffer).equals(Buffer.from(one.weights.buffer))).toBe(false);
  });

  test.each([
    ["nothing", ""],
    ["blanks", " \n\t\u00a0 "],
  ])("abstains without votes on %s", async (_, text) => {
    expect(classifyWith(await train(), text)).toEqual(abstained);
  });

  test.each([
    ["100 kB of words", "when do I sow ".repeat(7200)],
    ["100 kB in a row", "x".repeat(100_000)],
    ["pictures", "👩‍👩‍👧‍👦🎉❤️".repeat(50)],
    ["right to left", "מתי לזרוע גזר? متى أزرع الجزر؟"],
    ["no spaces", "什么时候播种胡萝卜"],
    ["NUL and other controls", "\u0000\u0001when\u0000do\u001f\u202e"],
    ["half a pair", "\ud83d sow \udc00"],
    ["letters that grow when they are normalised", "\ufdfa".repeat(1000)],
  ])("gives votes that add up to 1 on %s", async (_, text) => {
    const { votes } = classifyWith(await train(), text);
    expect(votes).toHaveLength(3);
    expect(votes.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1);
  });

  test("reads the beginning of a long text: what follows changes nothing", async () => {
    const model = await train();
    const long = "when do I sow the carrots? ".repeat(50);
    const more = "how long do I bake fish ".repeat(4000);
    expect(classifyWith(model, long + more)).toEqual(classifyWith(model, long));
  });

  test("ignores case and the form of letters, and keeps diacritics", async () => {
    const model = await train();
    const scores = (text: string) => classifyWith(model, text).votes.map(({ score }) => score);
    expect(scores("ＷＨＥＮ do i SOW the roses")).toEqual(scores("when do I sow the roses"));
    expect(scores("when do I söw the roses")).not.toEqual(scores("when do I sow the roses"));
    expect(scores("when do I so\u0308w it")).toEqual(scores("when do I s\u00f6w it"));
  });
});

describe("what it is trained on", () => {
  test("an agent with too few examples has no class, and its examples are nobody's", async () => {
    const agents = [blank("gardener"), { name: "tailor", examples: ["sew a hem", "mend a sock"] }];
    const lesson = await readLesson(await sourcesWith({ agents }));
    expect(lesson.agents).toEqual(["gardener"]);
    expect(lesson.examples.some(({ text }) => text === "sew a hem")).toBe(false);
    expect(lesson.examples).toHaveLength(requests.gardener.length + requests.none.length);
  });

  test("an agent of the owner's own has a class by its examples alone", async () => {
    const examples = Array.from({ length: 8 }, (_, at) => `sew a hem of ${at} inches`);
    const agents = [blank("gardener"), { name: "tailor", examples }];
    const model = await train({ agents });
    expect(model.agents).toEqual(["gardener", "tailor"]);
    expect(classifyWith(model, "sew a hem of 9 inches").votes[0]?.agent).toBe("tailor");
  });

  test("an agent that is called none has no phrasings", async () => {
    const agents = [blank("gardener"), blank("none")];
    expect((await readLesson(await sourcesWith({ agents }))).agents).toEqual(["gardener"]);
  });

  test("without texts for nobody there is no class at all, and nothing gets a vote", async () => {
    const phrasings = await phrasingsFolder({ gardener: requests.gardener, cook: requests.cook });
    const model = await train({ phrasings });
    expect(model.agents).toEqual([]);
    expect(classifyWith(model, "when do I sow the roses")).toEqual(abstained);
  });

  test("the owner's word goes before what was shipped, and the later before the earlier", async () => {
    const text = "how long do I bake soup";
    const shipped = classifyWith(await train(), text);
    const wrong = { text: "How long do I  bake soup", agent: "gardener" };
    const corrected = classifyWith(await train({ gold: [wrong] }), text);
    expect([shipped.votes[0]?.agent, corrected.votes[0]?.agent]).toEqual(["cook", "gardener"]);
    const { examples } = await readLesson(
      await sourcesWith({ gold: [wrong, { text, agent: "cook" }, { text, agent: "unknown" }] }),
    );
    expect(examples.filter((example) => /bake\s+soup/.test(example.text))).toEqual([
      { text, agent: "cook", weight: 5 },
    ]);
  });
});

describe("the threshold of an agent", () => {
  const right = (best: number, count: number, score: number) =>
    Array.from({ length: count }, () => ({ label: best, best, score }));
  const wrong = (best: number, label: number, score: number) => ({ label, best, score });

  test("is the lowest score from which enough are right", () => {
    const trials = [...right(0, 200, 0.9), ...right(0, 100, 0.8), wrong(0, 1, 0.7)];
    expect(thresholdsOf([...trials, ...right(0, 9, 0.6)], 1)).toEqual([0.6]);
    const many = Array.from({ length: 20 }, () => wrong(0, 1, 0.7));
    expect(thresholdsOf([...trials, ...many, ...right(0, 9, 0.6)], 1)).toEqual([0.8]);
  });

  test("counts texts for nobody as wrong, and leaves out what nobody's class won", () => {
    const nobody = 2;
    const taken = Array.from({ length: 20 }, () => wrong(0, nobody, 0.85));
    const trials = [...right(0, 200, 0.9), ...right(0, 100, 0.8)];
    expect(thresholdsOf([...trials, ...taken], 2)[0]).toBe(0.9);
    expect(
      thresholdsOf([...trials, ...taken.map((trial) => ({ ...trial, best: nobody }))], 2)[0],
    ).toBe(0.8);
  });

  test("of an agent with few trials is borrowed from all, and its own errors raise it", () => {
    const others = [...right(0, 500, 0.9), ...right(0, 500, 0.7)];
    expect(thresholdsOf([...others, ...right(1, 3, 0.8)], 2)).toEqual([0.7, 0.7]);
    const bad = Array.from({ length: 5 }, () => wrong(1, 0, 0.8));
    expect(thresholdsOf([...others, ...bad], 2)).toEqual([0.7, 0.9]);
  });

  test("is above every probability where nothing is right", () => {
    expect(thresholdsOf([wrong(0, 1, 0.99)], 2)).toEqual([2, 2]);
    expect(thresholdsOf([], 2)).toEqual([2, 2]);
  });
});
