import { describe, expect, test } from "vitest";

import type { Card, Saying } from "../../src/core/chat.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { TerminalEvent } from "../../src/core/terminal.ts";
import { createTerminal, type Terminal } from "../../src/service/terminal.ts";

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
    await send(terminal, card("Which?\n\nYour answer: Red"), first);
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
