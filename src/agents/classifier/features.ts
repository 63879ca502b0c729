/** A text as a sparse vector of length 1: its buckets, each once, and their values. */
export interface Features {
  readonly buckets: Int32Array;
  readonly values: Float64Array;
}

/** How many buckets there are; a power of two. */
export const bucketCount = 65_536;

/** A request says what it wants at its beginning; what is pasted below it is long and misleads. */
const mostCharacters = 1000;
/** What the kinds of features count for against each other; found on folds of the shipped phrasings. */
const weights = { word: 1, pair: 0.5, piece: 0.5, shape: 2 } as const;
const pieceLengths = [3, 4] as const;

/** Signs that a text shows whatever its language and its words. */
const shapes: readonly (readonly [name: string, shown: (raw: string) => boolean])[] = [
  ["file name", (raw) => /[\p{L}\p{N}_-]\.[a-z][a-z0-9]{1,4}(?![\p{L}\p{N}])/iu.test(raw)],
  ["address", (raw) => /https?:\/\//i.test(raw)],
  ["path", (raw) => /(^|\s)[~.]?\/\w/.test(raw)],
  ["code", (raw) => /[{}<>=;`_()[\]\\|]/.test(raw)],
  ["question", (raw) => raw.includes("?")],
  ["digit", (raw) => /\d/.test(raw)],
  ["picture", (raw) => /\p{Extended_Pictographic}/u.test(raw)],
  ["no small letter", (raw) => !/\p{Ll}/u.test(raw)],
];

/** FNV-1a over UTF-16 code units with the finish of MurmurHash3, so that the low bits are good ones. */
function hash(text: string, kind: number): number {
  let value = 0x81_1c_9d_c5 ^ kind;
  for (let at = 0; at < text.length; at += 1) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01_00_01_93);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85_eb_ca_6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2_b2_ae_35);
  return value ^ (value >>> 16);
}

/** 1, 2, 4, 8, ... words: how long a text is, roughly. */
function lengthClass(words: number): number {
  return Math.min(32, 2 ** Math.ceil(Math.log2(Math.max(1, words))));
}

/** The text that counts: its beginning, in one form for the many that Unicode has for the same letters. */
function head(text: string): string {
  return text.slice(0, mostCharacters).normalize("NFKC").slice(0, mostCharacters);
}

function addPieces(word: string, add: (text: string, kind: number, weight: number) => void): void {
  const padded = ` ${word} `;
  for (const length of pieceLengths) {
    for (let at = 0; at + length <= padded.length; at += 1) {
      add(padded.slice(at, at + length), length, weights.piece);
    }
  }
}

function normalised(sums: ReadonlyMap<number, number>): Features {
  const buckets = Int32Array.from(sums.keys());
  const values = Float64Array.from(sums.values());
  const length = Math.hypot(...values);
  return { buckets, values: length === 0 ? values : values.map((value) => value / length) };
}

/**
 * The features of a text: hashed words and pairs of words, 3 and 4 characters in a row within a word, and its shapes. Case is
 * ignored, diacritics count. A text without a letter, digit or sign has none.
 */
export function featuresOf(text: string): Features {
  const raw = head(text);
  const words = raw.toLowerCase().match(/[\p{L}\p{M}\p{N}]+|[^\s\p{L}\p{M}\p{N}]/gu) ?? [];
  const sums = new Map<number, number>();
  const add = (part: string, kind: number, weight: number): void => {
    const bucket = hash(part, kind) & (bucketCount - 1);
    sums.set(bucket, (sums.get(bucket) ?? 0) + weight);
  };
  for (const [at, word] of words.entries()) {
    add(word, 1, weights.word);
    addPieces(word, add);
    const next = words[at + 1];
    if (next !== undefined) add(`${word} ${next}`, 2, weights.pair);
  }
  if (words.length === 0) return normalised(sums);
  for (const [name, shown] of shapes) if (shown(raw)) add(name, 5, weights.shape);
  add(String(lengthClass(words.length)), 6, weights.shape);
  return normalised(sums);
}
