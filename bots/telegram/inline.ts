import type { Token } from "markdown-it";

import { cleanText } from "./clean.ts";
import { linkTo, targetOf, withoutLink } from "./links.ts";
import { type Inline, type Mark, plainOf } from "./tree.ts";

const marks: Readonly<Record<string, Mark>> = {
  strong_open: "bold",
  em_open: "italic",
  s_open: "strike",
};

/** Letters of one line; all white space is the plain one. */
function textIn(content: string): string {
  return cleanText(content).replaceAll(/\s+/g, " ");
}

/** Words that lead to an address: a link, where it is one that may be followed. */
function leading(address: string, children: readonly Inline[]): readonly Inline[] {
  const target = targetOf(address);
  return target === undefined ? withoutLink(textIn(address), children) : [linkTo(target, children)];
}

/** A picture is fetched by nobody: its words lead to it; within a link its address stands beside them. */
function pictureOf(token: Token, inLink: boolean): readonly Inline[] {
  const address = String(token.attrGet("src") ?? "");
  const alt = textIn(plainOf(inlinesOf(token.children ?? [], true)));
  const text = alt.trim() === "" ? "image" : alt;
  return inLink
    ? withoutLink(textIn(address), [{ type: "text", text }])
    : leading(address, [{ type: "text", text }]);
}

/** What one token says; what it opens is read to its end. */
function readOne(reading: Reading, token: Token, inLink: boolean): readonly Inline[] {
  const mark = marks[token.type];
  if (mark !== undefined) return [{ type: mark, children: readAll(reading, inLink) }];
  if (token.type === "link_open") {
    const children = readAll(reading, true);
    return inLink ? children : leading(String(token.attrGet("href") ?? ""), children);
  }
  if (token.type === "image") return pictureOf(token, inLink);
  if (token.type === "hardbreak" || token.type === "softbreak") return [{ type: "break" }];
  const text = textIn(token.content);
  return [token.type === "code_inline" ? { type: "code", text } : { type: "text", text }];
}

interface Reading {
  readonly tokens: readonly Token[];
  at: number;
}

function readAll(reading: Reading, inLink: boolean): Inline[] {
  const found: Inline[] = [];
  for (;;) {
    const token = reading.tokens[reading.at];
    reading.at += 1;
    if (token === undefined || token.nesting === -1) return found;
    found.push(...readOne(reading, token, inLink));
  }
}

/** The words of markdown-it's tokens, as they come; a line's end is kept, since people and models mean it. */
export function inlinesOf(tokens: readonly Token[], inLink = false): readonly Inline[] {
  return readAll({ tokens, at: 0 }, inLink);
}
