import type { Block, Code, Inline, List, Mark, Table } from "./tree.ts";

const signs: Readonly<Record<Mark, string>> = { bold: "**", italic: "_", strike: "~~" };

/** Every sign of Markdown's, and of Telegram's additions to it, as the letter that it is. */
function escaped(text: string): string {
  return text
    .replaceAll(/[\\`*_[\]<~|$]/g, String.raw`\$&`)
    .replaceAll(/&(?=[#\p{L}\p{N}])/gu, String.raw`\&`)
    .replaceAll(/=(?==)|(?<==)=|^=|=$/g, String.raw`\=`)
    .replaceAll(/(?<=^|\s)#/g, String.raw`\#`)
    .replace(/!$/, String.raw`\!`);
}

/** What would make a block of a line, at its beginning. */
function lineStart(text: string): string {
  return text
    .replace(/^[-+>:]/, String.raw`\$&`)
    .replace(/^(\d{1,9})([.)])(?=\s|$)/, String.raw`$1\$2`);
}

interface Written {
  readonly raw: string;
  readonly mark?: Mark;
  readonly text?: string;
}

/** A letter by its number, which no parser takes for a letter. A flag is several, which must stay together. */
function reference(letter: string): string {
  return Array.from(letter, (point) => `&#${point.codePointAt(0) ?? 32};`).join("");
}

/** The two ends of a text: the letter there, and how the inside of a mark ends that lets it be. */
const atStart = {
  letter: /^(?:\u{1F3F4}[\u{E0020}-\u{E007F}]+|[^\s!-/:-@[-`{-~])/u,
  edge: /[\p{L}\p{N}]$/u,
};
const atEnd = {
  letter: /(?:\u{1F3F4}[\u{E0020}-\u{E007F}]+|[^\s!-/:-@[-`{-~])$/u,
  edge: /^[\p{L}\p{N}]/u,
};

/**
 * The letter at an end of a text that hides the mark beside it: a mark is seen as one only where a letter is within it too, or none
 * is beside it. Underscores need the latter.
 */
function hiding(text: string, mark: Written | undefined, end: typeof atStart): string {
  if (mark?.mark === undefined) return "";
  const sign = signs[mark.mark].length;
  const bears = mark.mark !== "italic" && end.edge.test(mark.raw.slice(sign, -sign));
  return bears ? "" : (end.letter.exec(text)?.[0] ?? "");
}

function written(
  text: string,
  between: {
    readonly before: Written | undefined;
    readonly after: Written | undefined;
    readonly begins: boolean;
  },
): string {
  const first = hiding(text, between.before, atStart);
  const rest = text.slice(first.length);
  const last = hiding(rest, between.after, atEnd);
  const body = escaped(rest.slice(0, rest.length - last.length));
  const middle = between.begins && first === "" ? lineStart(body) : body;
  return `${reference(first)}${middle}${reference(last)}`;
}

/** Words in a code span, its sign longer than any in it. */
function codeSpan(text: string, inTable: boolean): string {
  const runs = text.match(/`+/g) ?? [];
  const sign = "`".repeat(1 + Math.max(0, ...runs.map(({ length }) => length)));
  const pad = /^`|`$|^ .* $/s.test(text) ? " " : "";
  const body = inTable ? text.replaceAll("|", String.raw`\|`) : text;
  return `${sign}${pad}${body}${pad}${sign}`;
}

function writeInlines(inlines: readonly Inline[], inTable: boolean): string {
  const parts = inlines.map((inline): Written => {
    if (inline.type === "text") return { raw: "", text: inline.text };
    if (inline.type === "code") return { raw: codeSpan(inline.text, inTable) };
    if (inline.type === "break") return { raw: "  \n" };
    const inner = writeInlines(inline.children, inTable);
    if (inline.type !== "link") {
      const sign = signs[inline.type];
      return { raw: `${sign}${inner}${sign}`, mark: inline.type };
    }
    return { raw: `[${inner}](${inline.target.replaceAll(/&(?=[#\w]+;)/g, String.raw`\&`)})` };
  });
  return parts
    .map(({ raw, text }, at) => {
      if (text === undefined) return raw;
      const begins = at === 0 || inlines[at - 1]?.type === "break";
      return written(text, { before: parts[at - 1], after: parts[at + 1], begins });
    })
    .join("");
}

function writeCode({ language, text }: Code): string {
  const runs = text.match(/`{3,}/g) ?? [];
  const fence = "`".repeat(Math.max(3, ...runs.map(({ length }) => length + 1)));
  return `${fence}${language}\n${text}\n${fence}`;
}

const sides = { left: ":--", center: ":-:", right: "--:" } as const;

function writeTable({ align, head, rows }: Table): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const words = (cells: Table["head"]): string =>
    row(cells.map((cell) => writeInlines(cell, true)));
  return [
    words(head),
    row(align.map((side) => (side === null ? "---" : sides[side]))),
    ...rows.map(words),
  ].join("\n");
}

/** Lines behind a first mark; empty ones stay empty. */
function prefixed(text: string, first: string, rest: string): string {
  return text
    .split("\n")
    .map((line, at) => (at === 0 ? first + line : line === "" ? rest.trimEnd() : rest + line))
    .join("\n");
}

/** A list; `other` where one of its kind stands right before it, which the same sign would continue. */
function writeList({ start, items }: List, other: boolean): string {
  return items
    .map(({ checked, blocks }, at) => {
      const sign = start === null ? (other ? "*" : "-") : `${start + at}${other ? ")" : "."}`;
      const task = checked === undefined ? "" : checked ? "[x] " : "[ ] ";
      const body = task + writeBlocks(blocks, true);
      return prefixed(body, `${sign} `, " ".repeat(sign.length + 1));
    })
    .join("\n");
}

function writeOne(block: Exclude<Block, List | { readonly type: "rule" }>): string {
  if (block.type === "paragraph") return writeInlines(block.children, false);
  if (block.type === "code") return writeCode(block);
  if (block.type === "table") return writeTable(block);
  if (block.type === "quote") return prefixed(writeBlocks(block.blocks, false), "> ", "> ");
  return `${"#".repeat(block.level)} ${writeInlines(block.children, false)}`;
}

/** How the block at a place is written; after a list's own sign the usual dashes would make one line of both. */
function writeBlock(blocks: readonly Block[], at: number, inItem: boolean): string {
  const block = blocks[at];
  if (block === undefined) return "";
  if (block.type === "list") return writeList(block, isOther(blocks, at));
  if (block.type === "rule") return inItem && at === 0 ? "___" : "---";
  return writeOne(block);
}

function isOther(blocks: readonly Block[], at: number): boolean {
  const [before, block] = [blocks[at - 1], blocks[at]];
  if (block?.type !== "list" || before?.type !== "list") return false;
  return (before.start === null) === (block.start === null) && !isOther(blocks, at - 1);
}

function writeBlocks(blocks: readonly Block[], inItem: boolean): string {
  return blocks
    .map((block, at) => {
      const text = writeBlock(blocks, at, inItem);
      if (at === 0) return text;
      const [before] = [blocks[at - 1]];
      const continues = block.type === "list" && (block.start === null || block.start === 1);
      return inItem && before?.type === "paragraph" && continues ? `\n${text}` : `\n\n${text}`;
    })
    .join("");
}

/**
 * A tree as Markdown in which nothing is markup but what the tree says: read again it is the same tree. It has no pictures, no HTML and
 * no buttons.
 */
export function toRich(blocks: readonly Block[]): string {
  return writeBlocks(blocks, false);
}
