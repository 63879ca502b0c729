import createMarkdownIt, { type Token } from "markdown-it";

import { bodyOf } from "../../bots/telegram/body.ts";
import type { Marked } from "../../bots/telegram/entities.ts";
import { withoutLongCode } from "../../bots/telegram/code-files.ts";
import { tableLines } from "../../bots/telegram/lines.ts";
import { createReader } from "../../bots/telegram/markdown.ts";
import { countBlocks } from "../../bots/telegram/pieces.ts";
import { createRenderer } from "../../bots/telegram/render.ts";
import { toRich } from "../../bots/telegram/rich.ts";
import { type Block, type Code, type Inline, wordsOf } from "../../bots/telegram/tree.ts";
import type { Part } from "../../src/core/chat.ts";
import { readBack } from "./tdlib.ts";

/** Telegram's published limits of a rich message. */
const limits = { characters: 32_768, blocks: 500, levels: 16, columns: 20 } as const;

/** What is wrong with what a document became; nothing where all is well. */
export interface Verdict {
  readonly problems: readonly string[];
  readonly richParts: number;
  readonly chunks: number;
}

/** A parser that is not ours: all of GFM, raw HTML and references of it too, as a server may read what we send. */
const stranger = createMarkdownIt({ html: true });
const read = createReader();
const renderer = createRenderer({ rich: true });

function inlineLevels(inlines: readonly Inline[]): number {
  return Math.max(
    0,
    ...inlines.map((inline) => ("children" in inline ? 1 + inlineLevels(inline.children) : 1)),
  );
}

function levelsOf(blocks: readonly Block[]): number {
  return Math.max(
    0,
    ...blocks.map((block) => {
      if (block.type === "quote") return 1 + levelsOf(block.blocks);
      if (block.type === "list")
        return 2 + Math.max(0, ...block.items.map((item) => levelsOf(item.blocks)));
      return "children" in block ? 1 + inlineLevels(block.children) : 2;
    }),
  );
}

function flat(tokens: readonly Token[]): readonly Token[] {
  return tokens.flatMap((token) => [token, ...flat(token.children ?? [])]);
}

/** The addresses in a tree. */
function targetsIn(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  const own = "target" in value ? [String(value.target)] : [];
  return [...own, ...Object.values(value).flatMap(targetsIn)];
}

function judgeRich(markdown: string): readonly string[] {
  const tree = read(markdown);
  const tokens = flat(stranger.parse(markdown, {}));
  const links = tokens
    .filter(({ type }) => type === "link_open")
    .map((token) => String(token.attrGet("href")));
  const columns = tokens.map((token, at) =>
    token.type === "thead_open"
      ? tokens
          .slice(
            at,
            tokens.findIndex((other, to) => to > at && other.type === "thead_close"),
          )
          .filter(({ type }) => type === "th_open").length
      : 0,
  );
  const text = flat(stranger.parse(markdown, {}))
    .filter(({ type }) => /^(text|code_inline|fence|html|text_special)/.test(type))
    .map(({ content }) => content)
    .join("");
  return [
    markdown.length > limits.characters ? "too long" : "",
    countBlocks(tree) > limits.blocks ? "too many blocks" : "",
    levelsOf(tree) > limits.levels ? "too deep" : "",
    Math.max(0, ...columns) > limits.columns ? "too many columns" : "",
    toRich(tree) === markdown ? "" : "read again it is another",
    tokens.some(({ type }) => /html|image/.test(type)) ? "HTML or a picture" : "",
    links.join(" ") === targetsIn(tree).join(" ")
      ? ""
      : `links that we did not write: ${links.join(" ")}`,
    withoutTasks(text) === withoutTasks(wordsOf(tree)) ? "" : "another reads other words",
  ].filter((problem) => problem !== "");
}

function letters(text: string): string {
  return text.replaceAll(/\s/g, "");
}

/** Without the signs of tasks, which a parser without task lists takes for words. */
function withoutTasks(text: string): string {
  return letters(text).replaceAll(/\[x?\]/gi, "");
}

/** True where these letters come in this order; others may stand between. */
function contains(text: string, wanted: string): boolean {
  let at = 0;
  for (const letter of wanted) {
    at = text.indexOf(letter, at) + letter.length;
    if (at < letter.length) return false;
  }
  return true;
}

/** Lines that must be shown as they are, with their language: neighbours of one language as one. */
function joined(lines: readonly Code[]): readonly string[] {
  const found: { language: string; text: string }[] = [];
  for (const { language, text } of lines) {
    const last = found.at(-1);
    if (last?.language === language) last.text += letters(text);
    else found.push({ language, text: letters(text) });
  }
  return found.map(({ language, text }) => `${language}\n${text}`);
}

function codesIn(blocks: readonly Block[]): readonly Code[] {
  return blocks.flatMap((block): readonly Code[] => {
    if (block.type === "code") return [block];
    if (block.type === "table") return [{ type: "code", language: "", text: tableLines(block) }];
    if (block.type === "quote") return codesIn(block.blocks);
    return block.type === "list" ? block.items.flatMap((item) => codesIn(item.blocks)) : [];
  });
}

function codesOf({ text, entities }: Marked): readonly Code[] {
  return entities.flatMap((entity): readonly Code[] =>
    entity.type === "pre"
      ? [
          {
            type: "code",
            language: entity.language ?? "",
            text: text.slice(entity.offset, entity.offset + entity.length),
          },
        ]
      : [],
  );
}

function judgeChunk(chunk: Marked): readonly string[] {
  const back = readBack(chunk);
  if (back === undefined) return ["refused"];
  return [
    chunk.text.length > 4096 || chunk.text === "" ? "too long or empty" : "",
    chunk.text.isWellFormed() ? "" : "half a character",
    chunk.text.trim() === chunk.text ||
    chunk.entities.some(({ type, offset }) => type === "pre" && offset === 0)
      ? ""
      : "white space at its edges",
    chunk.entities.length > 100 ? "too many marks" : "",
    back.text === chunk.text ? "" : "another text",
    JSON.stringify(sorted(back.entities)) === JSON.stringify(sorted(chunk.entities))
      ? ""
      : `other marks: ${JSON.stringify(sorted(back.entities))} for ${JSON.stringify(sorted(chunk.entities))}`,
    back.refused,
  ].filter((problem) => problem !== "");
}

/** Marks in one order, each with its fields in one order. */
function sorted(entities: readonly object[]): readonly string[] {
  return entities
    .map((entity) =>
      JSON.stringify(Object.entries(entity).toSorted(([a], [b]) => a.localeCompare(b))),
    )
    .toSorted();
}

function markedOf(part: Part): Marked {
  const body = bodyOf(part);
  if (body.form !== "text") throw new Error(`the fallback is ${body.form}`);
  return body;
}

/** Everything that must hold of what a document becomes, in each of its forms. */
export function judge(markdown: string): Verdict {
  const { blocks, files } = withoutLongCode(read(markdown));
  const parts = renderer.render({ type: "answer", markdown });
  const rich = parts.filter((part) => bodyOf(part).form === "rich");
  const sources = rich
    .map((part) => bodyOf(part))
    .flatMap((body) => (body.form === "rich" ? [body.markdown] : []));
  const chunks = rich.flatMap((part) => renderer.simpler(part) ?? []).map(markedOf);
  const whole =
    sources.length === 1 ? JSON.stringify(read(sources[0] ?? "")) === JSON.stringify(blocks) : true;
  const shown = letters(chunks.map(({ text }) => text).join("\n"));
  const codes = joined(sources.flatMap((source) => codesIn(read(source))));
  const problems = [
    ...sources.flatMap(judgeRich).map((problem) => `rich: ${problem}`),
    ...chunks.flatMap(judgeChunk).map((problem) => `text: ${problem}`),
    whole ? "" : "the rich message is another tree",
    contains(shown, letters(wordsOf(blocks))) ? "" : "letters are lost",
    contains(
      letters(sources.map((source) => wordsOf(read(source))).join("\n")),
      letters(wordsOf(blocks)),
    )
      ? ""
      : "letters are lost in the rich message",
    JSON.stringify(joined(chunks.flatMap(codesOf))) === JSON.stringify(codes)
      ? ""
      : "a broken fence",
    files.length === parts.length - Math.max(1, rich.length) ? "" : "a file is missing",
  ];
  return {
    problems: problems.filter((problem) => problem !== ""),
    richParts: rich.length,
    chunks: chunks.length,
  };
}
