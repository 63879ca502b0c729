import { describe, expect, test } from "vitest";

import type { Script } from "../../src/models/clients/scripted.ts";

import { drafts, expectReads, openHouse, sender } from "./house.ts";

const script: Script = {
  scenes: [
    { when: "never", replies: [{ text: "This takes an hour.", piece: 5, delay: 60_000 }] },
    { when: "slow", replies: [{ text: "A slow answer of some length.", piece: 4, delay: 150 }] },
    {
      when: "fails",
      replies: [{ text: "Half an answer", piece: 4, delay: 150, failure: "model.refusal" }],
    },
    { replies: [{ text: "You said: {words}" }] },
  ],
};

const place = { platform: "fake", address: "here", kind: "direct" } as const;

describe("a chat", () => {
  test("a reply to a running task steers it: one answer, which knows both", async () => {
    const house = await openHouse(script);
    const asked = await house.write("never");
    await expect.poll(() => house.requests).toHaveLength(1);
    await house.write("say hello instead", { replyTo: asked });
    await expectReads(house, "You said: say hello instead");
    expect(house.requests.at(-1)?.messages.map(({ text }) => text)).toEqual([
      "Answer.",
      "never",
      "say hello instead",
    ]);
    expect(house.platform.visible("here")[0]?.replyTo).toBe(asked);
    expect(house.bugs).toEqual([]);
  });

  test.each([
    ["in its last moment", "slow"],
    ["that then fails", "fails"],
  ])("what is said to a task %s is not lost: it goes on", async (_, words) => {
    const house = await openHouse(script);
    const asked = await house.write(words);
    await expect.poll(() => house.requests).toHaveLength(1);
    const task = await house.store.taskOfMessage("fake:here", asked);
    // As if it had come while the answer was being stored: nothing is told to stop the model.
    const [update] = await house.store.receive({ platform: "fake", account: "2" }, [
      {
        updateId: "late",
        event: { type: "stop", place, from: sender("ann") },
      },
    ]);
    const message = { seq: update?.seq ?? 0, messageId: "late", text: "and more" };
    expect(await house.store.steerTask(task?.id ?? "", message)).toBe(true);
    await expectReads(house, "You said: and more");
    expect(house.requests).toHaveLength(2);
  });

  test("another's reply, and one to what is over, are requests of their own", async () => {
    const house = await openHouse(script);
    const asked = await house.write("one");
    await expectReads(house, "You said: one");
    await house.write("two", { replyTo: asked });
    await expectReads(house, "You said: one", "You said: two");
  });

  test("an edit before the work begins amends the task; later ones are ignored", async () => {
    const house = await openHouse(script);
    const first = await house.write("never");
    await expect.poll(() => house.requests).toHaveLength(1);
    const second = await house.write("helo");
    const edit = { type: "edit", place, from: sender("ann") } as const;
    await house.happen({ ...edit, messageId: second, text: "hello" });
    await house.happen({ ...edit, messageId: first, text: "something else" });
    await house.write("/stop");
    await expectReads(house, "Stopped.", "You said: hello");
  });

  test("an edit of what is for a cloud is not taken, and its person is told", async () => {
    const house = await openHouse(script);
    await house.write("slow");
    await expect.poll(() => house.requests).toHaveLength(1);
    const messageId = await house.write("@cloud hello");
    const edit = { type: "edit", place, from: sender("ann"), messageId } as const;
    await house.happen({ ...edit, text: "a secret" });
    await expect
      .poll(() => house.platform.texts("here"))
      .toContain(
        "This request is for a cloud, so its edit is not taken: /stop all takes it back, then write it anew.",
      );
    const [task] = await house.store.tasks({ limit: 1 });
    expect([task?.input, task?.state]).toEqual(["hello", "queued"]);
    await expect.poll(() => house.store.unhandled("fake")).toEqual([]);
    await house.write("/stop all");
    expect(house.bugs).toEqual([]);
  });

  test("in a group the answer grows by edits of one message, which has a button that stops it", async () => {
    const manners = { ...drafts, live: "edit", liveEveryMs: 300 } as const;
    const house = await openHouse(script, { kind: "group", manners });
    await house.write("slow");
    await expect.poll(() => house.platform.visible("here")[0]?.texts.length).toBeGreaterThan(2);
    await house.press("Stop");
    await expect.poll(() => house.platform.texts("here")).toHaveLength(1);
    await expect.poll(() => house.platform.texts("here")[0]).toMatch(/^A slow[^]*Stopped\.$/);
    expect(house.platform.visible("here")[0]?.buttons).toEqual([]);
    expect(house.bugs).toEqual([]);
  });

  test("a shown answer that a restart breaks off goes on in the same message", async () => {
    const manners = { ...drafts, live: "edit", liveEveryMs: 300 } as const;
    const first = await openHouse(script, { kind: "group", manners });
    await first.write("slow");
    await expect.poll(() => first.platform.visible("here")[0]?.texts.length).toBeGreaterThan(2);
    const house = await first.restart();
    await expectReads(house, "A slow answer of some length.");
  });

  test("the button under an answer shows how it came about, tries again and takes a judgement", async () => {
    const house = await openHouse(script);
    await house.write("one");
    await expectReads(house, "You said: one");
    await house.press("ⓘ");
    await expect
      .poll(() => house.platform.texts("here")[0])
      .toMatch(
        /^You said: one\n\nscripted on this machine\nWhy: your own choice.*\n\d+ tokens read, \d+ written; no cost.*\nqueued 0\.0 s, first token .*\nOnly to Fake, which carries this chat\.$/,
      );
    await house.press("Again");
    await expect.poll(() => house.platform.texts("here")[1]).toBe("You said: one");
    await house.press("Wrong");
    await expect.poll(() => house.platform.texts("here")[0]).toContain("What is wrong with it?");
    await house.press("Not true");
    await expect.poll(() => house.platform.texts("here")[0]).toContain("Noted: not true.");
    const [first] = (await house.store.tasks({ limit: 2 })).toReversed();
    expect(await house.store.feedback(first?.id ?? "")).toMatchObject([
      { kind: "again" },
      { kind: "wrong", value: "Not true" },
    ]);
  });

  test("a forwarded message asks for no agent and no tier, whatever it begins with", async () => {
    const house = await openHouse(script);
    await house.write("@cloud @code read this", { forwarded: true });
    await expectReads(house, "You said: @cloud @code read this");
    const [task] = await house.store.tasks({ limit: 1 });
    expect([task?.agent, task?.tier]).toEqual(["assistant", null]);
  });

  test("what was called wrong is tried again one tier higher", async () => {
    const house = await openHouse(script);
    await house.write("one");
    await expectReads(house, "You said: one");
    await house.press("ⓘ");
    await expect.poll(() => house.platform.texts("here")[0]).toContain("Why:");
    await house.press("Wrong");
    await expect.poll(() => house.platform.texts("here")[0]).toContain("What is wrong with it?");
    await house.press("Not true");
    await expect.poll(() => house.platform.texts("here")[0]).toContain("Noted: not true.");
    await house.press("Again");
    await expect.poll(() => house.platform.texts("here")[1]).toBe("You said: one");
    const [again, first] = await house.store.tasks({ limit: 2 });
    expect([first?.tier, again?.tier]).toEqual([null, "local-smart"]);
  });

  test("a reaction is kept as feedback on the answer, and one taken back is gone", async () => {
    const house = await openHouse(script);
    await house.write("one");
    await expectReads(house, "You said: one");
    const messageId = house.platform.visible("here")[0]?.messageId ?? "";
    const reaction = { type: "reaction", place, from: sender("ann"), messageId } as const;
    await house.happen({ ...reaction, reactions: ["👍"] });
    const [task] = await house.store.tasks({ limit: 1 });
    const feedback = () => house.store.feedback(task?.id ?? "");
    await expect.poll(feedback).toMatchObject([{ kind: "reaction", value: "👍" }]);
    await house.happen({ ...reaction, reactions: [] });
    await expect.poll(feedback).toEqual([]);
  });

  test("a button that is none of ours, or another chat's, does nothing", async () => {
    const house = await openHouse(script);
    const press = { type: "press", place, from: sender("ann"), messageId: "5" } as const;
    await house.happen({ ...press, pressId: "1", button: "" });
    await house.happen({ ...press, pressId: "2", button: "an old one" });
    await house.happen({ ...press, pressId: "3", button: "x", from: sender("eve") });
    await expect
      .poll(() => house.platform.signs)
      .toEqual([
        "acknowledge This button does nothing any more.",
        "acknowledge This button does nothing any more.",
        "acknowledge Only this agent's people can press this.",
      ]);
  });

  test("/code alone keeps that agent for the chat, and /ask alone goes back", async () => {
    const house = await openHouse(script);
    await house.write("/code");
    await expect.poll(() => house.platform.texts("here")[0]).toContain("From now on code answers");
    expect((await house.store.chat("fake:here"))?.agent).toBe("code");
    await house.write("/ask");
    await expect.poll(() => house.platform.texts("here")[1]).toContain("usual choice of agent");
    expect((await house.store.chat("fake:here"))?.agent).toBeNull();
  });
});
