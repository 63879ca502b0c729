import { withLinks } from "./links.ts";
import type { Inline, Mark } from "./tree.ts";

type Marked = Extract<Inline, { readonly children: readonly Inline[] }>;

/** Where words stand: within which marks, and whether in a link. */
interface Within {
  readonly marks: readonly Mark[];
  readonly link: boolean;
}

const space: Inline = { type: "text", text: " " };

/** True for an end of a line, and for words that begin, or end, with white space. */
function isLoose(inline: Inline | undefined, edge: RegExp): inline is Inline {
  return inline?.type === "break" || (inline?.type === "text" && edge.test(inline.text));
}

/** What is left of loose words without their white space; nothing where they are nothing else. */
function tight(inline: Inline, edge: RegExp): readonly Inline[] {
  if (inline.type !== "text" || inline.text.trim() === "") return [];
  return [{ type: "text", text: inline.text.replace(edge, "") }];
}

/** White space at the edges of what is marked belongs outside: a mark must touch what it marks. */
function hoisted(marked: Marked): readonly Inline[] {
  let children = marked.children;
  const before: Inline[] = [];
  const after: Inline[] = [];
  for (let first = children[0]; isLoose(first, /^\s+/); first = children[0]) {
    before.push(first.type === "break" ? first : space);
    children = [...tight(first, /^\s+/), ...children.slice(1)];
  }
  for (let last = children.at(-1); isLoose(last, /\s+$/); last = children.at(-1)) {
    after.unshift(last.type === "break" ? last : space);
    children = [...children.slice(0, -1), ...tight(last, /\s+$/)];
  }
  return [...before, ...(children.length === 0 ? [] : [{ ...marked, children }]), ...after];
}

/** One node by itself: a mark in its own kind says nothing, an empty one neither. */
function one(inline: Inline, within: Within): readonly Inline[] {
  if (inline.type === "break") return [inline];
  if (inline.type === "code" || inline.type === "text") {
    if (inline.text === "") return [];
    if (inline.text.trim() === "") return [space];
    return [{ ...inline, text: inline.text.replaceAll(/ {2,}/g, " ") }];
  }
  if (inline.type === "link") {
    return hoisted({
      ...inline,
      children: tidyInlines(inline.children, { ...within, link: true }),
    });
  }
  if (within.marks.includes(inline.type)) {
    return inline.children.flatMap((child) => one(child, within));
  }
  const marks = [...within.marks, inline.type];
  return hoisted({ ...inline, children: tidyInlines(inline.children, { ...within, marks }) });
}

/** Two neighbours as one, where they are of one kind. */
function merged(left: Inline, right: Inline, within: Within): Inline | undefined {
  if (left.type === "text" && right.type === "text") {
    return { type: "text", text: `${left.text}${right.text}`.replaceAll(/ {2,}/g, " ") };
  }
  if (left.type === "code" && right.type === "code") {
    return { type: "code", text: left.text + right.text };
  }
  if (left.type === "break" && right.type === "break") return left;
  if (!("children" in left) || !("children" in right)) return undefined;
  if (left.type === "link" || left.type !== right.type) return undefined;
  const marks = [...within.marks, left.type];
  const children = tidyInlines([...left.children, ...right.children], { ...within, marks });
  return { type: left.type, children };
}

function joined(inlines: readonly Inline[], within: Within): readonly Inline[] {
  const found: Inline[] = [];
  for (const inline of inlines) {
    const last = found.at(-1);
    const both = last === undefined ? undefined : merged(last, inline, within);
    if (both === undefined) found.push(inline);
    else found.splice(-1, 1, both);
  }
  return found;
}

/** Lines neither begin nor end with white space. */
function trimmed(inlines: readonly Inline[]): readonly Inline[] {
  return inlines.flatMap((inline, at): readonly Inline[] => {
    if (inline.type !== "text") return [inline];
    const begins = inlines[at - 1]?.type === "break" ? inline.text.trimStart() : inline.text;
    const text = inlines[at + 1]?.type === "break" ? begins.trimEnd() : begins;
    return text === "" ? [] : [{ type: "text", text }];
  });
}

/**
 * Words in the one form that the tree promises: neighbours of a kind joined, marks that touch what they mark, and web addresses as
 * links. Tidy words stay as they are.
 */
export function tidyInlines(inlines: readonly Inline[], within: Within): readonly Inline[] {
  const flat = joined(
    inlines.flatMap((inline) => one(inline, within)),
    within,
  );
  // A line of mere white space leaves two ends of lines side by side.
  const lines = joined(trimmed(flat), within);
  if (within.link) return lines;
  return lines
    .flatMap((inline) => (inline.type === "text" ? withLinks(inline.text) : [inline]))
    .filter((inline) => inline.type !== "text" || inline.text !== "");
}

/** Tidy words of a block, without white space around them. */
export function tidyBlock(inlines: readonly Inline[]): readonly Inline[] {
  const outer = hoisted({
    type: "bold",
    children: tidyInlines(inlines, { marks: [], link: false }),
  });
  return outer.flatMap((inline) => ("children" in inline ? inline.children : []));
}
