import { connect } from "node:net";

import { startRaw } from "./capture.ts";

/** A proxy on loopback that opens a tunnel to a port of this machine, whatever host is asked for. */
export interface FakeProxy {
  readonly url: string;
  /** The heads of all requests. */
  readonly heads: string[];
}

/** Starts a proxy; it answers with `refusal`, where there is one, and tunnels otherwise. */
export async function startProxy(refusal?: string): Promise<FakeProxy> {
  const heads: string[] = [];
  const port = await startRaw((client) => {
    client.once("data", (data) => {
      const head = data.toString("latin1");
      heads.push(head);
      const [, target] = /^CONNECT [^ ]*:(\d+) HTTP\/1\.1\r\n/.exec(head) ?? [];
      if (refusal !== undefined || target === undefined) {
        client.end(`HTTP/1.1 ${refusal ?? "400 Bad Request"}\r\ncontent-length: 0\r\n\r\n`);
        return;
      }
      const server = connect(Number(target), "127.0.0.1", () => {
        client.write("HTTP/1.1 200 Connection established\r\n\r\n");
        client.pipe(server).pipe(client);
      });
      server.on("error", () => client.destroy());
      client.on("close", () => server.destroy());
    });
  });
  return { url: `http://127.0.0.1:${port}`, heads };
}
