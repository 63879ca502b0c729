import { allLinesOf } from "./lines.ts";

/** One event of a text/event-stream (WHATWG); `data` has its lines joined. */
export interface SseEvent {
  /** "message" where the stream names none. */
  readonly event: string;
  readonly data: string;
}

/** The events of a byte stream; comments are left out, and so is an event that the stream's end cut. Rejects where it does. */
export async function* sseOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<SseEvent> {
  const held: { event: string; data: string[] } = { event: "message", data: [] };
  for await (const line of allLinesOf(body)) {
    if (line === "") {
      if (held.data.length > 0) yield { event: held.event, data: held.data.join("\n") };
      held.event = "message";
      held.data = [];
      continue;
    }
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") held.data.push(value);
    else if (field === "event") held.event = value;
    // Older llama.cpp servers write their error into a field of this name.
    else if (field === "error") yield { event: "error", data: value };
  }
}
