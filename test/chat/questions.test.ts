import { describe, expect, test } from "vitest";

import { expectReads, openHouse, sender } from "./house.ts";

const script = {
  scenes: [
    {
      when: "colour",
      replies: [
        {
          toolCalls: [
            {
              name: "ask_person",
              input: { question: "Which one?", choices: ["Red", "Blue"] },
            },
          ],
        },
        { text: "It is painted." },
      ],
    },
    {
      when: "letter",
      replies: [
        { toolCalls: [{ name: "ask_person", input: { question: "To whom?" } }] },
        { text: "It is written." },
      ],
    },
    { replies: [{ text: "You said: {words}" }] },
  ],
};

function resultsIn(requests: readonly { readonly messages: readonly object[] }[]) {
  return requests.at(-1)?.messages.filter((message) => "callId" in message);
}

describe("a task that asks", () => {
  test("goes on with the choice that is pressed, once, and only by the one who is asked", async () => {
    const house = await openHouse(script);
    const asked = await house.write("Paint it in a colour");
    await expectReads(house, "Which one?");
    await house.press("Blue", "bob");
    const { button, messageId } = house.platform.buttonOf("here", "Red");
    await house.press("Blue");
    await expectReads(house, "Which one?\n\nYour answer: Blue", "It is painted.");
    expect(resultsIn(house.requests)).toMatchObject([{ name: "ask_person", text: "Blue" }]);
    // The answer belongs to the request, not to the press.
    expect(house.platform.visible("here")[1]?.replyTo).toBe(asked);
    const again = { type: "press", pressId: "late", button, messageId } as const;
    const place = { platform: "fake", address: "here", kind: "direct" } as const;
    const from = sender("ann");
    await house.happen({ ...again, place, from });
    await expect
      .poll(() => house.platform.signs.filter((sign) => sign.startsWith("acknowledge")))
      .toEqual([
        "acknowledge This button does nothing any more.",
        "acknowledge Blue",
        "acknowledge This was answered already.",
      ]);
    expect(house.bugs).toEqual([]);
  });

  test("releases its chat, and is answered by a reply in words, also after a restart", async () => {
    const first = await openHouse(script);
    await first.write("Write a letter");
    await expectReads(first, "To whom?");
    const house = await first.restart();
    const question = house.platform.visible("here")[0]?.messageId ?? "";
    const other = await house.write("/status");
    await expect.poll(() => house.platform.texts("here")).toHaveLength(2);
    expect(house.platform.texts("here")[1]).toContain("waiting: Write a letter");
    await house.write("to Bob", { replyTo: question });
    await expect.poll(() => house.platform.texts("here").at(-1)).toBe("It is written.");
    expect(resultsIn(house.requests)).toMatchObject([{ text: "to Bob" }]);
    expect(other).not.toBe(question);
  });

  test("where it is the only thing open, the next words answer it", async () => {
    const house = await openHouse(script);
    await house.write("Write a letter");
    await expectReads(house, "To whom?");
    await house.write("to Carol");
    await expectReads(house, "To whom?", "It is written.");
  });

  test("while it waits, other messages are answered, and /stop all ends it for good", async () => {
    const house = await openHouse(script);
    await house.write("Paint it in a colour");
    await expectReads(house, "Which one?");
    await house.write("hello");
    await expectReads(house, "Which one?", "You said: hello");
    await house.write("/stop all");
    await expectReads(
      house,
      "Which one?",
      "You said: hello",
      "All that was open here is stopped or cleared.",
    );
    await house.press("Red");
    await expect
      .poll(() => house.platform.signs.at(-1))
      .toBe("acknowledge This was answered already.");
  });
});
