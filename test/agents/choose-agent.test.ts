import { describe, expect, test } from "vitest";

import { chooseAgent, examplesOf, plainVotes } from "../../src/agents/choose-agent.ts";
import { sameText } from "../../src/agents/corrections.ts";
import { makeAgent } from "../fakes/agents.ts";

const agents = [
  makeAgent({ name: "assistant" }),
  makeAgent({ name: "code", rules: ["\\bpython\\b"] }),
  makeAgent({ name: "research", rules: ["^compare\\b"] }),
];
const taught = agents.map((agent) => {
  const own = agent.name === "assistant" ? ["Compare Python with prose", "?"] : [];
  const shared = agent.name === "code" ? [] : ["Good morning!"];
  return { ...agent, examples: [...own, ...shared] };
});
const ownersWord = () => undefined;
const known = { agents, ownersWord, exampleOf: examplesOf(agents) };
const withExamples = { agents: taught, ownersWord, exampleOf: examplesOf(taught) };

describe("which agent works a request", () => {
  test("a mention goes before everything and is taken out of the words", () => {
    const choice = chooseAgent("@code compare two lists", known, "research");
    expect([choice.agent.name, choice.chosenBy, choice.input]).toEqual([
      "code",
      "mention",
      "compare two lists",
    ]);
  });

  test("a mention of nobody stays in the words", () => {
    const choice = chooseAgent("@alice said hello", known, undefined);
    expect([choice.agent.name, choice.input]).toEqual(["assistant", "@alice said hello"]);
  });

  test("the option goes before the rules", () => {
    const choice = chooseAgent("some Python", known, "research");
    expect([choice.agent.name, choice.chosenBy]).toEqual(["research", "option"]);
  });

  test("one agent whose rules fit takes the request", () => {
    const choice = chooseAgent("some Python please", known, undefined);
    expect([choice.agent.name, choice.chosenBy]).toEqual(["code", "rule"]);
  });

  test("two agents whose rules fit leave it to the default", () => {
    const choice = chooseAgent("Compare Python and Go", known, undefined);
    expect([choice.agent.name, choice.chosenBy]).toEqual(["assistant", "default"]);
  });

  test.each([
    ["as it is written", "Compare Python with prose"],
    ["in other case, with other spaces and marks", "  compare PYTHON\n with  prose ?! "],
  ])("one agent's own example, %s, goes before the rules", (_, words) => {
    const { agent, chosenBy, input } = chooseAgent(words, withExamples, undefined);
    expect([agent.name, chosenBy, input]).toEqual(["assistant", "rule", words]);
    expect(plainVotes(words, withExamples)[1]).toEqual({
      stage: "rule",
      agent: "assistant",
      why: "it is an example of assistant",
    });
  });

  test("more than an example, an example of two agents, and marks alone are nobody's", () => {
    for (const words of ["Compare Python with prose today", "Good morning", "?"]) {
      expect(chooseAgent(words, withExamples, undefined).chosenBy).toBe("default");
    }
  });

  test("the owner's word goes before examples and rules, and after what was asked for", () => {
    const told = { ...withExamples, ownersWord: () => "research" };
    const words = "Compare Python with prose";
    expect(chooseAgent(words, told, undefined)).toMatchObject({
      agent: { name: "research" },
      chosenBy: "rule",
    });
    expect(plainVotes(`@code ${words}`, told)).toEqual([
      { stage: "mention", agent: "code", why: "it begins with @code" },
      { stage: "rule", agent: "research", why: "the owner said so" },
    ]);
    expect(chooseAgent(words, told, "code").agent.name).toBe("code");
    const gone = { ...withExamples, ownersWord: () => "cook" };
    expect(chooseAgent(words, gone, undefined).agent.name).toBe("assistant");
  });

  test("a mark within a name tells two texts apart", () => {
    expect(sameText("What is C#?")).not.toBe(sameText("What is C?"));
    expect(sameText("Was läuft？")).toBe(sameText("was  läuft"));
  });

  test.each([
    ["@cloud Good morning", "assistant", "cloud-smart", "Good morning"],
    ["@Smart @code Reverse a list", "code", "local-smart", "Reverse a list"],
    ["@code @cloud Reverse a list", "code", "cloud-smart", "Reverse a list"],
    ["@fast @cloud is a film", "assistant", "local-fast", "@cloud is a film"],
    ["@cloud", "assistant", undefined, "@cloud"],
    ["@constructor Good morning", "assistant", undefined, "@constructor Good morning"],
  ])("%s asks for a tier at its beginning", (words, agent, tier, input) => {
    const choice = chooseAgent(words, known, undefined);
    expect([choice.agent.name, choice.tier, choice.input]).toEqual([agent, tier, input]);
  });

  test("nothing in words that somebody else wrote is an order", () => {
    const quoted = { ...known, quoted: true };
    const choice = chooseAgent("@cloud @code good morning", quoted, undefined);
    expect([choice.agent.name, choice.tier, choice.input]).toEqual([
      "assistant",
      undefined,
      "@cloud @code good morning",
    ]);
  });

  test("an unknown option is refused with the known names", () => {
    expect(() => chooseAgent("hello", known, "cook")).toThrow(
      'There is no agent "cook": use one of assistant, code, research',
    );
  });
});
