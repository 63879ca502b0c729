import { createServer, type RequestListener } from "node:http";
import type { Socket } from "node:net";
import { once } from "node:events";
import { gzipSync } from "node:zlib";

import { describe, expect, onTestFinished, test } from "vitest";

import type { FetchInit } from "../../src/core/http.ts";
import {
  type Capture,
  type Exchange,
  exchangeOf,
  homewardNetwork,
  startCapture,
  startRaw,
} from "../fakes/capture.ts";
import { makeCertificate, trustedCertificate } from "../fakes/certificate.ts";
import { portOf } from "../fakes/open-server.ts";
import { openDoor } from "../fakes/receipts.ts";

const use = { purpose: "model", taskId: "task-1" } as const;

/** A door to a capture before a server, over TLS or not. */
function openTo(capture: Capture, scheme: "http" | "https" = "http") {
  const origin = `${scheme}://wire.house.example:${capture.port}`;
  const network = homewardNetwork();
  const rules = [{ purpose: "model", origin, linksOut: false } as const];
  const { door, receipts } = openDoor(rules, { network });
  async function ask(path: string, init: FetchInit = {}): Promise<string> {
    const response = await door.open(use)(origin + path, init);
    return response.text();
  }
  return { door, receipts, ask, origin };
}

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return portOf(server);
}

async function* pieces(): AsyncGenerator<Uint8Array> {
  for (const size of [1, 16, 70_000]) yield Buffer.alloc(size, "x");
}

const routes: RequestListener = (request, response) => {
  const { url = "/" } = request;
  request.resume().on("end", () => {
    if (url === "/length") response.setHeader("content-length", 5).end("hello");
    else if (url === "/chunks") {
      response.write("one");
      response.write("two");
      response.end("é".repeat(40_000));
    } else if (url === "/gzip") {
      response.setHeader("content-encoding", "gzip").end(gzipSync("again ".repeat(500)));
    } else if (url === "/none") response.writeHead(204).end();
    else if (url === "/empty") response.end();
    else if (url === "/moved") response.writeHead(307, { location: "/length" }).end("moved");
    else response.writeHead(404).end("no such page");
  });
};

/** Exchanges in an order of their own, since connections have none among them. */
function sorted(exchanges: readonly Exchange[]): string[] {
  return exchanges.map((exchange) => JSON.stringify(exchange)).toSorted();
}

const kinds = ["http", "https"] as const;

describe.each(kinds)("over %s a receipt equals what a capture of the socket saw", (scheme) => {
  const certificate = () => (scheme === "https" ? trustedCertificate("house.example") : undefined);

  test("for each way that a body can come and go, on connections that are used again", async () => {
    const capture = await startCapture(await serve(routes), certificate());
    const { ask, receipts } = openTo(capture, scheme);
    expect(await ask("/length")).toBe("hello");
    expect(await ask("/chunks", { method: "POST", body: "words é" })).toMatch(/^onetwoé/);
    expect(await ask("/gzip")).toBe("again ".repeat(500));
    await ask("/none", { method: "PUT", body: pieces() });
    await ask("/empty", { method: "POST", body: "" });
    await ask("/moved", { method: "POST", body: "sent twice" });
    await ask("/length", { method: "HEAD" });
    await ask("/missing", { headers: { "x-note": "é" } });
    const seen = capture.exchanges();
    expect(seen).toHaveLength(9);
    expect(capture.connections()).toBeLessThan(4);
    expect(sorted(receipts().map(exchangeOf))).toEqual(sorted(seen));
    expect(receipts().map(({ status }) => status)).toEqual([
      200, 200, 200, 204, 200, 307, 200, 200, 404,
    ]);
  });

  test("when many go at once", async () => {
    const capture = await startCapture(await serve(routes), certificate());
    const { ask, receipts } = openTo(capture, scheme);
    const bodies = Array.from({ length: 12 }, (_, at) => "y".repeat(at * 7000));
    await Promise.all(bodies.map((body) => ask("/chunks", { method: "POST", body })));
    expect(sorted(receipts().map(exchangeOf))).toEqual(sorted(capture.exchanges()));
  });

  test("when the answer ends with the connection", async () => {
    const raw = await startRaw((socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\nall of it"));
    });
    const capture = await startCapture(raw, certificate());
    const { ask, receipts } = openTo(capture, scheme);
    expect(await ask("/")).toBe("all of it");
    expect(receipts().map(exchangeOf)).toEqual(capture.exchanges());
    expect(receipts()[0]).toMatchObject({ status: 200, bodyBytesIn: 9 });
  });

  test.each([
    ["within a body of known length", "HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\nonly this"],
    ["within a chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nonly this\r\n"],
  ])("when the connection breaks %s", async (_, text) => {
    const raw = await startRaw((socket) => {
      socket.once("data", () => socket.end(text));
    });
    const capture = await startCapture(raw, certificate());
    const { ask, receipts } = openTo(capture, scheme);
    await expect(ask("/", { method: "POST", body: "asked" })).rejects.toThrow(/./);
    expect(receipts().map(exchangeOf)).toEqual(capture.exchanges());
    expect(receipts()[0]).toMatchObject({ status: 200, bodyBytesIn: 9, bodyBytesOut: 5 });
  });

  test("when it is given up before an answer, and within one", async () => {
    const arrived = Promise.withResolvers<void>();
    const raw = await startRaw((socket) => {
      socket.on("data", (data) => {
        if (data.includes("/never")) arrived.resolve();
        else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\nonly this");
      });
    });
    const capture = await startCapture(raw, certificate());
    const { door, receipts, origin } = openTo(capture, scheme);
    const early = new AbortController();
    const never = door.open(use)(`${origin}/never`, { signal: early.signal });
    await arrived.promise;
    early.abort(new Error("enough"));
    await expect(never).rejects.toThrow("enough");
    const late = new AbortController();
    const response = await door.open(use)(`${origin}/part`, { signal: late.signal });
    const reader = response.body?.getReader();
    expect((await reader?.read())?.value?.length).toBe(9);
    late.abort(new Error("enough"));
    await expect(reader?.read()).rejects.toThrow("enough");
    expect(receipts().map(exchangeOf)).toEqual(capture.exchanges());
    expect(receipts().map(({ status }) => status)).toEqual([null, 200]);
  });
});

test("a server that wants the request a second time gets none without a receipt", async () => {
  const capture = await startCapture(
    await serve((request, response) => {
      request.resume().on("end", () => response.writeHead(421).end("not me"));
    }),
  );
  const { ask, receipts } = openTo(capture);
  await expect(ask("/", { method: "POST", body: "words" })).rejects.toThrow("a second time");
  expect(capture.exchanges()).toHaveLength(1);
  expect(receipts().map(exchangeOf)).toEqual(capture.exchanges());
});

test("a receipt says what the request carried, and whose it was", async () => {
  const capture = await startCapture(await serve(routes));
  const { door, receipts, origin } = openTo(capture);
  const labelled = { ...use, labels: ["personal", "secret"], redactions: 3 } as const;
  await (await door.open(labelled)(origin)).text();
  await (await door.open({ purpose: "model", taskId: null })(origin)).text();
  expect(receipts()).toMatchObject([
    { taskId: "task-1", labels: ["personal", "secret"], redactions: 3, trust: "cloud" },
    { taskId: null, labels: [], redactions: 0 },
  ]);
});

test("a connection that never stood moved nothing", async () => {
  const capture = await startCapture(await startRaw((socket: Socket) => socket.destroy()));
  const { ask, receipts } = openTo(capture, "https");
  await expect(ask("/")).rejects.toMatchObject({ code: "door.unreachable" });
  expect(receipts()).toMatchObject([
    { headBytesOut: 0, bodyBytesOut: 0, headBytesIn: 0, bodyBytesIn: 0, sha256Out: null },
  ]);
});

test("of an upload that is broken off no byte is missing, and some may be counted that were still on their way", async () => {
  const arrived = Promise.withResolvers<void>();
  const raw = await startRaw((socket) => {
    socket.once("data", () => {
      socket.pause();
      arrived.resolve();
    });
  });
  const capture = await startCapture(raw);
  const { ask, receipts } = openTo(capture);
  const stop = new AbortController();
  const body = "z".repeat(20_000_000);
  const asked = ask("/", { method: "POST", body, signal: stop.signal });
  await arrived.promise;
  stop.abort(new Error("enough"));
  await expect(asked).rejects.toThrow("enough");
  const [sent, seen] = [receipts()[0]?.bodyBytesOut, capture.exchanges()[0]?.bodyBytesOut];
  expect(sent).toBe(body.length);
  expect(sent).toBeGreaterThan(seen ?? Number.POSITIVE_INFINITY);
});

test("what a server sends behind its answer is the answer to nothing", async () => {
  const answer = (text: string) =>
    `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
  const raw = await startRaw((socket) => {
    socket.on("data", () => socket.write(answer("hello") + answer("forged")));
  });
  const capture = await startCapture(raw);
  const { ask, receipts } = openTo(capture);
  expect([await ask("/one"), await ask("/two")]).toEqual(["hello", "hello"]);
  expect([capture.connections(), receipts().map(({ bodyBytesIn }) => bodyBytesIn)]).toEqual([
    2,
    [5, 5],
  ]);
});

test("a server that cannot show who it is gets nothing, whatever the environment says", async () => {
  const before = process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
  process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
  onTestFinished(() => {
    if (before === undefined) delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    else process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = before;
  });
  const capture = await startCapture(await serve(routes), makeCertificate("house.example"));
  const { ask, receipts } = openTo(capture, "https");
  const asked = ask("/length", { method: "POST", body: "words" });
  await expect(asked).rejects.toThrow("self-signed certificate");
  expect(capture.received()).toBe("");
  expect(receipts()).toMatchObject([{ headBytesOut: 0, bodyBytesOut: 0 }]);
});
