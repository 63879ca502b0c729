import { describe, expect, onTestFinished, test } from "vitest";

import { createRunner } from "../../src/agents/runner.ts";
import { createAttachments } from "../../src/chat/attachments.ts";
import { createChats } from "../../src/chat/chats.ts";
import { createSpeech } from "../../src/chat/parts.ts";
import { createPeople } from "../../src/chat/people.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { TerminalEvent } from "../../src/core/terminal.ts";
import { createScriptedModel } from "../../src/models/clients/scripted.ts";
import { talking } from "../../src/service/talk.ts";
import { createTerminal } from "../../src/service/terminal.ts";
import { openFileStore } from "../../src/store/file-store.ts";
import { openStore } from "../../src/store/open-store.ts";
import { createAskPersonTool } from "../../src/tools/ask-person.ts";
import { makeAgent } from "../fakes/agents.ts";
import { emptyFolder } from "../fakes/folder.ts";
import { createFakeLog } from "../fakes/log.ts";
import { createDeskOver } from "../fakes/privacy.ts";
import { createSingleRouter } from "../fakes/router.ts";

const script = {
  scenes: [
    {
      when: "colour",
      replies: [
        { toolCalls: [{ name: "ask_person", input: { question: "Which?", choices: ["Red"] } }] },
        { text: "It is painted." },
      ],
    },
    { when: "slow", replies: [{ text: "A slow answer.", piece: 4, delay: 100 }] },
    { when: "never", replies: [{ text: "Never.", piece: 1, delay: 600_000 }] },
    { replies: [{ text: "You said: {words}" }] },
  ],
};

const chatId = "terminal:main";

/** Terminals over real chats, a real store and a scripted model. */
async function openHouse(folder: string) {
  const terminal = createTerminal(systemClock);
  const store = await openStore({ folder, clock: systemClock });
  onTestFinished(() => store.close());
  const bugs: unknown[] = [];
  const log = createFakeLog((error) => void bugs.push(error));
  const platforms = new Map([["terminal", terminal.platform]]);
  const files = await openFileStore(`${folder}/files`);
  const deps = { store, platforms, clock: systemClock, log };
  const model = createScriptedModel({ id: "scripted", script, clock: systemClock });
  const runner = createRunner(
    {
      ...deps,
      router: createSingleRouter(model, systemClock),
      tools: [createAskPersonTool()],
      speech: createSpeech(platforms),
    },
    [makeAgent({ name: "assistant", tools: ["ask_person"] }), makeAgent({ name: "other" })],
  );
  const chats = createChats({
    ...deps,
    runner,
    attachments: createAttachments({ ...deps, files, mostBytes: 1000 }),
    privacy: createDeskOver(store),
    spending: () => Promise.resolve([]),
    agents: ["assistant", "other"],
    people: createPeople({ store, clock: systemClock, platforms: {} }),
  });
  await chats.start("terminal");
  const { attend, say } = talking(systemClock, () => Promise.resolve({ terminal, chats }));

  return {
    store,
    runner,
    bugs,
    say: (words: string, sayId?: string) => say({ chatId, words, sayId }),
    /** Somebody at a terminal; `reads` gives what is to be read there. */
    come() {
      const leaving = new AbortController();
      const events: TerminalEvent[] = [];
      const watch = {
        signal: leaving.signal,
        onEvent: (event: TerminalEvent) => void events.push(event),
      };
      const left = attend({ chatId }, watch);
      const messages = () => events.filter((event) => event.type === "message");
      return {
        events,
        reads: () => messages().map(({ answer: said, notes }) => said || notes),
        async leave() {
          leaving.abort();
          await left;
        },
      };
    },
    async close() {
      await Promise.all([runner.stop(0), chats.stop(0)]);
      await store.close();
    },
  };
}

describe("a chat at a terminal", () => {
  test("what is said is answered when saying it is over; said again by its id, it is not said twice", async () => {
    const house = await openHouse(await emptyFolder("terminal"));
    const ann = house.come();
    await house.say("hello", "S1");
    expect(ann.reads()).toEqual(["You said: hello"]);
    await house.say("hello", "S1");
    expect(ann.reads()).toEqual(["You said: hello"]);
    expect(ann.events.slice(0, 2)).toEqual([{ type: "open" }, { type: "caught-up" }]);
    expect(house.bugs).toEqual([]);
  });

  test("an answer is shown as it comes, and every command is there", async () => {
    const house = await openHouse(await emptyFolder("terminal"));
    const ann = house.come();
    await house.say("slow");
    expect(ann.events).toContainEqual(
      expect.objectContaining({ type: "draft", text: expect.stringMatching(/^A sl/) }),
    );
    await house.say("/status");
    await house.say("/agent nobody");
    await house.say("/agent other");
    await house.say("hello");
    expect(ann.reads().slice(1)).toEqual([
      "Nothing is open in this chat.",
      expect.stringContaining('There is no agent "nobody": use one of assistant, other'),
      expect.stringContaining("From now on other answers here."),
      "You said: hello",
    ]);
    expect(await house.store.tasks({ limit: 1 })).toMatchObject([{ agent: "other" }]);
  });

  test("an answer that nobody was there to see is shown to the next who comes, once", async () => {
    const folder = await emptyFolder("terminal");
    const first = await openHouse(folder);
    await first.say("hello");
    expect(await first.store.openParts(chatId)).toHaveLength(1);
    await first.close();
    const house = await openHouse(folder);
    const ann = house.come();
    await expect.poll(() => ann.reads()).toEqual(["You said: hello"]);
    await expect.poll(() => house.store.openParts(chatId)).toEqual([]);
    await ann.leave();
    const bob = house.come();
    await house.say("more");
    expect(bob.reads()).toEqual(["You said: more"]);
  });

  test("a question is drawn again for whoever comes after a restart, and its number answers it", async () => {
    const folder = await emptyFolder("terminal");
    const first = await openHouse(folder);
    const ann = first.come();
    await first.say("a colour");
    expect(ann.reads()).toEqual(["Which?"]);
    await first.close();
    const house = await openHouse(folder);
    const again = house.come();
    await expect.poll(() => again.reads()).toEqual(["Which?"]);
    await house.say("1");
    expect(again.reads()).toEqual(["Which?", "Which?\n\nYour answer: Red", "It is painted."]);
    expect(again.events).toContainEqual({ type: "note", line: "Red" });
  });

  test("a question whose card was not sent yet is drawn once", async () => {
    const folder = await emptyFolder("terminal");
    const house = await openHouse(folder);
    await house.say("a colour");
    const ann = house.come();
    await expect.poll(() => ann.events).toContainEqual({ type: "caught-up" });
    expect(ann.reads()).toEqual(["Which?"]);
  });

  test("what a command asked for goes to the command, and its question to the chat", async () => {
    const house = await openHouse(await emptyFolder("terminal"));
    const ann = house.come();
    await house.store.ensureChat({ id: chatId, platform: "terminal", personId: "owner" });
    const asked = { chatId, personId: "owner" };
    expect(await house.runner.run({ ...asked, words: "hello" })).toMatchObject({ state: "done" });
    expect(await house.runner.run({ ...asked, words: "colour" })).toMatchObject({
      state: "waiting",
    });
    expect(await house.store.openParts(chatId)).toHaveLength(1);
    const bob = house.come();
    await expect.poll(() => ann.reads()).toEqual(["Which?"]);
    await house.say("1");
    expect(bob.reads()).toEqual(["Which?", "Which?\n\nYour answer: Red", "It is painted."]);
  });

  test("what is not answered when the process ends is not taken for answered, and is answered once", async () => {
    const folder = await emptyFolder("terminal");
    const first = await openHouse(folder);
    const saying = first.say("slow", "S1");
    const ended = saying.catch((error: unknown) => error);
    await expect.poll(() => first.store.openTasks()).toMatchObject([{ state: "running" }]);
    await first.close();
    expect(await ended).toMatchObject({ code: "service.stopping" });
    const house = await openHouse(folder);
    const ann = house.come();
    await house.say("slow", "S1");
    expect(ann.reads()).toEqual(["A slow answer."]);
    expect(await house.store.tasks({ limit: 9 })).toHaveLength(1);
  });

  test("/stop stops what is being answered", async () => {
    const house = await openHouse(await emptyFolder("terminal"));
    const ann = house.come();
    const asking = house.say("never");
    await expect.poll(() => house.store.openTasks()).toMatchObject([{ state: "running" }]);
    const other = house.say("hello");
    await expect.poll(() => ann.events).toContainEqual({ type: "queued" });
    await house.say("/stop");
    await Promise.all([asking, other]);
    expect(ann.reads()).toEqual(["Stopped.", "You said: hello"]);
  });
});
