import { tableLines, trimCode } from "./lines.ts";
import { toRich } from "./rich.ts";
import { tidyBlock } from "./tidy.ts";
import type { Block, Code, Inline, Item, List, Table } from "./tree.ts";

/**
 * What one rich message takes, below what Telegram publishes (32,768 characters, 500 blocks): characters are counted as bytes, so
 * that every reading of the limit holds, and a few small lines may be added under it.
 */
const most: Cost = { bytes: 31_000, blocks: 450 };
/** Words of this length are cut. */
const longestWord = 1000;

interface Cost {
  readonly bytes: number;
  readonly blocks: number;
}

/** Puts a block where it stands: in its quotes and lists, whose signs take room too. */
type Setting = (block: Block) => Block;

/** How many blocks Telegram counts: nested ones, items of lists and rows of tables are blocks too. */
export function countBlocks(blocks: readonly Block[]): number {
  return blocks.reduce((count, block) => {
    if (block.type === "quote") return count + 1 + countBlocks(block.blocks);
    if (block.type === "table") return count + 2 + block.rows.length;
    if (block.type !== "list") return count + 1;
    return block.items.reduce((sum, item) => sum + 1 + countBlocks(item.blocks), count + 1);
  }, 0);
}

function costOf(block: Block): Cost {
  return { bytes: Buffer.byteLength(toRich([block])) + 2, blocks: countBlocks([block]) };
}

function fits({ bytes, blocks }: Cost): boolean {
  return bytes <= most.bytes && blocks <= most.blocks;
}

/** Neighbours in groups, each as large as may be; one that is too large is a group of its own. */
function grouped<T>(all: readonly T[], cost: (one: T) => Cost, around: Cost): T[][] {
  const groups: T[][] = [];
  let sum = around;
  for (const one of all) {
    const own = cost(one);
    const next = { bytes: sum.bytes + own.bytes, blocks: sum.blocks + own.blocks };
    const last = groups.at(-1);
    if (last !== undefined && fits(next)) {
      last.push(one);
      sum = next;
    } else {
      groups.push([one]);
      sum = { bytes: around.bytes + own.bytes, blocks: around.blocks + own.blocks };
    }
  }
  return groups;
}

const nothing: Cost = { bytes: 0, blocks: 0 };

/** A text in words, each with the white space behind it. */
function wordsIn(text: string): readonly string[] {
  return (text.match(/\S+\s*|\s+/g) ?? []).flatMap((word) => {
    const letters = Array.from(word);
    const cuts = Math.ceil(letters.length / longestWord);
    return Array.from({ length: cuts }, (_, at) =>
      letters.slice(at * longestWord, (at + 1) * longestWord).join(""),
    );
  });
}

/** Words one by one, each with its marks. A link as long as a message is none. */
function single(inline: Inline): readonly Inline[] {
  if (inline.type === "break") return [inline];
  if (inline.type === "text" || inline.type === "code") {
    return wordsIn(inline.text).map((text) => ({ type: inline.type, text }));
  }
  if (inline.type !== "link") {
    return inline.children
      .flatMap(single)
      .map((child) => ({ type: inline.type, children: [child] }));
  }
  return fits(costOf({ type: "paragraph", children: [inline] }))
    ? [inline]
    : inline.children.flatMap(single);
}

/** Letters may be escaped, or written by their number. */
function costOfInline(inline: Inline): Cost {
  return { bytes: 2 * costOf({ type: "paragraph", children: [inline] }).bytes, blocks: 0 };
}

function splitLine(children: readonly Inline[], around: Cost): readonly (readonly Inline[])[] {
  return grouped(children.flatMap(single), costOfInline, around).map(tidyBlock);
}

function splitCode(code: Code, setting: Setting): readonly Block[] {
  const lines = code.text
    .split("\n")
    .flatMap((line) => (line.length > longestWord ? wordsIn(line) : [line]));
  const around = costOf(setting({ ...code, text: "" }));
  // The signs before a line are those of a block before it.
  const signs =
    costOf(setting({ type: "code", language: "", text: "\n" })).bytes -
    costOf(setting({ type: "code", language: "", text: "" })).bytes;
  const cost = (line: string): Cost => ({ bytes: Buffer.byteLength(line) + signs, blocks: 0 });
  return grouped(lines, cost, around)
    .map((group) => ({ ...code, text: trimCode(group.join("\n")) }))
    .filter(({ text }) => text !== "");
}

function splitTable(table: Table, setting: Setting): readonly Block[] {
  const around = costOf(setting({ ...table, rows: [] }));
  const cost = (row: Table["rows"][number]): Cost => {
    const { bytes } = costOf(setting({ ...table, rows: [row] }));
    return { bytes: bytes - around.bytes, blocks: 1 };
  };
  const isWide = [nothing, ...table.rows.map(cost)].some(
    ({ bytes }) => around.bytes + bytes > most.bytes,
  );
  if (isWide) return splitCode({ type: "code", language: "", text: tableLines(table) }, setting);
  return grouped(table.rows, cost, around).map((rows) => ({ ...table, rows }));
}

/** An item that is too large: the first of its pieces stays one, and what follows stands by itself. */
function splitItem(item: Item, list: List, setting: Setting): readonly Block[] {
  const one = (blocks: readonly Block[]): List => ({ ...list, items: [{ ...item, blocks }] });
  const [first, ...rest] = item.blocks.flatMap((block) =>
    split(block, (inner) => setting(one([inner]))),
  );
  return first === undefined ? [] : [one([first]), ...rest];
}

function splitList(list: List, setting: Setting): readonly Block[] {
  const numbered = list.items.map((item, at) => ({
    item,
    at,
    cost: costOf(
      setting({ ...list, start: list.start === null ? null : list.start + at, items: [item] }),
    ),
  }));
  return grouped(numbered, ({ cost }) => cost, nothing).flatMap((group) => {
    const [first] = group;
    const start = list.start === null ? null : list.start + (first?.at ?? 0);
    const part: List = { type: "list", start, items: group.map(({ item }) => item) };
    if (first === undefined || fits(first.cost)) return [part];
    return splitItem(first.item, part, setting);
  });
}

function splitQuote(inner: readonly Block[], setting: Setting): readonly Block[] {
  const quote = (blocks: readonly Block[]): Block => ({ type: "quote", blocks });
  const pieces = inner.flatMap((one) => split(one, (part) => setting(quote([part]))));
  return grouped(pieces, (one) => costOf(setting(quote([one]))), nothing).map(quote);
}

/** A block in pieces that fit where it stands. */
function split(block: Block, setting: Setting): readonly Block[] {
  if (fits(costOf(setting(block)))) return [block];
  if (block.type === "code") return splitCode(block, setting);
  if (block.type === "table") return splitTable(block, setting);
  if (block.type === "list") return splitList(block, setting);
  if (block.type === "quote") return splitQuote(block.blocks, setting);
  if (block.type === "rule") return [block];
  const around = costOf(setting({ ...block, children: [] }));
  return splitLine(block.children, around).map((children) => ({ ...block, children }));
}

/** A document in messages: whole blocks where they fit; code keeps its language, a table its head, a list its numbers. */
export function piecesOf(blocks: readonly Block[]): readonly (readonly Block[])[] {
  return grouped(
    blocks.flatMap((block) => split(block, (inner) => inner)),
    costOf,
    nothing,
  );
}
