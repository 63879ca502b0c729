import { once } from "node:events";
import { request as httpRequest } from "node:http";
import type { Socket } from "node:net";

import { describe, expect, onTestFinished, test } from "vitest";

import type { DoorOptions } from "../../src/egress/door.ts";
import { exchangeOf, homewardNetwork, startCapture, startRaw } from "../fakes/capture.ts";
import { trustedCertificate } from "../fakes/certificate.ts";
import { startProxy } from "../fakes/proxy.ts";
import { openDoor } from "../fakes/receipts.ts";
import { closedOrigin } from "../fakes/server.ts";
import {
  type FakeClient,
  type FakeWebSocketServer,
  startWebSocketServer,
} from "../fakes/websocket.ts";

const use = { purpose: "chat", taskId: null } as const;
const allowed = (origin: string, platform = true) =>
  ({ purpose: "chat", origin, linksOut: false, platform }) as const;

/** A relay to a fake behind a capture. */
async function relayTo(
  server: FakeWebSocketServer,
  { scheme = "ws", ...more }: Partial<DoorOptions> & { readonly scheme?: "ws" | "wss" } = {},
) {
  const certificate = scheme === "wss" ? trustedCertificate("house.example") : undefined;
  const capture = await startCapture(server.port, certificate);
  const origin = `${scheme}://gateway.house.example:${capture.port}`;
  const opened = openDoor([allowed(origin)], { network: homewardNetwork(), ...more });
  const relay = await opened.door.relay(use, `${origin}/own?a=1`);
  return { ...opened, capture, origin, relay };
}

/** A client, when it is connected, with what it receives. */
async function connected(url: string) {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  const received: unknown[] = [];
  const closed = once(socket, "close");
  socket.addEventListener("message", ({ data }) => received.push(data));
  await once(socket, "open");
  onTestFinished(() => socket.close());
  return { socket, received, closed };
}

function only({ clients }: FakeWebSocketServer): FakeClient {
  const [client] = clients;
  if (client === undefined || clients.length > 1) throw new Error("there is not one client");
  return client;
}

/** A figure of this process once it has not changed for many turns of its loop. */
async function atRest(read: () => number): Promise<number> {
  let [last, turns] = [read(), 0];
  while (turns < 500) {
    await new Promise(setImmediate);
    const now = read();
    turns = now === last ? turns + 1 : 0;
    last = now;
  }
  return last;
}

describe.each(["ws", "wss"] as const)("a relay to %s", (scheme) => {
  test("carries text and bytes both ways, and its receipt equals what a capture saw", async () => {
    const server = await startWebSocketServer();
    const { relay, receipts, capture, origin } = await relayTo(server, { scheme });
    const { socket, received, closed } = await connected(`${relay.url}/gate?v=10&e=json`);
    const client = only(server);
    expect(client.request.url).toBe("/gate?v=10&e=json");
    expect(client.request.headers.host).toBe(new URL(origin).host);
    expect(receipts()).toMatchObject([{ status: null, bodyBytesOut: 0, trust: "platform" }]);
    socket.send("héllo");
    socket.send(new Uint8Array(70_000).fill(7));
    await expect.poll(() => client.received.length).toBe(2);
    expect(client.received[0]).toBe("héllo");
    expect(client.received[1]).toEqual(Buffer.alloc(70_000, 7));
    client.send("wörld");
    client.send(Buffer.from([1, 2, 3]));
    await expect.poll(() => received.length).toBe(2);
    expect(received).toEqual(["wörld", new Uint8Array([1, 2, 3]).buffer]);
    socket.close(4001);
    await closed;
    expect(client.closedWith()).toBe(4001);
    await expect.poll(() => receipts()[0]?.status).toBe(101);
    expect(receipts().map(exchangeOf)).toEqual(capture.exchanges());
  });
});

describe("a relay", () => {
  test("offers what the client offers, and leaves compressed messages as they are", async () => {
    const server = await startWebSocketServer({ deflate: true });
    const { relay } = await relayTo(server);
    const { received } = await connected(relay.url);
    const client = only(server);
    expect(client.request.headers["sec-websocket-extensions"]).toContain("permessage-deflate");
    client.send("again ".repeat(1000));
    await expect.poll(() => received).toEqual(["again ".repeat(1000)]);
  });

  test("asks for the address that it was opened for where its user adds nothing, or a query", async () => {
    const server = await startWebSocketServer();
    const { relay } = await relayTo(server);
    await connected(relay.url);
    await connected(`${relay.url}?b=2`);
    await connected(`${relay.url}/`);
    expect(server.clients.map(({ request }) => request.url)).toEqual(["/own?a=1", "/own?b=2", "/"]);
  });

  test("closes when the server does, and breaks when it breaks", async () => {
    const server = await startWebSocketServer();
    const { relay, receipts } = await relayTo(server);
    const ending = await connected(relay.url);
    only(server).close(4004);
    expect(await ending.closed).toMatchObject([{ code: 4004 }]);
    const breaking = await connected(relay.url);
    server.clients[1]?.socket.destroy();
    expect(await breaking.closed).toMatchObject([{ code: 1006 }]);
    await expect.poll(() => receipts().map(({ status }) => status)).toEqual([101, 101]);
  });

  test("passes on an answer that is no WebSocket's", async () => {
    const server = await startWebSocketServer({ refusal: "429 Too Many Requests" });
    const { relay, receipts, capture } = await relayTo(server);
    const socket = new WebSocket(relay.url);
    await once(socket, "close");
    await expect.poll(() => receipts()[0]).toMatchObject({ status: 429, bodyBytesIn: 7 });
    expect(receipts().map(exchangeOf)).toEqual(capture.exchanges());
  });

  test("takes no more from the server than its client does", async () => {
    const server = await startWebSocketServer();
    const origin = `ws://gateway.house.example:${server.port}`;
    const { door } = openDoor([allowed(origin)], { network: homewardNetwork() });
    const { hostname, port, pathname } = new URL((await door.relay(use, origin)).url);
    const headers = { connection: "upgrade", upgrade: "websocket" };
    const asking = httpRequest({ hostname, port, path: pathname, headers }).end();
    const [, slow] = await once(asking, "upgrade");
    slow.pause();
    onTestFinished(() => slow.destroy());
    const client = only(server);
    // More than the machine's own buffers on the way hold.
    for (let blocks = 0; blocks < 60; blocks += 1) client.send(Buffer.alloc(1_000_000));
    expect(await atRest(() => client.socket.writableLength)).toBeGreaterThan(1_000_000);
    let size = 0;
    slow.on("data", (chunk: Buffer) => (size += chunk.length));
    slow.resume();
    await expect.poll(() => size).toBeGreaterThan(60_000_000);
    expect(client.socket.writableLength).toBe(0);
  });

  test("says nothing to who does not know its path, or comes under another name", async () => {
    const server = await startWebSocketServer();
    const { relay, receipts } = await relayTo(server);
    const { hostname, port, pathname } = new URL(relay.url.replace("ws:", "http:"));
    const ask = async (path: string, host?: string): Promise<number | undefined> => {
      const headers = { connection: "upgrade", upgrade: "websocket", ...(host && { host }) };
      const asking = httpRequest({ hostname, port, path, headers }).end();
      const [response] = await once(asking, "response");
      response.resume();
      return response.statusCode;
    };
    expect(await ask("/")).toBe(404);
    expect(await ask(`${pathname}0`)).toBe(404);
    expect(await ask(pathname, `rebound.example:${port}`)).toBe(404);
    expect(await ask(pathname, `localhost:${port}`)).toBe(404);
    const plain = httpRequest({ hostname, port, path: pathname }).end();
    expect((await once(plain, "response"))[0].statusCode).toBe(404);
    expect([server.clients.length, receipts().length]).toEqual([0, 0]);
  });

  test("goes through the owner's proxy", async () => {
    const server = await startWebSocketServer();
    const { url, heads } = await startProxy();
    const proxy = { url, login: undefined };
    const { relay, receipts, capture } = await relayTo(server, { scheme: "wss", proxy });
    const { socket, closed } = await connected(relay.url);
    socket.close();
    await closed;
    expect(heads).toHaveLength(1);
    await expect
      .poll(() => receipts().map(({ purpose, status }) => [purpose, status]))
      .toEqual([
        ["chat", 101],
        ["proxy", 200],
      ]);
    expect(receipts().slice(0, 1).map(exchangeOf)).toEqual(capture.exchanges());
  });

  test("leaves the server where its client leaves before it is answered", async () => {
    const asked = Promise.withResolvers<Socket>();
    const port = await startRaw((socket) => void socket.once("data", () => asked.resolve(socket)));
    const origin = `ws://gateway.house.example:${port}`;
    const { door, receipts } = openDoor([allowed(origin)], { network: homewardNetwork() });
    const client = new WebSocket((await door.relay(use, origin)).url);
    const socket = await asked.promise;
    client.close();
    await once(socket.resume(), "close");
    await expect.poll(() => receipts()[0]?.headBytesOut).toBeGreaterThan(0);
    expect(receipts()).toMatchObject([{ status: null, bodyBytesOut: 0 }]);
  });

  test("ends its connections when it is closed", async () => {
    const server = await startWebSocketServer();
    const { relay, receipts } = await relayTo(server);
    const { closed } = await connected(relay.url);
    await relay.close();
    await closed;
    await expect.poll(() => receipts()[0]?.status).toBe(101);
    const late = new WebSocket(relay.url);
    await once(late, "close");
    expect(server.clients).toHaveLength(1);
  });
});

describe("what a relay may not do", () => {
  test("an address without a rule is refused when it is opened", async () => {
    const { door } = openDoor();
    await expect(door.relay(use, "wss://gateway.house.example")).rejects.toMatchObject({
      code: "door.refused",
    });
  });

  test("in local-only mode none is opened to a cloud, and one that is open makes no new connection", async () => {
    const server = await startWebSocketServer();
    const capture = await startCapture(server.port);
    const origin = `ws://voice.house.example:${capture.port}`;
    const mode = { shut: false };
    const network = homewardNetwork();
    const localOnly = (): Promise<boolean> => Promise.resolve(mode.shut);
    const { door, receipts } = openDoor([allowed(origin, false)], { network, localOnly });
    const relay = await door.relay(use, origin);
    mode.shut = true;
    await expect(door.relay(use, origin)).rejects.toMatchObject({ code: "door.local-only" });
    const socket = new WebSocket(relay.url);
    await once(socket, "close");
    expect([capture.connections(), receipts().length, network.asked]).toEqual([0, 0, []]);
  });

  test("a server that is not there is said to the client, and on record", async () => {
    const origin = (await closedOrigin()).replace("http:", "ws:");
    const { door, receipts } = openDoor([allowed(origin)]);
    const relay = await door.relay(use, origin);
    const socket = new WebSocket(relay.url);
    await once(socket, "close");
    expect(receipts()).toMatchObject([{ status: null, headBytesOut: 0, trust: "local" }]);
  });
});
