import { describe, expect, test } from "vitest";

import { run, scriptedHome, start } from "../fakes/program.ts";

const script = `
scenes:
  - replies: [{ text: "Hello." }]
`;
const words = "Which of the drawers holds the bills";

describe("agent models route", () => {
  test("says what every stage says of a text, keeps the owner's word, and is obeyed", async () => {
    const home = await scriptedHome(script);
    const before = await run(home, ["models", "route", words]);
    expect([before.code, before.stderr]).toEqual([0, ""]);
    expect(before.stdout.trimEnd().split("\n")).toEqual([
      "mention     -           it names no agent",
      "rule        -           no rule fits",
      "classifier  -           it is not trained yet: a service or a chat does that",
      expect.stringMatching(/^model {7}- {11}no fast model is here, free and /),
      "default     assistant   where nothing else decides",
      "assistant takes it.",
    ]);
    const told = await run(home, ["models", "route", words, "--is", "fileops"]);
    expect(told.stderr).toBe(
      "Kept: this text is for fileops, and the classifier learns it when a service or a chat starts.\n",
    );
    expect(told.stdout).toContain("\nrule        fileops     the owner said so\n");
    expect(told.stdout).toMatch(/\nfileops takes it\.\n$/);
    await run(home, [`${words}?`]);
    const [task] = JSON.parse((await run(home, ["history", "--json"])).stdout);
    expect(task).toMatchObject({ agent: "fileops", chosenBy: "rule" });
  });

  test("asks a service, whose classifier learns the owner's word at once", async () => {
    const home = await scriptedHome(script);
    const service = start(home, ["serve"]);
    await service.saw("Serving");
    const told = await run(home, ["models", "route", words, "--is", "fileops", "--json"]);
    expect(JSON.parse(told.stdout)).toMatchObject({
      votes: [
        { stage: "mention" },
        { stage: "rule", agent: "fileops", why: "the owner said so" },
        { stage: "classifier", agent: "fileops", why: expect.stringMatching(/^fileops \d+ %/) },
        { stage: "model" },
        { stage: "default" },
      ],
      choice: { agent: "fileops", chosenBy: "rule" },
      learned: true,
    });
    const learned = await run(home, ["models", "route", words, "--is", "fileops"]);
    expect(learned.stderr).toBe(
      "Kept: this text is for fileops, and the classifier has learned it.\n",
    );
  });

  test.each([
    [["route", words, "--is", "cook"], /^There is no agent "cook": use one of assistant, code,/],
    [["route", " "], /^There is nothing to answer/],
    [["check", "--is", "code"], /^--is goes with agent models route\.$/],
    [["pull", "one", "two"], /^agent models pull one two is not known, or not whole: use list, /],
  ])("%j is refused in one line", async (args, line) => {
    const home = await scriptedHome(script);
    const { code, stdout, stderr } = await run(home, ["models", ...args]);
    expect([code, stdout, stderr.trim()]).toEqual([2, "", expect.stringMatching(line)]);
  });
});
