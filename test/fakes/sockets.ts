import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { AddressInfo, Server, Socket } from "node:net";
import { createServer } from "node:net";
import path from "node:path";
import {
  createServer as createTlsServer,
  getCACertificates,
  setDefaultCACertificates,
} from "node:tls";

import { onTestFinished } from "vitest";

const folder = path.join(import.meta.dirname, "tls");
const cert = readFileSync(path.join(folder, "cert.pem"), "utf8");
const key = readFileSync(path.join(folder, "key.pem"), "utf8");

/** SHA-256 in hexadecimal. */
export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function isAddress(value: unknown): value is AddressInfo {
  return typeof value === "object" && value !== null && "port" in value;
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (!isAddress(address)) throw new Error("a server without a port");
  return address.port;
}

/** A server of bare connections on loopback until the test ends; over TLS as cloud.test, which this process then trusts. */
export async function startSockets(
  serve: (socket: Socket) => void,
  { tls = false } = {},
): Promise<number> {
  const sockets = new Set<Socket>();
  const accept = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    serve(socket);
  };
  if (tls) setDefaultCACertificates([...getCACertificates("default"), cert]);
  const server = tls ? createTlsServer({ cert, key }, accept) : createServer(accept);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return portOf(server);
}
