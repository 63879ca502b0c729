import { describe, expect, test } from "vitest";

import { createLive } from "../../src/chat/live.ts";
import type { Sender } from "../../src/chat/sender.ts";
import type { ChatPlatform } from "../../src/core/chat.ts";
import type { TaskEvent } from "../../src/core/task.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { createFakePlatform } from "../fakes/platform.ts";
import { makeTask } from "../fakes/task.ts";

import { drafts, expectReads, openHouse } from "./house.ts";

const task = makeTask({ chatId: "fake:here", state: "running", output: null, replyTo: "1" });

const chosen = { type: "chosen", deployment: "m", tier: "local-fast", reason: "" } as const;
const wait = { type: "wait", ahead: 2, expectedMs: 40_000 } as const;
const waiting = "Waiting for the model: 2 before you, about 40 s.";

/** A task that is followed; `pass` lets a look at it happen. */
function follow(own: Partial<ChatPlatform> = {}) {
  const clock = createFakeClock();
  const shown: string[] = [];
  const sender: Sender = {
    wake: () => {},
    show: (_, text) => void shown.push(text),
    hush: () => {},
    quiet: () => Promise.resolve(),
    recover: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  };
  const platform = { ...createFakePlatform("fake", drafts), ...own };
  const addressOf = (): Promise<string> => Promise.resolve("here");
  const live = createLive({ clock, sender, platform, addressOf }, task);
  return {
    shown,
    async see(...events: readonly TaskEvent[]): Promise<void> {
      for (const event of events) live.onEvent(event);
      await expect.poll(() => clock.next()).toBeDefined();
      clock.pass(1000);
      await expect.poll(() => clock.next()).toBeDefined();
    },
    end: () => live.end(),
  };
}

describe("an answer that is shown as it comes", () => {
  test("has a long wait in its place until it begins", async () => {
    const { shown, ...following } = follow();
    await following.see({ type: "start", task }, wait);
    await expect.poll(() => shown).toEqual([waiting]);
    await following.see(chosen, { type: "text", text: "A bird." });
    await expect.poll(() => shown).toEqual([waiting, "A bird."]);
    following.end();
  });

  test("is told of no wait that is over before it is read", async () => {
    const { shown, ...following } = follow();
    await following.see({ type: "start", task }, { ...wait, expectedMs: 900 });
    await following.see(chosen, { type: "text", text: "A bird." });
    await expect.poll(() => shown).toEqual(["A bird."]);
    following.end();
  });

  test("has the wait, and that it begins anew, beside it where there is room for that", async () => {
    const lines: string[] = [];
    const beside = (address: string, line: string): Promise<void> => {
      lines.push(`${address}: ${line}`);
      return Promise.resolve();
    };
    const { shown, ...following } = follow({ beside });
    await following.see({ type: "start", task }, wait, chosen, { type: "text", text: "Half" });
    const tool = { type: "tool", name: "now", input: {}, isError: false } as const;
    await following.see(chosen, { type: "text", text: "Let me see." }, tool, chosen);
    await following.see({ type: "text", text: "A bird." });
    await expect.poll(() => lines).toEqual([`here: ${waiting}`, "here: (the answer begins anew)"]);
    await expect.poll(() => shown.at(-1)).toBe("A bird.");
    expect(shown).not.toContain(waiting);
    following.end();
  });
});

test("a long wait is seen in a group, whose messages are edited, until the answer is there", async () => {
  const begun = Promise.withResolvers<void>();
  const house = await openHouse(
    { scenes: [{ replies: [{ text: "A bird." }] }] },
    {
      kind: "group",
      manners: { ...drafts, live: "edit" },
      routed: (router) => ({
        ...router,
        async *stream(ask, signal) {
          yield wait;
          await begun.promise;
          yield* router.stream(ask, signal);
        },
      }),
    },
  );
  await house.write("hi");
  await expectReads(house, waiting);
  begun.resolve();
  await expectReads(house, "A bird.");
});
