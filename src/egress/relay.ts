import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { connect as connectPlain, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";

import { AppError, reasonOf } from "#core/errors.ts";
import type { DoorUse, Relay } from "#core/http.ts";
import type { Trust } from "#core/trust.ts";

import type { Addresses } from "./addresses.ts";
import type { Recorder } from "./recorder.ts";

/** What relays work with. */
export interface RelayDeps {
  /** What is asked before anything is looked up or connected to; rejects with an AppError. */
  readonly gate: (use: DoorUse, url: URL, method: string) => Promise<Trust>;
  readonly recorder: Recorder;
  readonly addresses: Addresses;
}

/** Opens relays. */
export interface Relays {
  open(use: DoorUse, url: string): Promise<Relay>;
  close(): Promise<void>;
}

const defaultConnectMs = 5000;
const endOfHead = Buffer.from("\r\n\r\n");

/** Counts one direction: up to the first empty line is the head of the message, all else its body. */
function createFlow() {
  const hash = createHash("sha256");
  let head = Buffer.alloc(0);
  let headBytes = 0;
  let bodyBytes = 0;
  let isBody = false;

  function addBody(bytes: Buffer): void {
    bodyBytes += bytes.length;
    hash.update(bytes);
  }

  return {
    add(bytes: Buffer): void {
      if (isBody) {
        addBody(bytes);
        return;
      }
      head = Buffer.concat([head, bytes]);
      const at = head.indexOf(endOfHead);
      headBytes = at === -1 ? head.length : at + endOfHead.length;
      if (at === -1) return;
      isBody = true;
      addBody(head.subarray(headBytes));
    },
    /** The status of an answer. */
    status(): number | null {
      const status = /^HTTP\/1\.\d (\d{3})/.exec(head.toString("latin1", 0, 20))?.[1];
      return status === undefined ? null : Number(status);
    },
    end: () => ({ headBytes, bodyBytes, sha256: bodyBytes === 0 ? null : hash.digest("hex") }),
  };
}

/** The client's request as it goes on: the same, to the real server. */
function requestHead({ method = "GET", rawHeaders }: IncomingMessage, url: URL): Buffer {
  const lines = [`${method} ${url.pathname}${url.search} HTTP/1.1`, `Host: ${url.host}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    const lower = name.toLowerCase();
    if (lower !== "host" && lower !== "origin") lines.push(`${name}: ${rawHeaders[at + 1] ?? ""}`);
  }
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

/** Connects to the first address that answers in time. */
async function connectTo(addresses: Addresses, url: URL, connectMs: number): Promise<Socket> {
  const isTls = url.protocol === "https:";
  const port = url.port === "" ? (isTls ? 443 : 80) : Number(url.port);
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const found = await addresses.of(hostname);
  // An address is no server name (RFC 6066, 3).
  const named = isIP(hostname) === 0 ? { servername: hostname } : {};
  let last: unknown;
  for (const { address: host } of found) {
    const socket = isTls
      ? connectTls({ host, port, ALPNProtocols: ["http/1.1"], ...named })
      : connectPlain({ host, port });
    try {
      const signal = AbortSignal.timeout(connectMs);
      await once(socket, isTls ? "secureConnect" : "connect", { signal });
      return socket;
    } catch (error) {
      socket.destroy();
      last = error;
    }
  }
  throw new AppError("door.unreachable", { host: url.host, problem: reasonOf(last) });
}

function refuse(client: Duplex, status: string, text: string): void {
  const body = Buffer.from(text);
  client.end(
    `HTTP/1.1 ${status}\r\ncontent-type: text/plain\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${text}`,
  );
}

/** Passes bytes both ways until either side ends, as fast as the slower side takes them. */
async function tunnel(
  client: Duplex,
  upstream: Socket,
  flows: { readonly out: Flow; readonly back: Flow },
): Promise<void> {
  client.on("data", (bytes: Buffer) => flows.out.add(bytes));
  upstream.on("data", (bytes: Buffer) => flows.back.add(bytes));
  const ended = [client, upstream].map(
    (stream) => new Promise<void>((resolve) => stream.once("close", () => resolve())),
  );
  for (const stream of [client, upstream]) stream.on("error", () => stream.destroy());
  client.pipe(upstream);
  upstream.pipe(client);
  await Promise.race(ended);
  client.destroy();
  upstream.destroy();
  await Promise.all(ended);
}

type Flow = ReturnType<typeof createFlow>;

/** One connection of a client, from its request to its end. */
async function serve(
  { gate, recorder, addresses }: RelayDeps,
  { use, url }: { readonly use: DoorUse; readonly url: URL },
  {
    request,
    client,
    head,
  }: { readonly request: IncomingMessage; readonly client: Duplex; readonly head: Buffer },
): Promise<void> {
  const trust = await gate(use, url, "GET");
  const upstream = await connectTo(addresses, url, use.connectMs ?? defaultConnectMs);
  const watch = await recorder.begin(use, url, trust);
  const [out, back] = [createFlow(), createFlow()];
  const first = Buffer.concat([requestHead(request, url), head]);
  out.add(first);
  upstream.write(first);
  await tunnel(client, upstream, { out, back });
  const [sent, came] = [out.end(), back.end()];
  watch({
    headBytesOut: sent.headBytes,
    bodyBytesOut: sent.bodyBytes,
    sha256Out: sent.sha256,
    headBytesIn: came.headBytes,
    bodyBytesIn: came.bodyBytes,
    sha256In: came.sha256,
    status: back.status(),
  });
}

/** The address beyond the door: what the client asked for behind the relay's own path, at the real server. */
function beyond(base: URL, asked: string, prefix: string): URL {
  const rest = asked.slice(prefix.length);
  const url = new URL(base);
  const [path = "", query = ""] = rest.split("?", 2);
  url.pathname = path === "" || path === "/" ? base.pathname : path;
  if (query !== "") url.search = query;
  return url;
}

/** Listens on loopback; what is not for this relay by path and host is refused, since a page in a browser can reach loopback, too. */
async function listen(deps: RelayDeps, use: DoorUse, base: URL) {
  const prefix = `/${randomBytes(16).toString("hex")}`;
  const working = new Set<Promise<void>>();
  const clients = new Set<Duplex>();
  const server = createServer((_, response) => response.writeHead(404).end());
  const port = await portOf(server);
  server.on("upgrade", (request: IncomingMessage, client: Duplex, head: Buffer) => {
    clients.add(client);
    client.once("close", () => clients.delete(client));
    client.on("error", () => client.destroy());
    const asked = request.url ?? "";
    const isOurs =
      request.headers.host === `127.0.0.1:${port}` && request.headers.origin === undefined;
    if (
      !isOurs ||
      !(asked === prefix || /^[/?]/.test(asked.slice(prefix.length))) ||
      !asked.startsWith(prefix)
    ) {
      refuse(client, "403 Forbidden", "This is not for you.");
      return;
    }
    const url = beyond(base, asked, prefix);
    const work = serve(deps, { use, url }, { request, client, head })
      .catch((error: unknown) => refuse(client, "502 Bad Gateway", reasonOf(error)))
      .finally(() => working.delete(work));
    working.add(work);
  });
  return {
    url: `ws://127.0.0.1:${port}${prefix}`,
    async close(): Promise<void> {
      server.close();
      for (const client of clients) client.destroy();
      await Promise.all(working);
    },
  };
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Relays for clients that bring their own WebSocket (RFC 6455): their handshake and all behind it pass unchanged but for the host. */
export function createRelays(deps: RelayDeps): Relays {
  const open = new Set<Relay>();
  return {
    async open(use, address) {
      // A WebSocket's address is that of the HTTP request that begins it.
      const base = new URL(address.replace(/^ws/, "http"));
      const relay = await listen(deps, use, base);
      open.add(relay);
      return {
        url: relay.url,
        async close() {
          open.delete(relay);
          await relay.close();
        },
      };
    },
    async close() {
      await Promise.all([...open].map((relay) => relay.close()));
    },
  };
}
