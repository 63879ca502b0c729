import createMarkdownIt, { type MarkdownIt, type Token } from "markdown-it";

import { cleanText } from "./clean.ts";
import { inlinesOf } from "./inline.ts";
import { tableLines, trimCode } from "./lines.ts";
import { tidyBlock } from "./tidy.ts";
import type { Align, Block, Inline, Item, Table } from "./tree.ts";

/** Telegram shows sixteen levels; the words within the deepest block need six of them. */
const deepest = 10;
/** Telegram's tables have no more columns. */
const mostColumns = 20;
/** The parser leaves out what lies deeper than its own limit of a hundred. */
const suspect = 90;
/** Numbers of a list have nine digits. */
const highestStart = 999_000_000;

/**
 * CommonMark with tables and strikethrough; raw HTML is text. Definitions of references are off: an unused one would vanish, with the
 * source that it names. Addresses are judged by us, so the parser lets all of them pass.
 */
function createParser(): MarkdownIt {
  const parser = createMarkdownIt({ html: false }).disable("reference");
  parser.validateLink = () => true;
  return parser;
}

interface Reading {
  readonly tokens: readonly Token[];
  at: number;
}

function next(reading: Reading): Token | undefined {
  const token = reading.tokens[reading.at];
  reading.at += 1;
  return token;
}

/** The words up to the end of what was opened. */
function readLine(reading: Reading): readonly Inline[] {
  const found: Inline[] = [];
  for (let token = next(reading); token !== undefined; token = next(reading)) {
    if (token.nesting === -1) break;
    found.push(...inlinesOf(token.children ?? []));
  }
  return tidyBlock(found);
}

/** Words of one line: an end of a line is a space. */
function unbroken(inlines: readonly Inline[]): readonly Inline[] {
  return inlines.map((inline) => {
    if (inline.type === "break") return { type: "text", text: " " };
    return "children" in inline ? { ...inline, children: unbroken(inline.children) } : inline;
  });
}

function paragraph(children: readonly Inline[]): readonly Block[] {
  return children.length === 0 ? [] : [{ type: "paragraph", children }];
}

function headingOf(tag: string, words: readonly Inline[]): readonly Block[] {
  const children = tidyBlock(unbroken(words));
  return children.length === 0 ? [] : [{ type: "heading", level: Number(tag.slice(1)), children }];
}

/** A block of code; one of nothing is none. */
function codeOf(token: Token): readonly Block[] {
  const text = trimCode(cleanText(token.content));
  const [word = ""] = cleanText(token.info).trim().split(/\s/, 1);
  const language = /^[\w+#.-]{1,32}$/.test(word) ? word.toLowerCase() : "";
  // A block of this name would be set as a formula.
  return text === ""
    ? []
    : [{ type: "code", language: language === "math" ? "latex" : language, text }];
}

/** An item's own task mark, which the parser leaves in its words. */
function itemOf(blocks: readonly Block[]): Item {
  const [first, ...rest] = blocks;
  if (first?.type !== "paragraph") return { blocks };
  const [words, ...others] = first.children;
  const mark = words?.type === "text" ? /^\[([ xX])\]\s/.exec(words.text) : null;
  if (words?.type !== "text" || mark === null) return { blocks };
  const children = tidyBlock([{ type: "text", text: words.text.slice(mark[0].length) }, ...others]);
  if (children.length === 0) return { blocks };
  return { checked: mark[1] !== " ", blocks: [{ type: "paragraph", children }, ...rest] };
}

/** The items up to the list's end; beyond the deepest level their blocks take the list's place. */
function readList(reading: Reading, open: Token, depth: number): readonly Block[] {
  const items: Item[] = [];
  for (let token = next(reading); token?.nesting === 1; token = next(reading)) {
    const blocks = readBlocks(reading, depth + 2);
    if (blocks.length > 0) items.push(itemOf(blocks));
  }
  if (depth + 2 > deepest) return items.flatMap(({ blocks }) => blocks);
  const first = Number(open.attrGet("start") ?? 1);
  const start = open.type === "ordered_list_open" ? Math.min(first, highestStart) : null;
  return items.length === 0 ? [] : [{ type: "list", start, items }];
}

function alignOf(token: Token): Align {
  const [, side] =
    /text-align:(left|center|right)/.exec(String(token.attrGet("style") ?? "")) ?? [];
  return side === "left" || side === "center" || side === "right" ? side : null;
}

/** A table up to its end; one with too many columns becomes lines of code. */
function readTable(reading: Reading): readonly Block[] {
  const rows: (readonly Inline[])[][] = [];
  const align: Align[] = [];
  for (let token = next(reading); token !== undefined; token = next(reading)) {
    if (token.type === "table_close") break;
    if (token.type === "tr_open") rows.push([]);
    if (token.type === "th_open") align.push(alignOf(token));
    if (token.type === "th_open" || token.type === "td_open") {
      rows.at(-1)?.push(tidyBlock(unbroken(readLine(reading))));
    }
  }
  const [head = [], ...body] = rows;
  const table: Table = { type: "table", align, head, rows: body };
  if (rows.flat(2).length === 0) return [];
  if (align.length <= mostColumns) return [table];
  return [{ type: "code", language: "", text: tableLines(table) }];
}

function readQuote(reading: Reading, depth: number): readonly Block[] {
  const blocks = readBlocks(reading, depth + 1);
  if (depth + 1 > deepest) return blocks;
  return blocks.length === 0 ? [] : [{ type: "quote", blocks }];
}

function readOne(reading: Reading, token: Token, depth: number): readonly Block[] {
  switch (token.type) {
    case "paragraph_open":
      return paragraph(readLine(reading));
    case "heading_open":
      return headingOf(token.tag, readLine(reading));
    case "blockquote_open":
      return readQuote(reading, depth);
    case "bullet_list_open":
    case "ordered_list_open":
      return readList(reading, token, depth);
    case "table_open":
      return readTable(reading);
    case "fence":
    case "code_block":
      return codeOf(token);
    case "hr":
      return [{ type: "rule" }];
    default:
      return [];
  }
}

function readBlocks(reading: Reading, depth: number): readonly Block[] {
  const found: Block[] = [];
  for (let token = next(reading); token !== undefined; token = next(reading)) {
    if (token.nesting === -1) break;
    found.push(...readOne(reading, token, depth));
  }
  return found;
}

/** A text as paragraphs of its lines. */
function asParagraphs(text: string): readonly Block[] {
  return text.split(/\n{2,}/).flatMap((lines) => {
    const inlines = lines
      .split("\n")
      .flatMap((line): Inline[] => [
        { type: "break" },
        { type: "text", text: line.replaceAll(/\s+/g, " ") },
      ]);
    return paragraph(tidyBlock(inlines));
  });
}

/** Reads Markdown into a tree. Whatever the text, nothing of it is lost, and no address is in the tree but those that `links.ts` allows. */
export function createReader(): (markdown: string) => readonly Block[] {
  const parser = createParser();
  return (markdown) => {
    const text = cleanText(markdown);
    const tokens = parser.parse(text, {});
    if (tokens.some(({ level }) => level > suspect)) return asParagraphs(text);
    return readBlocks({ tokens, at: 0 }, 0);
  };
}
