import { describe, expect, test } from "vitest";

import { createScreen } from "../../src/cli/chat-screen.ts";
import type { TerminalEvent } from "../../src/core/terminal.ts";
import { createFakeOutput } from "../fakes/output.ts";

function setUp(isTerminal = false) {
  const { written, output } = createFakeOutput(isTerminal);
  return { written, screen: createScreen(output) };
}

const draft = (text: string) => ({ type: "draft", taskId: "T", text }) as const;

function message(id: string, answer: string, own: { notes?: string; choices?: string[] } = {}) {
  return { type: "message", id, answer, notes: "", choices: [], ...own } as const;
}

function shown(...events: readonly TerminalEvent[]) {
  const { written, screen } = setUp();
  for (const event of events) screen.show(event);
  return written;
}

describe("the screen of a chat", () => {
  test("writes of an answer what is not there yet", () => {
    const { data } = shown(
      draft(""),
      draft("\nOnce"),
      draft("\nOnce upon"),
      message("1", "\nOnce upon it.\n"),
    );
    expect(data).toBe("Once upon it.\n");
  });

  test("writes an answer anew that is not what was drawn", () => {
    const { data } = shown(draft("Let me look"), draft("It is"), message("1", "It was."));
    expect(data).toBe("Let me look\nIt is\nIt was.\n");
  });

  test("shows a message once, however often it is sent, and an answer that was changed", () => {
    const first = message("1", "One.", { notes: "Cut." });
    const written = shown(first, first, message("2", "Two."), first, message("1", "One, better."));
    expect(written).toEqual({ data: "One.\nTwo.\nOne, better.\n", beside: ["Cut."] });
  });

  test("numbers what may be chosen, beside the answers, and leaves out the card's own change", () => {
    const written = shown(
      message("1", "", { notes: "Which?", choices: ["Red", "Blue"] }),
      message("1", "", { notes: "Which?\n\nRed" }),
      { type: "note", line: "Red" },
      { type: "queued" },
    );
    const beside = ["Which?", "1) Red", "2) Blue", "Red", "This waits for its turn."];
    expect(written).toEqual({ data: "", beside });
  });

  test("lets nothing steer the terminal", () => {
    const evil = "\u001B[2Jwords\u0007";
    const written = shown(draft(evil), message("1", evil, { notes: evil, choices: [evil] }), {
      type: "note",
      line: evil,
    });
    expect(written).toEqual({
      data: "[2Jwords\n",
      beside: ["[2Jwords", "1) [2Jwords", "[2Jwords"],
    });
  });

  test("on a terminal a line of ours stands below what of an answer is there", () => {
    const { written, screen } = setUp(true);
    screen.show({ type: "typing" });
    screen.show(draft("Once"));
    screen.show({ type: "typing" });
    expect(screen.show(message("1", "", { notes: "running: words" }))).toBe(true);
    expect(screen.show(draft("Once upon"))).toBe(false);
    screen.end();
    screen.show(message("2", "Other."));
    expect(written).toEqual({ data: "Once upon\nOther.\n", beside: ["(...)", "\nrunning: words"] });
  });
});
