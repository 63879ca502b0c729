import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

/** Breaks the connection with a reset, at once. */
export const reset = { does: "reset" } as const;
/** Closes the connection without the end of the body, after what was written has gone. */
export const cut = { does: "cut" } as const;
/** Says nothing more and keeps the connection until the client leaves. */
export const hang = { does: "hang" } as const;

/** Bytes or text to write (an empty text sends the head alone), a pause in milliseconds, or what becomes of the connection. */
export type Step = string | Uint8Array | number | typeof reset | typeof cut | typeof hang;

/** An answer; without a step that ends the connection it ends as HTTP wants it. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly steps: Iterable<Step>;
}

/** Where what became of an answer is noted. */
interface Note {
  readonly seen: { bytes: number; endedAt?: number; leftAt?: number };
  readonly now: () => number;
  /** Content type of an answer that names none. */
  readonly type: string;
}

/** Gives an answer step by step, at the pace at which the client reads it, until it ends or the client leaves. */
export async function perform(response: ServerResponse, reply: Reply, note: Note): Promise<void> {
  const { seen, now } = note;
  const { status = 200, headers = {} } = reply;
  const left = new AbortController();
  const over = { byUs: false };
  response.on("close", () => {
    if (!over.byUs && !response.writableFinished) seen.leftAt = now();
    else seen.endedAt = now();
    left.abort();
  });
  const type = status === 200 ? note.type : "application/json";
  const head = (): void => {
    if (!response.headersSent) response.writeHead(status, { "content-type": type, ...headers });
  };

  async function write(bytes: string | Uint8Array): Promise<void> {
    head();
    if (bytes.length === 0) {
      response.flushHeaders();
      return;
    }
    const took = response.write(bytes);
    seen.bytes += bytes.length;
    if (!took) await once(response, "drain", { signal: left.signal }).catch(() => undefined);
  }

  async function take(step: Step): Promise<boolean> {
    if (typeof step === "number") {
      await pause(step, undefined, { signal: left.signal }).catch(() => undefined);
    } else if (typeof step === "string" || step instanceof Uint8Array) await write(step);
    else if (step.does === "hang") {
      if (!left.signal.aborted) await once(left.signal, "abort");
    } else {
      over.byUs = true;
      if (step.does === "reset") response.socket?.resetAndDestroy();
      else response.socket?.destroySoon();
      return false;
    }
    return !left.signal.aborted;
  }

  for (const step of reply.steps) if (!(await take(step))) return;
  head();
  response.end();
}
