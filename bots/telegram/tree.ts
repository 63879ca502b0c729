/** Words of a line, with what they are marked as. Neighbouring marks of one kind are one, and no mark stands in one of its kind. */
export type Inline =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "code"; readonly text: string }
  | { readonly type: "break" }
  | { readonly type: Mark; readonly children: readonly Inline[] }
  | { readonly type: "link"; readonly target: string; readonly children: readonly Inline[] };

/** What words are marked as. */
export type Mark = "bold" | "italic" | "strike";

/** An item of a list; `checked` where it is a task. */
export interface Item {
  readonly checked?: boolean;
  readonly blocks: readonly Block[];
}

/** A list; `start` is the first number of an ordered one, null of a list of points. */
export interface List {
  readonly type: "list";
  readonly start: number | null;
  readonly items: readonly Item[];
}

/** How a column stands. */
export type Align = "left" | "center" | "right" | null;

/** A table; every row has as many cells as the head. */
export interface Table {
  readonly type: "table";
  readonly align: readonly Align[];
  readonly head: readonly (readonly Inline[])[];
  readonly rows: readonly (readonly (readonly Inline[])[])[];
}

/** Lines as they are, of a language that may be "". */
export interface Code {
  readonly type: "code";
  readonly language: string;
  readonly text: string;
}

/** A document is blocks. Nothing in them is markup: what a text says is meant literally. */
export type Block =
  | { readonly type: "paragraph"; readonly children: readonly Inline[] }
  | { readonly type: "heading"; readonly level: number; readonly children: readonly Inline[] }
  | { readonly type: "quote"; readonly blocks: readonly Block[] }
  | { readonly type: "rule" }
  | Code
  | List
  | Table;

/** The words of a line without their marks; a break is a line's end. */
export function plainOf(inlines: readonly Inline[]): string {
  return inlines
    .map((inline) => {
      if (inline.type === "text" || inline.type === "code") return inline.text;
      return inline.type === "break" ? "\n" : plainOf(inline.children);
    })
    .join("");
}

/** All words of a document, in the order in which they are read. */
export function wordsOf(blocks: readonly Block[]): string {
  return blocks
    .map((block) => {
      if (block.type === "rule") return "";
      if (block.type === "code") return block.text;
      if (block.type === "quote") return wordsOf(block.blocks);
      if (block.type === "list") return block.items.map((item) => wordsOf(item.blocks)).join("\n");
      if (block.type === "table") {
        return [block.head, ...block.rows].map((row) => row.map(plainOf).join("\n")).join("\n");
      }
      return plainOf(block.children);
    })
    .join("\n");
}
