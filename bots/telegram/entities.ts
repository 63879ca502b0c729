import { tableLines } from "./lines.ts";
import type { Block, Inline, Item, List } from "./tree.ts";

type Kind =
  | { readonly type: "bold" | "italic" | "strikethrough" | "code" | "blockquote" }
  | { readonly type: "pre"; readonly language?: string }
  | { readonly type: "text_link"; readonly url: string };

/** A mark on a text, in Telegram's names; offset and length are in UTF-16 units. */
export type Entity = Kind & { readonly offset: number; readonly length: number };

/** A text with its marks. */
export interface Marked {
  readonly text: string;
  readonly entities: readonly Entity[];
}

const kinds = { bold: "bold", italic: "italic", strike: "strikethrough" } as const;
const points = ["•", "◦", "▪"];

/** A text that grows, with marks over what was added within them. */
interface Writer {
  text: string;
  /** What every new line begins with. */
  indent: string;
  readonly entities: Entity[];
}

/** Adds what `add` writes, marked. Nothing added leaves no mark. */
function within(writer: Writer, kind: Kind, add: () => void): void {
  const offset = writer.text.length;
  const at = writer.entities.length;
  add();
  const length = writer.text.length - offset;
  if (length > 0) writer.entities.splice(at, 0, { ...kind, offset, length });
}

/** Telegram knows no links to hosts without a dot; such an address is read, and copied, as text. */
function isKnown(target: string): boolean {
  return !target.startsWith("mailto:") && /[.\]]/.test(new URL(target).host);
}

function writeInlines(writer: Writer, inlines: readonly Inline[]): void {
  for (const inline of inlines) {
    if (inline.type === "text") writer.text += inline.text;
    else if (inline.type === "break") writer.text += `\n${writer.indent}`;
    else if (inline.type === "code") {
      within(writer, { type: "code" }, () => void (writer.text += inline.text));
    } else if (inline.type === "link") {
      const add = (): void => writeInlines(writer, inline.children);
      if (isKnown(inline.target)) within(writer, { type: "text_link", url: inline.target }, add);
      else add();
    } else {
      within(writer, { type: kinds[inline.type] }, () => writeInlines(writer, inline.children));
    }
  }
}

/** Where a block stands: how deep in lists, and whether in a quote, since there is none within another. */
interface Place {
  readonly depth: number;
  readonly quoted: boolean;
}

function signOf(item: Item, sign: string): string {
  if (item.checked === undefined) return `${sign} `;
  return `${item.checked ? "☑" : "☐"} `;
}

function writeList(writer: Writer, { start, items }: List, place: Place): void {
  const { indent } = writer;
  for (const [at, item] of items.entries()) {
    if (at > 0) writer.text += `\n${indent}`;
    const sign = start === null ? (points[place.depth % points.length] ?? "•") : `${start + at}.`;
    writer.text += signOf(item, sign);
    writer.indent = `${indent}   `;
    writeBlocks(writer, item.blocks, { ...place, depth: place.depth + 1 });
    writer.indent = indent;
  }
}

function writePre(writer: Writer, text: string, language: string): void {
  const kind: Kind = language === "" ? { type: "pre" } : { type: "pre", language };
  within(writer, kind, () => void (writer.text += text));
}

/** Inside a heading everything is bold, so that no mark of its own says so. */
function unbold(inlines: readonly Inline[]): readonly Inline[] {
  return inlines.flatMap((inline) => {
    if (inline.type === "bold") return unbold(inline.children);
    return "children" in inline ? [{ ...inline, children: unbold(inline.children) }] : [inline];
  });
}

function writeBlock(writer: Writer, block: Block, place: Place): void {
  switch (block.type) {
    case "paragraph":
      return writeInlines(writer, block.children);
    case "heading":
      return within(writer, { type: "bold" }, () => writeInlines(writer, unbold(block.children)));
    case "quote": {
      const add = (): void => writeBlocks(writer, block.blocks, { ...place, quoted: true });
      return place.quoted ? add() : within(writer, { type: "blockquote" }, add);
    }
    case "list":
      return writeList(writer, block, place);
    case "code":
      return writePre(writer, block.text, block.language);
    case "table":
      return writePre(writer, tableLines(block), "");
    case "rule":
      writer.text += "———";
  }
}

/** What stands between two blocks: code is not indented, and a list hangs right under its words. */
function gap(writer: Writer, block: Block, place: Place): string {
  const isLines = block.type === "code" || block.type === "table";
  const close = place.depth > 0 && (block.type === "list" || isLines);
  return `${close ? "\n" : "\n\n"}${isLines ? "" : writer.indent}`;
}

function writeBlocks(writer: Writer, blocks: readonly Block[], place: Place): void {
  for (const [at, block] of blocks.entries()) {
    const starts = at === 0 && (block.type === "code" || block.type === "table") && place.depth > 0;
    if (at > 0) writer.text += gap(writer, block, place);
    else if (starts) writer.text += "\n";
    writeBlock(writer, block, place);
  }
}

function isWithin(inner: Entity, outer: Entity): boolean {
  return inner.offset >= outer.offset && inner.offset + inner.length <= outer.offset + outer.length;
}

/** A mark around what is in it, but not over it. */
function around(entity: Entity, inner: readonly Entity[]): readonly Entity[] {
  const end = entity.offset + entity.length;
  const found: Entity[] = [];
  let from = entity.offset;
  for (const { offset, length } of inner.filter((one) => isWithin(one, entity))) {
    if (offset > from) found.push({ ...entity, offset: from, length: offset - from });
    from = offset + length;
  }
  return from < end ? [...found, { ...entity, offset: from, length: end - from }] : found;
}

/** Telegram has no marks over code: a link stays and its code goes, any other mark is left out there. */
function withoutOverlaps(entities: readonly Entity[]): readonly Entity[] {
  const links = entities.filter(({ type }) => type === "text_link");
  const kept = entities.filter(
    (entity) => entity.type !== "code" || !links.some((link) => isWithin(entity, link)),
  );
  const codes = kept.filter(({ type }) => type === "code");
  const plain: ReadonlySet<string> = new Set(Object.values(kinds));
  return kept
    .flatMap((entity) => (plain.has(entity.type) ? around(entity, codes) : [entity]))
    .toSorted((a, b) => a.offset - b.offset || b.length - a.length);
}

/** A tree as a text with marks, which stand in their order and within each other. */
export function toEntities(blocks: readonly Block[]): Marked {
  const writer: Writer = { text: "", indent: "", entities: [] };
  writeBlocks(writer, blocks, { depth: 0, quoted: false });
  return { text: writer.text, entities: withoutOverlaps(writer.entities) };
}
