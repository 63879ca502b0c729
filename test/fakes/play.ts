import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

/** A request's body as JSON; {} when it is empty. */
export async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(Buffer.from(piece));
  return pieces.length === 0 ? {} : JSON.parse(Buffer.concat(pieces).toString());
}

/** Tells when the client goes away before its answer was whole. */
export function watchGone(response: ServerResponse, gone: () => void): void {
  response.on("close", () => {
    if (!response.writableFinished) gone();
  });
}

/** A text that is written; a number is a pause of so many milliseconds, "cut" ends the body, "reset" breaks it. */
export type Step = string | number;

/** Plays an answer, byte by byte where it is wished. */
export async function play(
  response: ServerResponse,
  steps: readonly Step[],
  bytewise: boolean,
): Promise<void> {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  for (const step of steps) {
    if (gone.signal.aborted) return;
    if (typeof step === "number") {
      await pause(step, undefined, { signal: gone.signal }).catch(() => undefined);
    } else if (step === "cut") break;
    else if (step === "reset") response.destroy();
    else {
      const text = Buffer.from(step);
      const pieces = bytewise ? Array.from(text, (byte) => Buffer.from([byte])) : [text];
      for (const piece of pieces) response.write(piece);
    }
  }
  response.end();
}
