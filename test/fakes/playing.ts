import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

/** A piece of a body: text, a pause of so many milliseconds, the end before its time, or a broken connection. */
export type Piece = string | number | { readonly end: "early" | "reset" };

/** A request's body as JSON; an empty one is {}. */
export async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(Buffer.from(piece));
  return pieces.length === 0 ? {} : JSON.parse(Buffer.concat(pieces).toString());
}

/** Writes a body piece by piece, byte by byte if asked, until it is whole or the client has gone away. */
export async function play(
  response: ServerResponse,
  pieces: readonly Piece[],
  bytewise: boolean,
): Promise<void> {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  for (const piece of pieces) {
    if (gone.signal.aborted) return;
    if (typeof piece === "number") {
      await pause(piece, undefined, { signal: gone.signal }).catch(() => undefined);
    } else if (typeof piece === "object") {
      if (piece.end === "reset") response.destroy();
      break;
    } else {
      const text = Buffer.from(piece);
      for (const part of bytewise ? Array.from(text, (byte) => Buffer.from([byte])) : [text]) {
        response.write(part);
      }
    }
  }
  response.end();
}
