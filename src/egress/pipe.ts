import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

import { type Body, createBody } from "./meter.ts";
import type { Moved } from "./recorder.ts";
import type { Client } from "./relay.ts";

/** A request's head as it goes on: its line and its host are those of the address beyond, all else is as the client sent it. */
function headFor({ method, rawHeaders }: IncomingMessage, url: URL, more: string[]): Buffer {
  const lines = [`${method} ${url.pathname}${url.search} HTTP/1.1`, `Host: ${url.host}`, ...more];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === "host") continue;
    lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`);
  }
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

const blankLine = Buffer.from("\r\n\r\n");

/** Counts what a server answers: the head with its status, then what follows. */
function createAnswer(body: Body) {
  const head: { bytes: number; text: string; whole: boolean } = {
    bytes: 0,
    text: "",
    whole: false,
  };

  function add(chunk: Buffer): void {
    if (head.whole) return body.add(chunk);
    const before = head.text.slice(-3);
    const joined = Buffer.concat([Buffer.from(before, "latin1"), chunk]);
    const end = joined.indexOf(blankLine);
    const own = end < 0 ? chunk.length : end + blankLine.length - before.length;
    head.bytes += own;
    head.text += chunk.toString("latin1", 0, own);
    head.whole = end >= 0;
    if (own < chunk.length) body.add(chunk.subarray(own));
  }

  return {
    add,
    headBytes: () => head.bytes,
    status(): number | null {
      const [, status] = /^HTTP\/1\.\d (\d{3})/.exec(head.text) ?? [];
      return head.whole && status !== undefined ? Number(status) : null;
    },
  };
}

/** Passes all of one side on to the other, no faster than that takes it; what ends on one side ends on the other. */
function pump(from: Duplex, to: Duplex, seen: (chunk: Buffer) => void): void {
  from.on("data", (chunk: Buffer) => {
    seen(chunk);
    if (!to.write(chunk)) from.pause();
  });
  to.on("drain", () => from.resume());
  from.on("end", () => to.end());
  from.on("error", () => from.destroy());
  from.on("close", () => to.end(() => to.destroy()));
}

/** Lets a client and a server speak, and tells what they moved when the connection to the server has closed. */
export function join(
  { request, socket: client, sent }: Client,
  server: Socket,
  {
    url,
    headers,
    ended,
  }: {
    readonly url: URL;
    /** Further header lines for the server. */
    readonly headers: string[];
    readonly ended: (moved: Moved) => void;
  },
): void {
  const [out, into] = [createBody(true), createBody(true)];
  const head = headFor(request, url, headers);
  const reply = createAnswer(into);
  server.on("close", () =>
    ended({
      headBytesOut: head.length,
      bodyBytesOut: out.bytes(),
      headBytesIn: reply.headBytes(),
      bodyBytesIn: into.bytes(),
      sha256Out: out.sha256(),
      sha256In: into.sha256(),
      status: reply.status(),
    }),
  );
  server.write(head);
  if (sent.length > 0) {
    out.add(sent);
    server.write(sent);
  }
  pump(client, server, out.add);
  pump(server, client, reply.add);
  if (client.destroyed) server.destroy();
}
