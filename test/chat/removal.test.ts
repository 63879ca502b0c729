import { expect, onTestFinished, test } from "vitest";

import { createChats } from "../../src/chat/chats.ts";
import { createPeople } from "../../src/chat/people.ts";
import type { IncomingMessage } from "../../src/core/chat.ts";
import type { Runner } from "../../src/core/runner.ts";
import { openStore } from "../../src/store/open-store.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { emptyFolder } from "../fakes/folder.ts";
import { createFakeLog } from "../fakes/log.ts";
import { createDeskOver } from "../fakes/privacy.ts";
import { createFakePlatform } from "../fakes/platform.ts";
import { drafts } from "./house.ts";

const bob = { platform: "telegram", accountId: "88", name: "Bob", kind: "person" } as const;
const place = { platform: "telegram", address: "88", kind: "direct" } as const;

function message(messageId: string, text: string): IncomingMessage {
  const said = { replyTo: null, addressed: true, forwarded: false, attachments: [] };
  return { type: "message", place, from: bob, messageId, text, ...said };
}

/** A runner whose tasks end only when they are stopped. */
function createWaitingRunner(): Runner {
  return {
    choose: ({ chatId, personId, words: input }) => {
      const chosen = { agent: "assistant", chosenBy: "default", tier: null } as const;
      return Promise.resolve({ ...chosen, chatId, personId, input, newConversation: false });
    },
    work: (task, watch) =>
      new Promise((resolve) => {
        watch?.signal?.addEventListener("abort", () => resolve(task));
      }),
    run: () => Promise.reject(new Error("nothing is asked here")),
    votes: () => Promise.resolve([]),
    correct: () => Promise.resolve({ learned: Promise.resolve(false) }),
    isFree: () => true,
    stop: () => Promise.resolve(),
    resume: () => Promise.resolve([]),
  };
}

test("a message that is stored only after its person was removed becomes no work", async () => {
  const clock = createFakeClock();
  const store = await openStore({ folder: await emptyFolder("removal"), clock });
  onTestFinished(() => store.close());
  const people = createPeople({ store, clock, platforms: {} });
  const asked = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const slow: typeof store = {
    ...store,
    async takeMessage(taken) {
      asked.resolve();
      await held.promise;
      return store.takeMessage(taken);
    },
  };
  const platform = createFakePlatform("telegram", drafts);
  const bugs: unknown[] = [];
  const chats = createChats({
    store: slow,
    people,
    runner: createWaitingRunner(),
    privacy: createDeskOver(store),
    spending: () => Promise.resolve([]),
    agents: ["assistant"],
    attachments: {
      note: () => Promise.resolve(),
      prepare: () => Promise.resolve({ words: "", notice: "" }),
    },
    platforms: new Map([[platform.name, platform]]),
    clock,
    log: createFakeLog((error) => bugs.push(error)),
  });
  async function say(updateId: string, text: string): Promise<void> {
    const updates = await people.screen([{ updateId, event: message(updateId, text) }]);
    await chats.accept({ platform: "telegram", account: "1" }, updates);
  }
  await say("1", (await people.invite("Bob")).code);
  await expect.poll(() => platform.whispers.length).toBe(1);
  await say("2", "words");
  await asked.promise;
  await people.remove("Bob");
  held.resolve();
  // It ends because the task is stopped: this runner's never end by themselves.
  await chats.stop(0);
  const [task] = await store.tasks({ limit: 1 });
  expect([task?.input, task?.state]).toEqual(["words", "cancelled"]);
  expect(bugs).toEqual([]);
});
