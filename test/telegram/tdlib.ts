import { getTdjson } from "prebuilt-tdlib";
import { configure, execute } from "tdl";
import type { formattedText, textEntity } from "tdlib-types";

import type { Entity, Marked } from "../../bots/telegram/entities.ts";

/** Why Telegram's own parser cannot be asked here; undefined where it can. */
export const noParser =
  process.platform === "linux" && process.arch === "x64"
    ? undefined
    : "TDLib is installed for linux x64 only";

const ready = { done: false };

function isText(value: unknown): value is formattedText {
  return typeof value === "object" && value !== null && "entities" in value;
}

function ask(call: Parameters<typeof execute>[0]): formattedText | string {
  if (!ready.done) configure({ tdjson: getTdjson(), verbosityLevel: 0 });
  ready.done = true;
  const answer: unknown = execute(call);
  return isText(answer) ? answer : JSON.stringify(answer);
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

const tags = {
  bold: "b",
  italic: "i",
  strikethrough: "s",
  code: "code",
  blockquote: "blockquote",
  pre: "pre",
} as const;

function tagsOf(entity: Entity): readonly [string, string] {
  if (entity.type === "text_link") return [`<a href="${escaped(entity.url)}">`, "</a>"];
  if (entity.type === "pre" && entity.language !== undefined) {
    return [`<pre><code class="language-${escaped(entity.language)}">`, "</code></pre>"];
  }
  const tag = tags[entity.type];
  return [`<${tag}>`, `</${tag}>`];
}

/** A marked text as Telegram's HTML, every letter of it escaped; marks must come in order, each within the ones before it. */
function htmlOf({ text, entities }: Marked): string {
  const ends: { readonly at: number; readonly tag: string }[] = [];
  let html = "";
  let from = 0;
  const upTo = (to: number): void => {
    for (let end = ends.at(-1); end !== undefined && end.at <= to; end = ends.at(-1)) {
      html += escaped(text.slice(from, end.at)) + end.tag;
      from = end.at;
      ends.pop();
    }
    html += escaped(text.slice(from, to));
    from = to;
  };
  for (const entity of entities) {
    upTo(entity.offset);
    const [open, close] = tagsOf(entity);
    html += open;
    ends.push({ at: entity.offset + entity.length, tag: close });
  }
  upTo(text.length);
  return html;
}

function named({ offset, length, type }: textEntity): object {
  if (type._ === "textEntityTypePreCode") {
    return { type: "pre", language: type.language, offset, length };
  }
  if (type._ === "textEntityTypeTextUrl") {
    return { type: "text_link", url: type.url, offset, length };
  }
  return { type: type._.slice("textEntityType".length).toLowerCase(), offset, length };
}

/** A text as Telegram's own parser reads it: with its marks, and with its refusal to write it as Markdown, if it refuses. */
export function readBack(
  marked: Marked,
):
  | { readonly text: string; readonly entities: readonly object[]; readonly refused: string }
  | undefined {
  const read = ask({
    _: "parseTextEntities",
    text: htmlOf(marked),
    parse_mode: { _: "textParseModeHTML" },
  });
  if (typeof read === "string") return undefined;
  const written = ask({ _: "getMarkdownText", text: read });
  const refused = typeof written === "string" ? written : "";
  return { text: read.text, entities: read.entities.map(named), refused };
}
