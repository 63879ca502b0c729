import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { onTestFinished } from "vitest";

function portOf(server: Server): number {
  const address = server.address();
  const isOpen = (value: unknown): value is AddressInfo =>
    typeof value === "object" && value !== null;
  if (!isOpen(address)) throw new Error("the server does not listen");
  return address.port;
}

/** Starts a server for a listener and gives its origin. */
export type StartServer = (listener: RequestListener) => Promise<string>;

/** A real HTTP server on loopback; gives its origin and how it is closed. */
export async function openServer(
  listener: RequestListener,
): Promise<{ readonly origin: string; readonly close: () => void }> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${portOf(server)}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A real HTTP server on loopback that is closed after the test. */
export const startServer: StartServer = async (listener) => {
  const { origin, close } = await openServer(listener);
  onTestFinished(close);
  return origin;
};

/** An origin on loopback where nothing listens. */
export async function closedOrigin(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}`;
}
