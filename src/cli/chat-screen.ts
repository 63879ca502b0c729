import type { TerminalEvent } from "#core/terminal.ts";

import { type Output, plainText } from "./output.ts";

/** Where a chat is shown. */
export interface Screen {
  /** Shows what happens; gives true where something was written that a prompt has to stand below. */
  show(event: TerminalEvent): boolean;
  /** Ends the line of what was being drawn. */
  end(): void;
}

type Message = TerminalEvent & { readonly type: "message" };

/** So many messages are known again. */
const remembered = 1000;

/** Draws an answer as it comes: what of it is there already is not written again. */
function createDrawing(output: Output) {
  const state = { drawn: "" };

  function draw(text: string): void {
    if (text === state.drawn) return;
    const goesOn = text.startsWith(state.drawn);
    if (!goesOn) output.write("\n");
    output.write(goesOn ? text.slice(state.drawn.length) : text);
    state.drawn = text;
  }

  return {
    draw,
    isOpen: () => state.drawn !== "",
    /** Ends what was being drawn with a line end, if there was anything. */
    end(): void {
      if (state.drawn !== "") output.write("\n");
      state.drawn = "";
    },
  };
}

/** Answers and what there is of them on stdout, all else on stderr; each message once. */
export function createScreen(output: Output): Screen {
  const drawing = createDrawing(output);
  const seen = new Map<string, string>();

  /** False for a message that was shown before, and for a card of ours that was only changed. */
  function isNew({ id, answer }: Message): boolean {
    const before = seen.get(id);
    if (seen.size >= remembered) seen.clear();
    seen.set(id, answer);
    return before === undefined || before !== answer;
  }

  /** A line beside the answer, below what of it stands on the terminal's last line. */
  function note(text: string): void {
    const below = output.isTerminal && drawing.isOpen() ? "\n" : "";
    output.note(`${below}${text}`);
  }

  function message({ answer, notes, choices }: Message): void {
    if (answer !== "") {
      drawing.draw(plainText(answer.trim()));
      drawing.end();
    }
    if (notes !== "") note(answer === "" ? plainText(notes) : output.dim(plainText(notes)));
    choices.forEach((label, at) => output.note(`${at + 1}) ${plainText(label)}`));
  }

  return {
    show(event) {
      if (event.type === "draft") drawing.draw(plainText(event.text.trimStart()));
      else if (event.type === "queued") note(output.dim("This waits for its turn."));
      else if (event.type === "note") note(plainText(event.line));
      else if (event.type === "typing" && !drawing.isOpen()) output.transient("...");
      else if (event.type === "message" && isNew(event)) {
        message(event);
        return true;
      }
      return event.type === "note";
    },
    end: () => drawing.end(),
  };
}
