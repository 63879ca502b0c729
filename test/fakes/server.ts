import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";

import { onTestFinished } from "vitest";

import { openServer, portOf } from "./open-server.ts";

/** A real HTTP server on loopback that is closed after the test; gives its origin. */
export async function startServer(listener: RequestListener): Promise<string> {
  const server = await openServer(listener);
  onTestFinished(() => server.close());
  return server.url;
}

/** An origin on loopback where nothing listens. */
export async function closedOrigin(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return `http://127.0.0.1:${port}`;
}
