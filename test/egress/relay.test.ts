import { once } from "node:events";
import { connect } from "node:net";

import { describe, expect, onTestFinished, test } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import type { Receipt } from "../../src/core/http.ts";
import { createDoor, type DoorOptions } from "../../src/egress/door.ts";
import { closedOrigin } from "../fakes/server.ts";
import { startEcho } from "../fakes/websocket.ts";

const use = { purpose: "chat", taskId: null } as const;

function openDoor(origin: string, own: Partial<DoorOptions> = {}) {
  const byId = new Map<string, Receipt>();
  const door = createDoor({
    clock: systemClock,
    rules: [{ purpose: "chat", origin, linksOut: false, platform: true }],
    record: (receipt) => Promise.resolve(void byId.set(receipt.id, receipt)),
    onUnrecorded: () => {},
    ...own,
  });
  onTestFinished(() => door.close());
  return { door, receipts: () => [...byId.values()] };
}

/** A client with what it hears. */
async function open(url: string) {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  const heard: unknown[] = [];
  const closed = once(socket, "close");
  socket.addEventListener("message", ({ data }) => {
    heard.push(data instanceof ArrayBuffer ? Buffer.from(data).length : data);
  });
  await Promise.race([once(socket, "open"), closed]);
  return { socket, heard, closed };
}

describe("a relay", () => {
  test.each([
    ["http", "ws", false],
    ["https", "wss", true],
  ] as const)(
    "takes a client of its own to a server over %s, and puts on record what passed",
    async (scheme, protocol, tls) => {
      const server = await startEcho({ tls });
      const origin = `${scheme}://127.0.0.1:${server.port}`;
      const { door, receipts } = openDoor(origin);
      const relay = await door.relay(use, `${protocol}://127.0.0.1:${server.port}/gateway`);
      const { socket, heard, closed } = await open(`${relay.url}?v=10&encoding=json`);
      socket.send("héllo");
      socket.send(new Uint8Array(200_000));
      await expect.poll(() => heard).toEqual(["héllo", 200_000]);
      expect(server.heads[0]).toMatch(/^GET \/gateway\?v=10&encoding=json HTTP\/1\.1\r\n/);
      expect(server.heads[0]).toContain(`Host: 127.0.0.1:${server.port}\r\n`);
      socket.send("bye");
      await closed;
      await door.close();
      const [receipt] = receipts();
      expect(receipt).toMatchObject({ purpose: "chat", taskId: null, trust: "local", status: 101 });
      const {
        headBytesOut = 0,
        bodyBytesOut = 0,
        headBytesIn = 0,
        bodyBytesIn = 0,
      } = receipt ?? {};
      expect(headBytesOut + bodyBytesOut).toBe(server.bytes.in);
      expect(headBytesIn + bodyBytesIn).toBe(server.bytes.out);
      expect(receipt?.sha256Out).toMatch(/^[0-9a-f]{64}$/);
    },
  );

  test("passes another path on, as the client asks for it", async () => {
    const server = await startEcho();
    const { door } = openDoor(`http://127.0.0.1:${server.port}`);
    const relay = await door.relay(use, `ws://127.0.0.1:${server.port}/gateway`);
    const { socket } = await open(`${relay.url}/other/path?x=1`);
    socket.close();
    expect(server.heads[0]).toMatch(/^GET \/other\/path\?x=1 HTTP/);
  });

  test("ends both sides when it is closed", async () => {
    const server = await startEcho();
    const { door } = openDoor(`http://127.0.0.1:${server.port}`);
    const relay = await door.relay(use, `ws://127.0.0.1:${server.port}/`);
    const { closed } = await open(relay.url);
    await relay.close();
    await closed;
    await expect(open(relay.url).then(({ socket }) => socket.readyState)).resolves.toBe(3);
  });

  test("to a server that no rule names, or that is not there, opens nothing", async () => {
    const server = await startEcho();
    const { door, receipts } = openDoor(await closedOrigin());
    const other = await door.relay(use, `ws://127.0.0.1:${server.port}/`);
    const refused = await open(other.url);
    expect([refused.socket.readyState, server.heads, receipts()]).toEqual([3, [], []]);
  });

  test("refuses a cloud in local-only mode", async () => {
    const { door, receipts } = openDoor("https://cloud.test", {
      rules: [{ purpose: "chat", origin: "https://cloud.test", linksOut: false }],
      localOnly: () => Promise.resolve(true),
      resolve: () => Promise.reject(new Error("it was looked up")),
    });
    const relay = await door.relay(use, "wss://cloud.test/");
    const { socket } = await open(relay.url);
    expect([socket.readyState, receipts()]).toEqual([3, []]);
  });

  test.each([
    ["another path", (path: string) => path.replace(/.{4}$/, "0000"), {}],
    ["a page's origin", (path: string) => path, { origin: "https://evil.example" }],
    ["another host's name", (path: string) => path, { host: "evil.example" }],
  ])("is not for who comes with %s", async (_, pathOf, headers: Record<string, string>) => {
    const server = await startEcho();
    const { door } = openDoor(`http://127.0.0.1:${server.port}`);
    const relay = await door.relay(use, `ws://127.0.0.1:${server.port}/`);
    const { hostname, port, pathname } = new URL(relay.url);
    const socket = connect(Number(port), hostname);
    onTestFinished(() => void socket.destroy());
    const sent = {
      host: `${hostname}:${port}`,
      upgrade: "websocket",
      connection: "upgrade",
      ...headers,
    };
    const lines = Object.entries(sent).map(([name, value]) => `${name}: ${value}`);
    socket.write(`GET ${pathOf(pathname)} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    const [data] = await once(socket, "data");
    expect(String(data)).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(server.heads).toEqual([]);
  });
});
