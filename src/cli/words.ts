import { AppError } from "#core/errors.ts";

import { sizeText } from "./output.ts";

/** Where piped words come from. */
export type WordSource = AsyncIterable<Buffer | string> & { readonly isTTY: boolean };

/** Most bytes of one request. */
const requestLimit = 1_000_000;

async function readAll(stream: AsyncIterable<Buffer | string>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stream) {
    const bytes = Buffer.from(piece);
    size += bytes.length;
    if (size > requestLimit) throw tooLong(size);
    pieces.push(bytes);
  }
  return Buffer.concat(pieces);
}

function tooLong(size: number): AppError {
  return new AppError("usage.too-long", {
    size: `more than ${sizeText(size)}`,
    limit: sizeText(requestLimit),
  });
}

/** The offset of the first byte that is no text: a NUL, or what UTF-8 does not allow. */
function binaryOffset(bytes: Buffer): number | undefined {
  const nul = bytes.indexOf(0);
  if (nul !== -1) return nul;
  const text = bytes.toString("utf8");
  const again = Buffer.from(text, "utf8");
  if (again.equals(bytes)) return undefined;
  const at = bytes.findIndex((byte, index) => again[index] !== byte);
  return at === -1 ? again.length : at;
}

/**
 * The words of a request: the arguments, standard input where there are none, or both where the last argument is "-". Throws
 * `usage.empty`, `usage.too-long` or `usage.binary`.
 */
export async function readWords(args: readonly string[], stdin: WordSource): Promise<string> {
  const withInput = args.length === 0 || args.at(-1) === "-";
  const spoken = (args.at(-1) === "-" ? args.slice(0, -1) : args).join(" ").trim();
  let piped = "";
  if (withInput && !stdin.isTTY) {
    const bytes = await readAll(stdin);
    const offset = binaryOffset(bytes);
    if (offset !== undefined) throw new AppError("usage.binary", { offset });
    piped = bytes.toString("utf8").trim();
  }
  const words = [spoken, piped].filter((part) => part !== "").join("\n\n");
  if (words === "") throw new AppError("usage.empty");
  if (Buffer.byteLength(words) > requestLimit) throw tooLong(requestLimit);
  return words;
}
