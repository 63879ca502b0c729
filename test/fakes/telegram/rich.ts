import MarkdownIt from "markdown-it";

import { bad } from "./refusal.ts";

/** A link, and whether a reader sees where it leads. */
export interface RichLink {
  readonly text: string;
  readonly target: string;
  readonly shown: boolean;
}

/** What is in a rich message. */
export interface RichLook {
  readonly markdown: string | undefined;
  readonly html: string | undefined;
  readonly links: readonly RichLink[];
  /** Addresses of pictures, sounds and films. */
  readonly media: readonly string[];
  /** The names of all HTML tags in it. */
  readonly tags: readonly string[];
}

/** A rich message as a bot sends it. */
export interface RichInput {
  readonly markdown?: string | undefined;
  readonly html?: string | undefined;
  readonly blocks?: readonly unknown[] | undefined;
  readonly media?: readonly { readonly id: string }[] | undefined;
}

/** The published limits. How the real server words its refusals of them is not known. */
const most = { characters: 32_768, blocks: 500, levels: 16, media: 50, columns: 20 };

/** Words of one line without any mark: nothing to parse in them. */
const plainWords = /^[\p{L}\p{N} ,;'’"…?]+[.!:]?[\p{L}\p{N} ,;'’"…?!.]*$/u;

const markdown = new MarkdownIt({ html: true });
markdown.validateLink = () => true;
markdown.normalizeLink = (address) => address;

type Token = ReturnType<typeof markdown.parse>[number];

interface Count {
  text: string;
  blocks: number;
  levels: number;
  columns: number;
  readonly links: { text: string; target: string }[];
  readonly media: string[];
  readonly tags: string[];
}

function nothing(): Count {
  return { text: "", blocks: 0, levels: 0, columns: 0, links: [], media: [], tags: [] };
}

const counted = new Set([
  "paragraph_open",
  "heading_open",
  "bullet_list_open",
  "ordered_list_open",
  "list_item_open",
  "blockquote_open",
  "table_open",
  "tr_open",
  "fence",
  "code_block",
  "hr",
  "html_block",
]);
const levels = /^(?:blockquote|bullet_list|ordered_list|table|strong|em|s|link)_/;
const isMedia = (address: string): boolean => !/^tg:\/\/(?:emoji|time)\b/.test(address);

/** Names of tags, and the addresses that they would have fetched. */
function readTags(html: string, count: Count): void {
  for (const [, name = ""] of html.matchAll(/<\/?([a-z][\w-]*)/gi)) {
    count.tags.push(name.toLowerCase());
  }
  for (const [, address = ""] of html.matchAll(/\bsrc\s*=\s*["']?([^"'\s>]+)/gi)) {
    if (isMedia(address)) count.media.push(address);
  }
  for (const [, target = ""] of html.matchAll(/\bhref\s*=\s*["']?([^"'\s>]+)/gi)) {
    count.links.push({ text: "", target });
  }
}

function attribute(token: Token, name: string): string {
  return String(token.attrGet(name) ?? "");
}

function readInline(tokens: readonly Token[], count: Count, depth: number): string {
  const open: { readonly target: string; readonly from: number }[] = [];
  let [text, level] = ["", depth];
  for (const token of tokens) {
    if (levels.test(token.type)) level += token.nesting;
    count.levels = Math.max(count.levels, level);
    if (token.type === "link_open")
      open.push({ target: attribute(token, "href"), from: text.length });
    else if (token.type === "link_close") {
      const link = open.pop();
      if (link !== undefined)
        count.links.push({ text: text.slice(link.from), target: link.target });
    } else if (token.type === "image") {
      if (isMedia(attribute(token, "src"))) count.media.push(attribute(token, "src"));
      text += token.content;
    } else if (token.type === "html_inline") {
      readTags(token.content, count);
      if (/^<br\b/i.test(token.content)) text += "\n";
    } else if (token.type === "softbreak") text += " ";
    else if (token.type === "hardbreak") text += "\n";
    else text += token.content;
  }
  return text;
}

/** What stands between the blocks of a reader's view, told by the tokens between two of them. */
function gapAfter(token: Token, gap: string): string {
  if (token.type === "list_item_open") return `\n${token.info === "" ? "•" : `${token.info}.`} `;
  if (token.type === "table_open" || token.type === "table_close") return "\n\n";
  if (token.type === "tr_open") return gap === " | " ? "\n" : gap;
  return token.type === "td_close" || token.type === "th_close" ? " | " : gap;
}

function wordsOf(token: Token, count: Count, level: number): string | undefined {
  if (token.type === "inline") return readInline(token.children ?? [], count, level);
  if (token.type === "html_block") readTags(token.content, count);
  return token.type === "fence" || token.type === "code_block"
    ? token.content.replace(/\n$/, "")
    : undefined;
}

function readBlocks(tokens: readonly Token[]): Count {
  const count: Count = { ...nothing(), text: "" };
  let [level, cells, gap] = [0, 0, ""];
  for (const token of tokens) {
    const { type, nesting } = token;
    if (counted.has(type)) count.blocks += 1;
    if (levels.test(type)) level += nesting;
    if (type === "tr_open") cells = 0;
    if (type === "td_open" || type === "th_open") cells += 1;
    count.levels = Math.max(count.levels, level);
    count.columns = Math.max(count.columns, cells);
    gap = gapAfter(token, gap);
    const words = wordsOf(token, count, level);
    if (words !== undefined) {
      count.text += (count.text === "" ? gap.trimStart() : gap) + words;
      gap = "\n\n";
    }
  }
  return count;
}

function strings(value: unknown, found: { text: string[]; urls: string[]; buttons: number }): void {
  if (typeof value === "string") found.text.push(value);
  else if (Array.isArray(value)) for (const one of value) strings(one, found);
  else if (typeof value === "object" && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      if (name === "buttons" || name === "button") found.buttons += 1;
      if (name === "url" || name === "media") found.urls.push(String(inner));
      else if (!["type", "language", "align", "name"].includes(name)) strings(inner, found);
    }
  }
}

function countBlocks(blocks: readonly unknown[]): Count {
  const found = { text: new Array<string>(), urls: new Array<string>(), buttons: 0 };
  strings(blocks, found);
  const links = found.urls.map((target) => ({ text: "", target }));
  const tags = Array.from({ length: found.buttons }, () => "tg-button");
  const text = found.text.join("\n");
  return { ...nothing(), text, blocks: blocks.length, links, tags };
}

function countHtml(html: string): Count {
  const count = { ...nothing(), text: html.replaceAll(/<[^>]*>/g, "") };
  readTags(html, count);
  return count;
}

function refuseBeyond(count: Count): void {
  if (count.text.length > most.characters && Array.from(count.text).length > most.characters) {
    throw bad("message is too long");
  }
  if (count.blocks > most.blocks) throw bad("RICH_MESSAGE_BLOCKS_TOO_MUCH");
  if (count.levels > most.levels) throw bad("RICH_MESSAGE_DEPTH_TOO_MUCH");
  if (count.columns > most.columns) throw bad("RICH_MESSAGE_COLUMNS_TOO_MUCH");
  if (count.media.length > most.media) throw bad("RICH_MESSAGE_MEDIA_TOO_MUCH");
}

/** True when somebody who reads the text can see where a link leads. */
export function isShown(target: string, text: string): boolean {
  if (target.startsWith("#")) return true;
  // The address of a bare host is the same with a slash at its end.
  const bare = /^(https?:\/\/[^/]+)\/$/.exec(target)?.[1];
  if (bare !== undefined && text.split(/[\s()<>"]+/).includes(bare)) return true;
  return (
    text.includes(target) || text.includes(target.replace(/^(?:mailto:|tel:|https?:\/\/)/, ""))
  );
}

function countOf({ markdown: source, html, blocks = [] }: RichInput): Count {
  if (source !== undefined) return readBlocks(markdown.parse(source, {}));
  return html === undefined ? countBlocks(blocks) : countHtml(html);
}

/** Reads a rich message nearly as Telegram does: there is no offline parser of its own. Throws a refusal. */
export function readRich(input: RichInput): { readonly text: string; readonly rich: RichLook } {
  const { markdown: source, html, blocks, media = [] } = input;
  if ([source, html, blocks].filter((one) => one !== undefined).length !== 1) {
    throw bad("exactly one of the fields html, markdown, or blocks must be used");
  }
  if (
    source !== undefined &&
    source.length < most.characters &&
    /\S/.test(source) &&
    plainWords.test(source)
  ) {
    const rich = { markdown: source, html: undefined, links: [], media: [], tags: [] };
    return { text: source, rich };
  }
  const count = countOf(input);
  const isEmpty = count.text.trim() === "" && media.length + count.media.length === 0;
  if (isEmpty) throw bad("message text is empty");
  refuseBeyond(count);
  const links = count.links.map((link) => ({
    ...link,
    shown: link.text === link.target || isShown(link.target, count.text),
  }));
  const { text, media: addresses, tags } = count;
  return { text, rich: { markdown: source, html, links, media: addresses, tags } };
}
