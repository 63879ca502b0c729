/** What has been taken out of texts, and puts it back. */
export interface Taken {
  /** A text in which each identifier has become a placeholder; the same identifier always becomes the same one. */
  take(text: string): string;
  /** A text in which each placeholder has become what it stands for. */
  restore(text: string): string;
  /** The same for a text that comes in pieces: call `end` for what is held back. */
  stream(): { push(piece: string): string; end(): string };
  /** Identifiers that were taken out, each counted as often as it was met. */
  count(): number;
}

interface Kind {
  readonly name: string;
  readonly pattern: RegExp;
  readonly holds?: (found: string) => boolean;
}

/** Luhn's check (ISO/IEC 7812-1). */
function isCard(found: string): boolean {
  const digits = found.replaceAll(/\D/g, "");
  if (digits.length < 13 || digits.length > 19) return false;
  const sum = [...digits].toReversed().reduce((total, digit, at) => {
    const value = Number(digit) * (at % 2 === 0 ? 1 : 2);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

/** The check digits of an account number (ISO 13616). */
function isIban(found: string): boolean {
  const text = found.replaceAll(/\s/g, "");
  if (text.length < 15 || text.length > 34) return false;
  const turned = text.slice(4) + text.slice(0, 4);
  const digits = turned.replaceAll(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  return [...digits].reduce((rest, digit) => (rest * 10 + Number(digit)) % 97, 0) === 1;
}

function isPhone(found: string): boolean {
  const digits = found.replaceAll(/\D/g, "").length;
  return digits >= 9 && digits <= 15;
}

/** In order: what one has taken the next ones no longer see. */
const kinds: readonly Kind[] = [
  {
    name: "key",
    pattern:
      /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----|\b(?:sk|pk|rk|ghp|gho|ghs|github_pat|glpat|xox[abprs]|AKIA|ASIA|AIza|hf|npm)[-_]?[A-Za-z0-9_-]{16,}\b|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}\b|\b\d{8,10}:[A-Za-z0-9_-]{35}\b/g,
  },
  { name: "e-mail", pattern: /\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4}\b/g },
  {
    name: "account",
    pattern: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b/g,
    holds: isIban,
  },
  { name: "card", pattern: /\b\d(?:[ -]?\d){12,18}\b/g, holds: isCard },
  {
    name: "phone",
    pattern: /(?<![\w.])(?:\+\d{1,3}|\(?0\d{1,4}\)?)[ \-/.()]{0,2}\d(?:[ \-/.()]{0,2}\d){5,13}\b/g,
    holds: isPhone,
  },
];

const longestPlaceholder = 24;

/**
 * Takes structured identifiers out of what goes to a cloud: a seat belt and no more, since most that is private has no structure
 * (of sentences that hold something personal, patterns such as these find about one in five).
 */
export function createTaken(): Taken {
  const placeholders = new Map<string, string>();
  const originals = new Map<string, string>();
  const counts = new Map<string, number>();
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

  /** Where a placeholder may have begun that has not ended yet. */
  function begun(text: string): number {
    const at = text.lastIndexOf("[");
    const open = at !== -1 && !text.includes("]", at) && text.length - at < longestPlaceholder;
    return open && originals.size > 0 ? at : text.length;
  }

  return {
    restore,
    take: (text) =>
      kinds.reduce(
        (left, { name, pattern, holds }) =>
          left.replaceAll(pattern, (found) =>
            holds === undefined || holds(found) ? placeholderFor(name, found) : found,
          ),
        text,
      ),
    stream() {
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
    },
    count: () => state.count,
  };
}
