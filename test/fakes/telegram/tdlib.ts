import { z } from "zod";

import { bad } from "./refusal.ts";
import type { Entity } from "./world.ts";

const answerSchema = z.union([
  z.object({ _: z.literal("error"), message: z.string() }),
  z.object({
    _: z.literal("formattedText"),
    text: z.string(),
    entities: z.array(
      z.object({
        offset: z.number(),
        length: z.number(),
        type: z.object({ _: z.string(), url: z.string().optional() }).loose(),
      }),
    ),
  }),
]);
type Answer = z.infer<typeof answerSchema>;

interface Tdl {
  readonly configure: (options: {
    readonly tdjson: string;
    readonly verbosityLevel: number;
  }) => void;
  readonly execute: (request: object) => unknown;
}

const isTdl = (module: unknown): module is Tdl =>
  typeof module === "object" && module !== null && "execute" in module && "configure" in module;

/** Telegram's own parser. */
export interface Oracle {
  /** Undefined when the parser takes text and entities; else a sentence of what is wrong. */
  judge(text: string, entities: readonly Entity[]): string | undefined;
  /** What a text of a parse mode becomes. Throws a refusal. */
  parse(text: string, mode: string): { readonly text: string };
}

const kinds: Readonly<Record<string, string>> = {
  bold: "Bold",
  italic: "Italic",
  underline: "Underline",
  strikethrough: "Strikethrough",
  spoiler: "Spoiler",
  blockquote: "BlockQuote",
  expandable_blockquote: "ExpandableBlockQuote",
  code: "Code",
  pre: "Pre",
  text_link: "TextUrl",
};

const tags: Readonly<Record<string, (entity: Entity) => readonly [string, string]>> = {
  bold: () => ["<b>", "</b>"],
  italic: () => ["<i>", "</i>"],
  underline: () => ["<u>", "</u>"],
  strikethrough: () => ["<s>", "</s>"],
  spoiler: () => ["<tg-spoiler>", "</tg-spoiler>"],
  blockquote: () => ["<blockquote>", "</blockquote>"],
  expandable_blockquote: () => ["<blockquote expandable>", "</blockquote>"],
  code: () => ["<code>", "</code>"],
  pre: ({ language }) =>
    language === undefined || language === ""
      ? ["<pre>", "</pre>"]
      : [`<pre><code class="language-${escaped(language)}">`, "</code></pre>"],
  text_link: ({ url = "" }) => [`<a href="${escaped(url)}">`, "</a>"],
};

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

const endOf = ({ offset, length }: Pick<Entity, "offset" | "length">): number => offset + length;

/** Entities of which the outer come first. */
function inOrder(entities: readonly Entity[]): Entity[] {
  return entities.toSorted((a, b) => a.offset - b.offset || b.length - a.length);
}

/** Two entities of which neither holds the other. */
function crossing(entities: readonly Entity[]): string | undefined {
  const open: Entity[] = [];
  for (const entity of inOrder(entities)) {
    while (endOf(open.at(-1) ?? entity) <= entity.offset) open.pop();
    const outer = open.at(-1);
    if (outer !== undefined && endOf(outer) < endOf(entity)) {
      return `entities overlap at UTF-16 offset ${entity.offset}`;
    }
    open.push(entity);
  }
  return undefined;
}

/** The words and entities of a message as escaped HTML of Telegram's. */
export function htmlOf(text: string, entities: readonly Entity[]): string {
  const open: { readonly entity: Entity; readonly close: string }[] = [];
  let [html, at] = ["", 0];
  const upTo = (place: number): void => {
    for (
      let last = open.at(-1);
      last !== undefined && endOf(last.entity) <= place;
      last = open.at(-1)
    ) {
      html += escaped(text.slice(at, endOf(last.entity))) + last.close;
      at = endOf(last.entity);
      open.pop();
    }
    html += escaped(text.slice(at, place));
    at = place;
  };
  for (const entity of inOrder(entities)) {
    const tag = tags[entity.type];
    if (tag === undefined) continue;
    upTo(entity.offset);
    const [start, close] = tag(entity);
    html += start;
    open.push({ entity, close });
  }
  upTo(text.length);
  return html;
}

interface Plain {
  readonly kind: string;
  readonly offset: number;
  readonly length: number;
}

/** Entities as they can be compared: those that touch are one. */
function normal(entities: readonly Plain[]): string {
  const merged: { kind: string; offset: number; length: number }[] = [];
  const sorted = entities.toSorted(
    (a, b) => a.kind.localeCompare(b.kind) || a.offset - b.offset || a.length - b.length,
  );
  for (const { kind, offset, length } of sorted) {
    const last = merged.at(-1);
    if (last?.kind === kind && endOf(last) >= offset) {
      last.length = Math.max(endOf(last), offset + length) - last.offset;
    } else merged.push({ kind, offset, length });
  }
  return JSON.stringify(merged);
}

/** What can be told without TDLib: bounds, pairs of surrogates, crossings. */
function judgePlainly(text: string, entities: readonly Entity[]): string | undefined {
  for (const entity of entities) {
    const { offset, length } = entity;
    if (offset < 0) return `Receive an entity with incorrect offset ${offset}`;
    if (length < 0) return `Receive an entity with incorrect length ${length}`;
    if (offset > text.length) return "Entity begins after the end of the text";
    if (endOf(entity) > text.length) {
      return `Entity beginning at UTF-16 offset ${offset} ends after the end of the text`;
    }
    for (const place of [offset, endOf(entity)]) {
      if (
        /^[\uDC00-\uDFFF]/.test(text.slice(place)) &&
        /[\uD800-\uDBFF]$/.test(text.slice(0, place))
      ) {
        return `Entity beginning at UTF-16 offset ${offset} ends in a middle of a UTF-16 symbol`;
      }
    }
  }
  return crossing(entities);
}

function createTdlib(execute: (request: object) => Answer): Oracle {
  const typeOf = ({ type, url, language }: Entity): object | undefined => {
    const kind = kinds[type];
    if (kind === undefined) return undefined;
    if (type === "pre" && language !== undefined && language !== "") {
      return { _: "textEntityTypePreCode", language };
    }
    return { _: `textEntityType${kind}`, ...(url === undefined ? {} : { url }) };
  };
  return {
    judge(text, entities) {
      const written = entities.flatMap((entity) => {
        const type = typeOf(entity);
        const { offset, length } = entity;
        return type === undefined ? [] : [{ _: "textEntity", offset, length, type }];
      });
      // Its Markdown is of no use, but it refuses in Telegram's own words what lies outside the text.
      const formatted = { _: "formattedText", text, entities: written };
      const taken = execute({ _: "getMarkdownText", text: formatted });
      if (taken._ === "error") return taken.message;
      const crossed = crossing(entities);
      if (crossed !== undefined) return crossed;
      const mode = { _: "textParseModeHTML" };
      const html = htmlOf(text, entities);
      const back = execute({ _: "parseTextEntities", text: html, parse_mode: mode });
      if (back._ === "error") return back.message;
      if (back.text !== text) return "the text is read back otherwise";
      const nameOf = (name: string): string =>
        name.replace("textEntityType", "").replace("PreCode", "Pre");
      const read = back.entities.map(({ type, ...place }) => ({ kind: nameOf(type._), ...place }));
      const wanted = entities.flatMap(({ type, offset, length }) => {
        const kind = kinds[type];
        return kind === undefined ? [] : [{ kind, offset, length }];
      });
      const isOurs = ({ kind }: Plain): boolean => Object.values(kinds).includes(kind);
      if (normal(read.filter(isOurs)) === normal(wanted)) return undefined;
      return `entities are read back otherwise: ${normal(read)}`;
    },
    parse(text, mode) {
      const parse_mode =
        mode === "HTML"
          ? { _: "textParseModeHTML" }
          : { _: "textParseModeMarkdown", version: mode === "MarkdownV2" ? 2 : 1 };
      const back = execute({ _: "parseTextEntities", text, parse_mode });
      if (back._ === "error")
        throw bad(back.message.charAt(0).toLowerCase() + back.message.slice(1));
      return { text: back.text };
    },
  };
}

async function openTdlib(): Promise<Oracle> {
  const tdl: unknown = await import("tdl");
  const { getTdjson } = await import("prebuilt-tdlib");
  if (!isTdl(tdl)) throw new Error("tdl has another shape than expected");
  try {
    tdl.configure({ tdjson: getTdjson(), verbosityLevel: 0 });
  } catch (error) {
    // Another stand-in of this process has done it.
    if (!String(error).includes("already initialized")) throw error;
  }
  return createTdlib((request) => answerSchema.parse(tdl.execute(request)));
}

/** Gives Telegram's own parser where it is installed, else a plain check of bounds; loaded when it is first asked for. */
export function createOracle(): () => Promise<Oracle> {
  let oracle: Promise<Oracle> | undefined;
  const plainly: Oracle = { judge: judgePlainly, parse: (text) => ({ text }) };
  return () => (oracle ??= openTdlib().catch(() => plainly));
}
