import { describe, expect, test } from "vitest";

import type { RouteAsk, Router } from "../../src/core/router.ts";
import type { Script } from "../../src/models/clients/scripted.ts";

import { expectReads, type House, openHouse } from "./house.ts";

const script: Script = { scenes: [{ replies: [{ text: "You said: {words}" }] }] };

const receipt = {
  taskId: null,
  headBytesOut: 900,
  bodyBytesOut: 100,
  headBytesIn: 0,
  bodyBytesIn: 5,
  sha256Out: null,
  sha256In: null,
  labels: ["personal"],
  redactions: 1,
  status: 200,
} as const;

async function last(house: House, text: string | RegExp): Promise<void> {
  await expect.poll(() => house.platform.texts("here").at(-1)).toMatch(text);
}

const off = `Cloud: only when you ask for it (--tier cloud, or /tier cloud in a chat).
Local-only: off.
Memories: stay at home.
Files: stay at home.
Connected: Fake, for the words of its own chats; local-only leaves that on.
In the last 24 hours:`;

describe("/privacy", () => {
  test("shows what holds, and what left the machine, with what carries the chat", async () => {
    const house = await openHouse(script);
    await house.write("/privacy");
    await expectReads(house, `${off}\nOnly to Fake, which carries this chat.`);
    const at = Date.now();
    const cloud = { purpose: "model", host: "api.anthropic.com", trust: "cloud" } as const;
    await house.store.putReceipt({ ...receipt, ...cloud, at, id: "1" });
    await house.store.putReceipt({ ...receipt, ...cloud, at, id: "2", labels: ["public"] });
    await house.store.putReceipt({ ...receipt, ...cloud, at: at - 90_000_000, id: "3" });
    await house.write("/privacy");
    await expect
      .poll(() => house.platform.texts("here")[1])
      .toBe(
        `${off}\nTo api.anthropic.com (model): 2.0 kB out, 10 bytes in, public and personal; 2 identifiers were taken out.\nTo Fake, which carries this chat.`,
      );
  });

  test("local-only holds for the chat it is said in, or everywhere", async () => {
    const house = await openHouse(script);
    await house.write("/privacy local-only on");
    await last(house, "Local-only is on in this chat: no cloud is reached. Fake goes on");
    expect(await house.store.storedRules()).toEqual([{ rule: "local-only", chatId: "fake:here" }]);
    await house.write("/tier cloud");
    await last(
      house,
      /^From now on in this chat: cloud-smart\. .* Local-only is on, and goes before it\.$/,
    );
    await house.write("/privacy local-only off everywhere");
    await last(house, "It still holds in fake:here.");
    await house.write("/privacy Local-Only OFF");
    await last(house, /^Local-only is off in this chat\.$/);
    await house.write("/privacy allow memories everywhere");
    await last(house, "What is remembered may go where your words may, everywhere.");
    expect(await house.store.storedRules()).toEqual([{ rule: "memories", chatId: null }]);
    await house.write("/privacy deny memories");
    await last(house, "It still holds everywhere");
  });

  test("is the owner's to change, and a member's to look at", async () => {
    const house = await openHouse(script, { kind: "group" });
    await house.write("/privacy allow files", { from: "bob" });
    await last(house, /owner/);
    expect(await house.store.storedRules()).toEqual([]);
    await house.write("/privacy", { from: "bob" });
    await last(house, /^Cloud: /);
    // What left for all chats is not for everybody in one of them.
    await house.write("/privacy");
    await expect.poll(() => house.platform.texts("here").length).toBe(3);
    expect(house.platform.texts("here").join("\n")).not.toContain("24 hours");
  });

  test("says how it is used where its words are none of its own", async () => {
    const house = await openHouse(script);
    for (const words of ["maybe", "local-only", "allow local-only", "deny files now"]) {
      await house.write(`/privacy ${words}`);
      await last(house, /^\/privacy shows what holds/);
    }
    expect(await house.store.storedRules()).toEqual([]);
  });
});

describe("a group's words and a cloud", () => {
  /** A group in which all that is asked of the router is noted, and answered by the one model there is. */
  async function openGroup() {
    const asks: RouteAsk[] = [];
    const routed = (router: Router): Router => ({
      ...router,
      stream(ask, signal) {
        asks.push(ask);
        return router.stream({ ...ask, tier: "local-fast" }, signal);
      },
    });
    return { asks, house: await openHouse(script, { kind: "group", routed }) };
  }

  test("are known to be the words of others once others were answered in the conversation", async () => {
    const { asks, house } = await openGroup();
    const ask = async (text: string, from?: string) => {
      await house.write(text, from === undefined ? {} : { from });
      await last(house, `You said: ${text}`);
    };
    await ask("mine");
    await ask("his too", "bob");
    await ask("mine again");
    await house.write("/new");
    await last(house, "A new conversation");
    await ask("mine alone");
    expect(asks.map(({ holdsOthers }) => holdsOthers)).toEqual([false, true, true, false]);
  });

  test("a cloud is the owner's to choose for a chat, and a press chooses none for what another asked", async () => {
    const { asks, house } = await openGroup();
    await house.write("/tier cloud", { from: "bob" });
    await last(house, "Only the owner of this agent can do that.");
    await house.write("/tier cloud");
    await last(house, "From now on in this chat: cloud-smart.");
    await house.write("hello", { from: "bob" });
    await last(house, "You said: hello");
    await house.press("ⓘ");
    await expect.poll(() => house.platform.texts("here").at(-1)).toContain("no cost");
    await house.press("Again");
    await expect.poll(() => asks.length).toBe(2);
    expect(asks.map(({ forced, task }) => [forced, task.personId])).toMatchObject([
      [true, expect.not.stringMatching("owner")],
      // Asked again by the owner they are still the words of who wrote them, and go nowhere with the owner's.
      [false, asks[0]?.task.personId],
    ]);
  });
});

test("/stats tells the owner what was spent of each cap", async () => {
  const spending = [{ name: "today", spentUsd: 0.25, capUsd: 1 }];
  const house = await openHouse(script, { spending });
  await house.write("/stats", { from: "bob" });
  await expectReads(house, "This week: nothing yet.");
  await house.write("/stats");
  const spent = "Spent today: $0.25 of $1.00 (25 %).";
  await expect.poll(() => house.platform.texts("here")[1]).toContain(spent);
});

test("a request that stays at home stays there when it is tried again", async () => {
  const first = await openHouse(script);
  await first.store.ensureChat({ id: "fake:here", platform: "fake", personId: "owner" });
  await first.store.createTask({
    chatId: "fake:here",
    personId: "owner",
    agent: "assistant",
    chosenBy: "default",
    tier: null,
    input: "two",
    newConversation: false,
    localOnly: true,
    replyTo: "1",
  });
  const house = await first.restart();
  await expectReads(house, "You said: two");
  await house.press("ⓘ");
  await expect.poll(() => house.platform.texts("here")[0]).toContain("tokens read");
  await house.press("Again");
  await expect.poll(() => house.platform.texts("here")[1]).toBe("You said: two");
  const tasks = await house.store.tasks({ limit: 2 });
  expect(tasks.map(({ localOnly }) => localOnly)).toEqual([true, true]);
});
