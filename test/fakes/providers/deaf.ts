import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Worker } from "node:worker_threads";

import { z } from "zod";

const portSchema = z.int();

/**
 * An origin whose machine takes no new connection and refuses none either, as one that sleeps: the listener's backlog is full and
 * the thread that would empty it is blocked, so that the kernel drops what comes.
 */
export async function openDeaf(): Promise<{ readonly origin: string; close(): Promise<void> }> {
  const worker = new Worker(new URL("deaf-worker.ts", import.meta.url));
  const [message] = await once(worker, "message");
  const port = portSchema.parse(message);
  const fillers: Socket[] = [];
  for (let i = 0; i < 4; i += 1) {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    fillers.push(socket);
  }
  return {
    origin: `http://127.0.0.1:${port}`,
    async close() {
      for (const socket of fillers) socket.destroy();
      await worker.terminate();
    },
  };
}
