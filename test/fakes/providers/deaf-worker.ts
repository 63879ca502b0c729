import { once } from "node:events";
import { createServer } from "node:net";
import { parentPort } from "node:worker_threads";

const server = createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 });
await once(server, "listening");
const address = server.address();
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
if (typeof address === "object") parentPort?.postMessage(address?.port);
// Blocked for good: nothing that connects is ever accepted.
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
