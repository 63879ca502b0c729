import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

import { onTestFinished } from "vitest";

import type { Receipt } from "../../src/core/http.ts";
import type { Network } from "../../src/egress/addresses.ts";

/** One request and its answer as they passed a socket. */
export type Exchange = Pick<
  Receipt,
  | "host"
  | "headBytesOut"
  | "bodyBytesOut"
  | "headBytesIn"
  | "bodyBytesIn"
  | "sha256Out"
  | "sha256In"
>;

/** A place on loopback that passes all bytes on to a server behind it, and keeps them. */
export interface Capture {
  readonly port: number;
  /** What was asked and answered, read from the bytes alone, in the order of the requests on each connection. */
  readonly exchanges: () => Exchange[];
  /** Connections that were made, and all bytes that came in. */
  readonly connections: () => number;
  readonly received: () => string;
}

interface Message {
  readonly start: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly size: number;
  readonly body: Buffer;
}

const blank = Buffer.from("\r\n\r\n");

/** The chunks of a body (RFC 9112, 7.1) as far as they are there, and how many bytes they took with their frames. */
function readChunks(data: Buffer): { readonly body: Buffer; readonly size: number } {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const line = data.indexOf("\r\n", at);
    if (line < 0) return { body: Buffer.concat(parts), size: data.length };
    const length = Number.parseInt(data.toString("latin1", at, line), 16);
    parts.push(data.subarray(line + 2, line + 2 + length));
    at = line + 2 + length + 2;
    if (length === 0 || at >= data.length) {
      return { body: Buffer.concat(parts), size: Math.min(at, data.length) };
    }
  }
}

const nothing: Message = { start: "", headers: new Map(), size: 0, body: Buffer.alloc(0) };

/** The first message of a stream; nothing where there is no whole head. `bare` is one that has no body, whatever it says. */
function readMessage(data: Buffer, kind: "request" | "answer", bare: boolean): Message {
  const end = data.indexOf(blank);
  if (end < 0) return nothing;
  const [start = "", ...lines] = data.toString("latin1", 0, end).split("\r\n");
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const head = end + blank.length;
  const rest = data.subarray(head);
  const noBody = { start, headers, size: head, body: Buffer.alloc(0) };
  if (bare || / (204|304) /.test(start)) return noBody;
  if (headers.get("transfer-encoding") === "chunked") {
    const { body, size } = readChunks(rest);
    return { start, headers, size: head + size, body };
  }
  const said = headers.get("content-length");
  if (said === undefined && kind === "request") return noBody;
  const body = rest.subarray(0, said === undefined ? rest.length : Number(said));
  return { start, headers, size: head + body.length, body };
}

function hashOf(body: Buffer): string | null {
  return body.length === 0 ? null : createHash("sha256").update(body).digest("hex");
}

/** A request that was answered by another protocol: all that follows its head is its body. */
function switched(request: Message, { start }: Message, data: Buffer): Message {
  if (!start.includes(" 101 ")) return request;
  const body = data.subarray(request.size);
  return { ...request, size: data.length, body };
}

/** The exchanges of one connection, from the bytes of both its directions. */
function readExchanges(out: Buffer, into: Buffer): Exchange[] {
  const found: Exchange[] = [];
  let [asked, answered] = [out, into];
  for (;;) {
    const head = readMessage(asked, "request", false);
    if (head.size === 0) return found;
    const answer = readMessage(answered, "answer", head.start.startsWith("HEAD "));
    const request = switched(head, answer, asked);
    found.push({
      host: request.headers.get("host") ?? "",
      headBytesOut: request.size - request.body.length,
      bodyBytesOut: request.body.length,
      headBytesIn: answer.size - answer.body.length,
      bodyBytesIn: answer.body.length,
      sha256Out: hashOf(request.body),
      sha256In: hashOf(answer.body),
    });
    asked = asked.subarray(request.size);
    answered = answered.subarray(answer.size);
  }
}

/** The same of a receipt. */
export function exchangeOf(receipt: Receipt): Exchange {
  const { host, headBytesOut, bodyBytesOut, headBytesIn, bodyBytesIn, sha256Out, sha256In } =
    receipt;
  return { host, headBytesOut, bodyBytesOut, headBytesIn, bodyBytesIn, sha256Out, sha256In };
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address === "object" && address !== null) return address.port;
  throw new Error("the server does not listen");
}

/** A raw server on loopback that is closed after the test; gives its port. */
export async function startRaw(serve: (socket: Socket) => void): Promise<number> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket.on("close", () => open.delete(socket)).on("error", () => socket.destroy()));
    serve(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return portOf(server);
}

interface Recorded {
  readonly out: Buffer[];
  readonly into: Buffer[];
}

function pass(from: Socket, to: Socket, kept: Buffer[]): void {
  from.on("data", (chunk) => {
    kept.push(chunk);
    to.write(chunk);
  });
  from.on("end", () => to.end());
  from.on("error", () => to.destroy());
  from.on("close", () => to.destroySoon());
}

/** Starts a capture before a server on loopback; over TLS where it has a certificate. */
export async function startCapture(
  behind: number,
  certificate?: { readonly key: string; readonly cert: string },
): Promise<Capture> {
  const recorded: Recorded[] = [];
  const open = new Set<Socket>();
  const serve = (client: Socket): void => {
    const record = { out: [], into: [] };
    recorded.push(record);
    const server = connect({ port: behind, host: "127.0.0.1", allowHalfOpen: true });
    for (const socket of [client, server]) {
      open.add(socket);
      socket.on("close", () => open.delete(socket));
    }
    pass(client, server, record.out);
    pass(server, client, record.into);
  };
  const options = { allowHalfOpen: true };
  const server =
    certificate === undefined
      ? createServer(options, serve)
      : createTlsServer({ ...certificate, ...options }, serve);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return {
    port: portOf(server),
    exchanges: () =>
      recorded.flatMap(({ out, into }) => readExchanges(Buffer.concat(out), Buffer.concat(into))),
    connections: () => recorded.length,
    received: () => Buffer.concat(recorded.flatMap(({ out }) => out)).toString("latin1"),
  };
}

/** A network in which every name is a host on the internet, and the internet is this machine. */
export function homewardNetwork(): Network & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    resolve(hostname) {
      asked.push(hostname);
      return Promise.resolve([{ address: "93.184.215.14", family: 4 }]);
    },
    dial: () => ({ address: "127.0.0.1", family: 4 }),
  };
}
