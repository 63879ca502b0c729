import { type Align, plainOf, type Table } from "./tree.ts";

/** Columns are not padded beyond this: on a telephone long lines wrap. */
const widest = 30;

/** How many columns a text takes: letters of East Asia and emojis take two. */
function widthOf(text: string): number {
  const wide = text.match(
    /[\u1100-\u115E\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60]|\p{Extended_Pictographic}/gu,
  );
  return Array.from(text).length + (wide?.length ?? 0);
}

function padded(text: string, width: number, align: Align): string {
  const missing = Math.max(0, width - widthOf(text));
  const before = align === "right" ? missing : align === "center" ? Math.floor(missing / 2) : 0;
  return `${" ".repeat(before)}${text}${" ".repeat(missing - before)}`;
}

/** A table as lines of equal letters. */
export function tableLines({ align, head, rows }: Table): string {
  const all = [head, ...rows].map((row) => row.map((cell) => plainOf(cell).replaceAll("\n", " ")));
  const widths = head.map((_, column) =>
    Math.min(widest, Math.max(1, ...all.map((row) => widthOf(row[column] ?? "")))),
  );
  const [first = "", ...others] = all.map((row) =>
    row
      .map((cell, column) => padded(cell, widths[column] ?? 0, align[column] ?? null))
      .join(" │ ")
      .trimEnd(),
  );
  return [first, widths.map((width) => "─".repeat(width)).join("─┼─"), ...others].join("\n");
}

/** Code without empty lines around it. */
export function trimCode(text: string): string {
  return text.replace(/^(?:[ \t]*\n)+/, "").trimEnd();
}
