import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** The port that a server listens on. */
export function portOf(server: Server): number {
  const address = server.address();
  const isOpen = (value: unknown): value is AddressInfo =>
    typeof value === "object" && value !== null;
  if (!isOpen(address)) throw new Error("the server does not listen");
  return address.port;
}

/** A real HTTP server on loopback, for tests and benches alike; gives its origin. Its port is a free one unless it is given. */
export async function openServer(
  listener: RequestListener,
  port = 0,
): Promise<{ readonly url: string; close(): void }> {
  const server = createServer(listener).listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
