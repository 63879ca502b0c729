import type { Entity, Marked } from "./entities.ts";

/** Telegram counts UTF-16 units after it has parsed a message. */
export const longestText = 4096;
/** Further marks are dropped by Telegram. */
const mostEntities = 100;

/** The last place at or before `end` that is between two characters as people see them. */
function betweenLetters(text: string, end: number): number {
  // No character is that long but one that was made to be.
  const from = Math.max(0, end - 64);
  const around = text.slice(from, end + 64);
  const starts = Array.from(new Intl.Segmenter().segment(around), ({ index }) => from + index);
  const at = starts.findLast((start) => start <= end && start > from);
  if (at !== undefined) return at;
  return /[\uDC00-\uDFFF]/.test(text.charAt(end)) ? end - 1 : end;
}

/** Where to cut a text that is too long: between paragraphs, else lines, else words, else letters. */
function cutAt(text: string, most: number): number {
  for (const between of ["\n\n", "\n", " "]) {
    const at = text.lastIndexOf(between, most);
    if (at > most / 2) return at;
  }
  return betweenLetters(text, most);
}

/** The marks of one stretch of a text. */
function clipped(entities: readonly Entity[], from: number, to: number): Entity[] {
  return entities.flatMap((entity) => {
    const start = Math.max(entity.offset, from);
    const end = Math.min(entity.offset + entity.length, to);
    return end <= start ? [] : [{ ...entity, offset: start - from, length: end - start }];
  });
}

/** So many units from here, or fewer where a message could not have all their marks. */
function lengthFrom(entities: readonly Entity[], from: number, most: number): number {
  const here = clipped(entities, from, from + most);
  const next = here[mostEntities]?.offset ?? most;
  return next === 0 ? most : next;
}

/** White space at the edges is taken away by Telegram, which would move the marks; a line of code keeps its indentation. */
function trimmed({ text, entities }: Marked): Marked {
  const lines = /^\s*\n/.exec(text)?.[0].length ?? 0;
  const inCode = entities.some(
    ({ type, offset, length }) => type === "pre" && offset <= lines && offset + length > lines,
  );
  const first = inCode ? lines : text.length - text.trimStart().length;
  const end = text.trimEnd().length;
  return { text: text.slice(first, end), entities: clipped(entities, first, end) };
}

/** A marked text in pieces that Telegram takes; what is marked stays so in every piece. */
export function chunksOf({ text, entities }: Marked, longest = longestText): readonly Marked[] {
  const found: Marked[] = [];
  let from = 0;
  while (from < text.length) {
    const most = lengthFrom(entities, from, longest);
    const to =
      text.length - from <= most
        ? text.length
        : from + cutAt(text.slice(from, from + most + 64), most);
    found.push(trimmed({ text: text.slice(from, to), entities: clipped(entities, from, to) }));
    from = to;
  }
  return found.filter((chunk) => chunk.text !== "");
}
