import { describe, expect, onTestFinished, test } from "vitest";

import { createRunner } from "../../src/agents/runner.ts";
import { createAttachments } from "../../src/chat/attachments.ts";
import { createChats } from "../../src/chat/chats.ts";
import { createSpeech } from "../../src/chat/parts.ts";
import { createPeople } from "../../src/chat/people.ts";
import type { Card, Saying } from "../../src/core/chat.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { TerminalEvent } from "../../src/core/terminal.ts";
import { createScriptedModel } from "../../src/models/scripted.ts";
import { talking } from "../../src/service/talk.ts";
import { createTerminal, type Terminal } from "../../src/service/terminal.ts";
import { openFileStore } from "../../src/store/file-store.ts";
import { openStore } from "../../src/store/open-store.ts";
import { createAskPersonTool } from "../../src/tools/ask-person.ts";
import { makeAgent } from "../fakes/agents.ts";
import { emptyFolder } from "../fakes/folder.ts";
import { createFakeLog } from "../fakes/log.ts";
import { createSingleRouter } from "../fakes/router.ts";

const colours = [[{ id: "r", label: "Red" }], [{ id: "b", label: "Blue" }]] as const;
const main = { address: "main", replyTo: null } as const;

function answer(markdown: string, footer?: string): Saying {
  return { type: "answer", markdown, ...(footer === undefined ? {} : { footer }) };
}

function card(text: string, more: Partial<Card> = {}): Saying {
  return { type: "card", card: { text, ...more } };
}

/** Sends a saying as the sender does; gives its message's id, or why it was not sent. */
async function send({ platform }: Terminal, saying: Saying, known?: string): Promise<string> {
  const [part = { body: "" }] = platform.render(saying);
  const placed = known === undefined ? await platform.place(main) : undefined;
  if (placed?.ok === false) return placed.why.type;
  const messageId = placed?.ok === true ? placed.messageId : (known ?? "");
  const edited = await platform.edit(main, messageId, part);
  return edited.ok ? edited.messageId : edited.why.type;
}

/** Somebody at a terminal, and what is shown there. */
function attended(terminal: Terminal, address = "main") {
  const events: TerminalEvent[] = [];
  const leave = terminal.attend(address, (event) => void events.push(event));
  return { events, leave };
}

const spoken = { type: "message", from: { platform: "terminal", accountId: "local" } };

describe("the terminal keeps the contract of a platform", () => {
  test("an answer and what is under it are one message, shown by the edit and not before", async () => {
    const terminal = createTerminal(systemClock);
    const { events } = attended(terminal);
    const parts = terminal.platform.render(answer("**Yes.**", "By a stand-in."));
    expect(parts).toHaveLength(1);
    expect(terminal.platform.simpler({ body: "" })).toBeUndefined();
    const placed = await terminal.platform.place(main);
    expect([placed.ok, events]).toEqual([true, []]);
    const id = await send(terminal, answer("**Yes.**", "By a stand-in."));
    const shown = { type: "message", answer: "**Yes.**", notes: "By a stand-in.", choices: [] };
    expect(events).toEqual([{ ...shown, id }]);
    await send(terminal, answer("**Yes.**", "By a stand-in."), id);
    expect(events).toEqual([
      { ...shown, id },
      { ...shown, id },
    ]);
  });

  test("a card is a note with its files, and its buttons are choices", async () => {
    const terminal = createTerminal(systemClock);
    const { events } = attended(terminal);
    const files = [
      { name: "a.txt", text: "inside" },
      { name: "b.png", sha256: "00", mediaType: "image/png" },
    ];
    await send(terminal, card("Which?", { title: "A question", buttons: colours, files }));
    expect(events).toMatchObject([
      { answer: "", notes: "A question\n\nWhich?\n\na.txt:\ninside\n\nb.png" },
    ]);
    expect(events).toMatchObject([{ choices: ["Red", "Blue"] }]);
  });

  test("where nobody is there nothing is sent, and signs are lost", async () => {
    const terminal = createTerminal(systemClock);
    const elsewhere = attended(terminal, "other");
    expect(await send(terminal, answer("Hello."))).toBe("absent");
    expect(await send(terminal, answer("Hello."), "0001")).toBe("absent");
    await terminal.platform.whisper("main", "nobody hears this");
    const here = attended(terminal);
    here.leave();
    expect(await send(terminal, answer("Hello."))).toBe("absent");
    expect([elsewhere.events, here.events]).toEqual([[], []]);
  });

  test("drafts and signs are seen by all who are there", async () => {
    const terminal = createTerminal(systemClock);
    const [one, two] = [attended(terminal), attended(terminal)];
    const { platform } = terminal;
    await platform.draft?.(main, "T1", "Hel");
    await platform.typing("main");
    await platform.receipt("main", "1");
    await platform.whisper("main", "a code");
    await platform.acknowledge("main 1", "Red");
    await platform.acknowledge("main 1", "");
    const all = [
      { type: "draft", taskId: "T1", text: "Hel" },
      { type: "typing" },
      { type: "queued" },
      { type: "note", line: "a code" },
      { type: "note", line: "Red" },
    ];
    expect([one.events, two.events]).toEqual([all, all]);
  });
});

describe("words at a terminal", () => {
  test("are a message of its owner's own account", () => {
    const said = createTerminal(systemClock).read("main", "hello", "S1");
    const place = { platform: "terminal", address: "main", kind: "direct" };
    expect(said).toMatchObject({
      ...spoken,
      place,
      messageId: "S1",
      text: "hello",
      addressed: true,
    });
  });

  test("that are a number press that button of the card that waits", async () => {
    const terminal = createTerminal(systemClock);
    attended(terminal);
    expect(terminal.read("main", "2", "S0")).toMatchObject(spoken);
    const messageId = await send(terminal, card("Which?", { buttons: colours }));
    await send(terminal, card("A line of ours."));
    const press = { type: "press", messageId, button: "b" };
    expect(terminal.read("main", "2", "S1")).toMatchObject(press);
    for (const words of ["3", "0", "2 please", "-1"]) {
      expect(terminal.read("main", words, "S2")).toMatchObject(spoken);
    }
    expect(terminal.read("other", "2", "S3")).toMatchObject(spoken);
  });

  test("press nothing when the card was changed, or an answer has come after it", async () => {
    const terminal = createTerminal(systemClock);
    attended(terminal);
    const first = await send(terminal, card("Which?", { buttons: colours }));
    await send(terminal, card("Which?\n\nRed"), first);
    expect(terminal.read("main", "1", "S1")).toMatchObject(spoken);
    await send(terminal, card("Which?", { buttons: colours }));
    await send(terminal, answer("1) one thing"));
    expect(terminal.read("main", "1", "S2")).toMatchObject(spoken);
  });

  test("whoever comes later is shown the card that waits", async () => {
    const terminal = createTerminal(systemClock);
    attended(terminal).leave();
    const first = attended(terminal);
    await send(terminal, card("To whom?", { wantsWords: true }));
    expect(attended(terminal).events).toEqual(first.events);
    expect(first.events).toMatchObject([{ notes: "To whom?" }]);
  });
});

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
    expect(again.reads()).toEqual(["Which?", "Which?\n\nRed", "It is painted."]);
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
    expect(bob.reads()).toEqual(["Which?", "Which?\n\nRed", "It is painted."]);
  });

  test("what is not answered when the process ends is not taken for answered, and is answered once", async () => {
    const folder = await emptyFolder("terminal");
    const first = await openHouse(folder);
    const saying = first.say("slow", "S1");
    const ended = expect(saying).rejects.toMatchObject({ code: "service.stopping" });
    await expect.poll(() => first.store.openTasks()).toMatchObject([{ state: "running" }]);
    await first.close();
    await ended;
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
