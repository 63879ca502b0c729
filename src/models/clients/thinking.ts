/** A piece of an answer, and whether it is thinking. */
export interface Piece {
  readonly type: "text" | "thinking";
  readonly text: string;
}

const opening = "<think>";
const closing = "</think>";

/** Characters at the end of `text` that could be the beginning of `tag`. */
function tagBegun(text: string, tag: string): number {
  for (let length = Math.min(text.length, tag.length - 1); length > 0; length -= 1) {
    if (text.endsWith(tag.slice(0, length))) return length;
  }
  return 0;
}

/**
 * Splits streamed text into answer and thinking where a model writes its thinking into the answer as a leading
 * `<think>...</think>`. Call `push` for each piece in order, then `end` once for what is held back.
 */
export function createThinkingSplitter(): {
  push(text: string): Piece[];
  end(): Piece[];
} {
  const state: { mode: "start" | "thinking" | "answer"; held: string } = {
    mode: "start",
    held: "",
  };

  function pieces(type: Piece["type"], text: string): Piece[] {
    return text === "" ? [] : [{ type, text }];
  }

  function begin(text: string): Piece[] {
    const trimmed = text.trimStart();
    if (trimmed.startsWith(opening)) {
      state.mode = "thinking";
      return think(trimmed.slice(opening.length));
    }
    if (opening.startsWith(trimmed)) {
      state.held = text;
      return [];
    }
    state.mode = "answer";
    return pieces("text", text);
  }

  function think(text: string): Piece[] {
    const at = text.indexOf(closing);
    if (at !== -1) {
      state.mode = "answer";
      const answer = text.slice(at + closing.length).trimStart();
      return [...pieces("thinking", text.slice(0, at)), ...pieces("text", answer)];
    }
    const keep = tagBegun(text, closing);
    state.held = text.slice(text.length - keep);
    return pieces("thinking", text.slice(0, text.length - keep));
  }

  return {
    push(text) {
      const all = state.held + text;
      state.held = "";
      if (state.mode === "start") return begin(all);
      return state.mode === "thinking" ? think(all) : pieces("text", all);
    },
    end() {
      const held = state.held;
      state.held = "";
      return pieces(state.mode === "thinking" ? "thinking" : "text", held);
    },
  };
}
