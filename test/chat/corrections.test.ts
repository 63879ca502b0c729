import { describe, expect, test } from "vitest";

import { drafts, expectReads, type House, openHouse } from "./house.ts";

const script = {
  scenes: [
    { when: "never", replies: [{ text: "This takes an hour.", piece: 5, delay: 60_000 }] },
    { replies: [{ text: "You said: {words}" }] },
  ],
};
const agents = ["assistant", "code", "gardener"];

/** The tasks so far, oldest first: their words, their agent, what chose it, and whose they are. */
async function tasksOf({ store }: House) {
  const tasks = await store.tasks({ limit: 10 });
  return tasks.toReversed().map((task) => [task.input, task.agent, task.chosenBy, task.personId]);
}

/** A house in which Ann was answered by the assistant; with the message of that answer. */
async function answered(options: Parameters<typeof openHouse>[1] = {}) {
  const house = await openHouse(script, { agents, ...options });
  const asked = await house.write("Mend the gate");
  await expectReads(house, "You said: Mend the gate");
  return { house, asked, answer: house.platform.visible("here")[0]?.messageId ?? "" };
}

const first = ["Mend the gate", "assistant", "default", "owner"];
const twice = ["You said: Mend the gate", "You said: Mend the gate"];

describe("a reply to an answer that names an agent alone", () => {
  test.each([
    ["/code", "code"],
    ["@Gardener ", "gardener"],
  ])("%s asks it again there, and the owner's word is kept", async (text, agent) => {
    const { house, asked, answer } = await answered();
    await house.write(text, { replyTo: answer });
    await expectReads(house, ...twice);
    const again = ["Mend the gate", agent, "option", "owner"];
    expect(await tasksOf(house)).toEqual([first, again]);
    expect(house.platform.visible("here")[1]?.replyTo).toBe(asked);
    expect(await house.store.goldLabels()).toEqual([{ text: "Mend the gate", agent }]);
    const [, task] = await house.store.tasks({ limit: 2 });
    expect(await house.store.feedback(task?.id ?? "")).toMatchObject([{ kind: "again" }]);
    // Nothing but these words was spoken of.
    await house.write("mend the gate!");
    await house.write("Paint it");
    await expectReads(house, ...twice, "You said: mend the gate!", "You said: Paint it");
    expect((await tasksOf(house)).slice(2)).toEqual([
      ["mend the gate!", agent, "rule", "owner"],
      ["Paint it", "assistant", "default", "owner"],
    ]);
    expect(house.bugs).toEqual([]);
  });

  test("from somebody else only asks again, and the words stay those of who wrote them", async () => {
    const manners = { ...drafts, live: "edit" } as const;
    const { house, answer } = await answered({ kind: "group", manners });
    await house.write("/code", { from: "bob", replyTo: answer });
    await expectReads(house, ...twice);
    const [, again] = await tasksOf(house);
    expect(again).toEqual(["Mend the gate", "code", "option", "owner"]);
    expect(await house.store.goldLabels()).toEqual([]);
  });

  test("of which there is none is refused, and nothing is kept", async () => {
    const { house, answer } = await answered();
    await house.write("/research", { replyTo: answer });
    await expect
      .poll(() => house.platform.texts("here")[1])
      .toMatch(/^There is no agent "research": use one of assistant, code, gardener/);
    expect(await tasksOf(house)).toEqual([first]);
    expect(await house.store.goldLabels()).toEqual([]);
  });
});

describe("no correction is", () => {
  test("an agent with words of its own, or one that replies to nothing", async () => {
    const { house, answer } = await answered();
    await house.write("@code and the fence", { replyTo: answer });
    await house.write("/code and the door", { replyTo: answer });
    const said = ["You said: and the fence", "You said: and the door"];
    await expectReads(house, "You said: Mend the gate", ...said);
    await house.write("/code");
    await expect.poll(() => house.platform.texts("here")[3]).toContain("From now on code answers");
    expect(await house.store.goldLabels()).toEqual([]);
  });

  test("one that replies to what is still being answered", async () => {
    const house = await openHouse(script, { agents });
    const asked = await house.write("never");
    await expect.poll(() => house.requests).toHaveLength(1);
    await house.write("@code", { replyTo: asked });
    await expectReads(house, "You said: @code");
    expect(await tasksOf(house)).toEqual([["never", "assistant", "default", "owner"]]);
    expect(await house.store.goldLabels()).toEqual([]);
  });
});
