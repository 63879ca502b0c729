import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

import { AppError, reasonOf } from "#core/errors.ts";
import type { Relay } from "#core/http.ts";

/** Connects a client to the address that it asks for; rejects with an AppError where it may not, or where that fails. */
export type Carry = (client: Client, url: URL) => Promise<void>;

/** A client that asks to go on as a WebSocket. */
export interface Client {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What it sent behind its request already. */
  readonly sent: Buffer;
}

function answer(socket: Duplex, status: string, text = ""): void {
  const length = Buffer.byteLength(text);
  const head = `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8`;
  socket.end(`${head}\r\ncontent-length: ${length}\r\n\r\n${text}`, () => socket.destroy());
}

/** The address beyond the door: what is asked for behind the relay's own path, or else what the relay was opened for. */
function addressBeyond(url: URL, rest: string): URL {
  const beyond = new URL(url);
  const [path = "", query] = rest.split("?", 2);
  if (path !== "") beyond.pathname = path;
  if (path !== "" || query !== undefined) beyond.search = query ?? "";
  return beyond;
}

/**
 * A relay on loopback to the address of a WebSocket server. Any page in a browser of this machine can reach a port on loopback, so
 * a request is only taken with the path that the relay's user was given and for the very address that the relay listens at.
 */
export async function openRelay(url: URL, carry: Carry): Promise<Relay> {
  const path = `/${randomBytes(16).toString("hex")}`;
  const open = new Set<Duplex>();
  const server = createServer((_, response) => response.writeHead(404).end());
  const own = { host: "" };

  function isMine({ url: asked = "", headers }: IncomingMessage): boolean {
    const isPath = asked.startsWith(path) && /^(?:$|[/?])/.test(asked.slice(path.length));
    return isPath && headers.host === own.host;
  }

  server.on("upgrade", (request, socket, sent) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket)).on("error", () => socket.destroy());
    if (!isMine(request)) return answer(socket, "404 Not Found");
    const beyond = addressBeyond(url, (request.url ?? "").slice(path.length));
    carry({ request, socket, sent }, beyond).catch((error: unknown) => {
      const isRefusal = error instanceof AppError && error.code !== "door.unreachable";
      answer(socket, isRefusal ? "403 Forbidden" : "502 Bad Gateway", reasonOf(error));
    });
  });

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the relay does not listen");
  own.host = `127.0.0.1:${address.port}`;
  return {
    url: `ws://${own.host}${path}`,
    async close() {
      server.closeAllConnections();
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
