import { describe, expect, test } from "vitest";

import { chooseAgent } from "../../src/agents/choose-agent.ts";
import { makeAgent } from "../fakes/agents.ts";

const agents = [
  makeAgent({ name: "assistant" }),
  makeAgent({ name: "code", rules: ["\\bpython\\b"] }),
  makeAgent({ name: "research", rules: ["^compare\\b"] }),
];

describe("which agent works a request", () => {
  test("a mention goes before everything and is taken out of the words", () => {
    const choice = chooseAgent("@code compare two lists", agents, "research");
    expect([choice.agent.name, choice.chosenBy, choice.input]).toEqual([
      "code",
      "mention",
      "compare two lists",
    ]);
  });

  test("a mention of nobody stays in the words", () => {
    const choice = chooseAgent("@alice said hello", agents, undefined);
    expect([choice.agent.name, choice.input]).toEqual(["assistant", "@alice said hello"]);
  });

  test("the option goes before the rules", () => {
    const choice = chooseAgent("some Python", agents, "research");
    expect([choice.agent.name, choice.chosenBy]).toEqual(["research", "option"]);
  });

  test("one agent whose rules fit takes the request", () => {
    const choice = chooseAgent("some Python please", agents, undefined);
    expect([choice.agent.name, choice.chosenBy]).toEqual(["code", "rule"]);
  });

  test("two agents whose rules fit leave it to the default", () => {
    const choice = chooseAgent("Compare Python and Go", agents, undefined);
    expect([choice.agent.name, choice.chosenBy]).toEqual(["assistant", "default"]);
  });

  test("an unknown option is refused with the known names", () => {
    expect(() => chooseAgent("hello", agents, "cook")).toThrow(
      'There is no agent "cook": use one of assistant, code, research',
    );
  });
});
