import { type IdentifierKind, identifierKinds } from "./identifier-kinds.ts";

/** What has been taken out of texts, and puts it back. */
export interface Taken {
  /** A text in which each identifier has become a placeholder; the same identifier always becomes the same one. */
  take(text: string): string;
  /** A text in which each placeholder has become what it stands for. */
  restore(text: string): string;
  /** The same for every text within a JSON value, keys included; a number that is an identifier becomes its placeholder. */
  takeValue(value: unknown): unknown;
  restoreValue(value: unknown): unknown;
  /** The same for a text that comes in pieces: call `end` for what is held back. */
  stream(): { push(piece: string): string; end(): string };
  /** Identifiers that were taken out, each counted as often as it was met. */
  count(): number;
}

const longestPlaceholder = 24;

/** How the parts of a JSON value are changed; the names of its members are texts, too. */
interface Change {
  readonly text: (text: string) => string;
  /** A text or a number that stands by itself. */
  readonly whole: (value: string | number) => unknown;
}

function changed(value: unknown, change: Change): unknown {
  if (typeof value === "string" || typeof value === "number") return change.whole(value);
  if (Array.isArray(value)) return value.map((inner) => changed(inner, change));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(
    entries.map(([key, inner]) => [change.text(key), changed(inner, change)]),
  );
}

/** The text with each identifier of a kind replaced. */
function replaceIn(
  text: string,
  { pattern, within, mark = "" }: IdentifierKind,
  replace: (found: string) => string,
): string {
  if (!text.includes(mark)) return text;
  const search = new RegExp(pattern);
  let left = "";
  let from = 0;
  for (let match = search.exec(text); match !== null; match = search.exec(text)) {
    const [found] = match;
    const own = within === undefined ? found : within(found);
    // Another may begin within what was none.
    search.lastIndex = match.index + (own?.length ?? 1);
    if (own === undefined) continue;
    left += text.slice(from, match.index) + replace(own);
    from = search.lastIndex;
  }
  return left + text.slice(from);
}

/** Where a placeholder may have begun that has not ended yet. */
function begun(text: string): number {
  const at = text.lastIndexOf("[");
  const open = at !== -1 && !text.includes("]", at) && text.length - at < longestPlaceholder;
  return open ? at : text.length;
}

/** The text with the spaces and hyphens of print written as a keyboard does: numbers from pages and documents have them. */
function plainly(text: string): string {
  // Most texts have none.
  if (!/[\u00a0\u2007-\u2012\u202f]/.test(text)) return text;
  return text.replaceAll(/[\u00a0\u2007-\u200a\u202f]/g, " ").replaceAll(/[\u2010-\u2012]/g, "-");
}

type Pieces = ReturnType<Taken["stream"]>;

const plain: Pieces = { push: (piece) => piece, end: () => "" };

/** Restores a text that comes in pieces. */
function createRestoring(restore: (text: string) => string): Pieces {
  const held = { text: "" };
  return {
    push(piece) {
      const text = held.text + piece;
      const at = begun(text);
      held.text = text.slice(at);
      return restore(text.slice(0, at));
    },
    end() {
      const text = restore(held.text);
      held.text = "";
      return text;
    },
  };
}

/**
 * Takes structured identifiers out of what goes to a cloud: a seat belt and no more, since most that is private has no structure
 * (of sentences that hold something personal, patterns such as these find about one in five).
 */
export function createTaken(): Taken {
  const placeholders = new Map<string, string>();
  const originals = new Map<string, string>();
  const counts = new Map<string, number>();
  /** What numbers have become, which is text. */
  const numbers = new Map<string, number>();
  const state = { count: 0 };

  function placeholderFor(kind: string, found: string): string {
    state.count += 1;
    const known = placeholders.get(found);
    if (known !== undefined) return known;
    const number = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, number);
    const made = `[${kind} ${number}]`;
    placeholders.set(found, made);
    originals.set(made, found);
    return made;
  }

  function restore(text: string): string {
    if (originals.size === 0) return text;
    return text.replaceAll(/\[[a-z-]+ \d+\]/g, (found) => originals.get(found) ?? found);
  }

  const take = (text: string): string =>
    identifierKinds.reduce(
      (left, kind) => replaceIn(left, kind, (found) => placeholderFor(kind.name, found)),
      plainly(text),
    );

  function takeWhole(value: string | number): string | number {
    const after = take(String(value));
    if (typeof value === "string") return after;
    if (after === String(value)) return value;
    numbers.set(after, value);
    return after;
  }

  const restoreWhole = (value: string | number): string | number =>
    typeof value === "string" ? (numbers.get(value) ?? restore(value)) : value;

  return {
    take,
    restore,
    takeValue: (value) => changed(value, { text: take, whole: takeWhole }),
    restoreValue: (value) => changed(value, { text: restore, whole: restoreWhole }),
    stream: () => (originals.size === 0 ? plain : createRestoring(restore)),
    count: () => state.count,
  };
}
