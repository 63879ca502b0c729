import { once } from "node:events";
import { createServer, type Socket } from "node:net";

import { describe, expect, onTestFinished, test } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import type { Fetch, Receipt } from "../../src/core/http.ts";
import { ownNetwork } from "../../src/egress/addresses.ts";
import { createDoor } from "../../src/egress/door.ts";
import { openDoor } from "../fakes/receipts.ts";
import { closedOrigin, startServer } from "../fakes/server.ts";

const model = (origin: string) => ({ purpose: "model", origin, linksOut: false }) as const;
const use = { purpose: "model", taskId: "task-1" } as const;

describe("what the door lets out", () => {
  test("only origins that a rule names for the purpose; nothing is connected to otherwise", async () => {
    let connections = 0;
    const origin = await startServer((_, response) => {
      connections += 1;
      response.end("ok");
    });
    const { door, receipts } = openDoor([model(origin)]);
    await expect(door.open({ ...use, purpose: "index" })(origin)).rejects.toMatchObject({
      code: "door.refused",
    });
    await expect(door.open(use)("https://no-such-host.invalid/")).rejects.toThrow(
      "Nothing configured allows a connection to no-such-host.invalid for model",
    );
    expect([connections, receipts()]).toEqual([0, []]);
    expect(await (await door.open(use)(origin)).text()).toBe("ok");
    expect(connections).toBe(1);
  });

  test("a redirect is checked again, and credentials stay with their origin", async () => {
    const seen: (string | undefined)[] = [];
    const elsewhere = await startServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end("there");
    });
    const origin = await startServer((request, response) => {
      const location = request.url === "/own" ? "/end" : elsewhere;
      if (request.url === "/end") response.end("here");
      else response.writeHead(302, { location }).end();
    });
    const strict = openDoor([model(origin)]);
    expect(await (await strict.door.open(use)(`${origin}/own`)).text()).toBe("here");
    await expect(strict.door.open(use)(`${origin}/out`)).rejects.toMatchObject({
      code: "door.refused",
    });
    const linking = openDoor([{ ...model(origin), linksOut: true }]);
    const headers = { authorization: "secret" };
    expect(await (await linking.door.open(use)(`${origin}/out`, { headers })).text()).toBe("there");
    expect(seen).toEqual([undefined]);
    expect(linking.receipts().map((receipt) => receipt.status)).toEqual([302, 200]);
  });

  test("a name and password that a redirect brings along are left out, of requests and of sentences", async () => {
    const seen: (string | undefined)[] = [];
    const origin = await startServer((request, response) => {
      seen.push(request.headers.authorization);
      const location = `http://me:s3cret@${request.headers.host}/end`;
      if (request.url === "/end") response.end("here");
      else response.writeHead(302, { location }).end();
    });
    const { door } = openDoor([model(origin)]);
    expect(await (await door.open(use)(origin)).text()).toBe("here");
    expect(seen).toEqual([undefined, undefined]);
  });

  test("a use may have connections of its own, which end with its signal and are never met again", async () => {
    const served = new Map<string, Socket[]>();
    const origin = await startServer(({ url = "", socket }, response) => {
      served.set(url, [...(served.get(url) ?? []), socket]);
      if (url !== "/held") response.end("ok");
    });
    const open = (url: string) => (served.get(url) ?? []).map(({ destroyed }) => !destroyed);
    const { door } = openDoor([model(origin)]);
    const ask = async (fetch: Fetch, path: string) => (await fetch(origin + path)).text();
    const ending = new AbortController();
    const own = door.open({ ...use, ownUntil: ending.signal });
    await ask(own, "/own");
    await ask(door.open(use), "/shared");
    expect(served.get("/own")).not.toEqual(served.get("/shared"));
    const held = own(`${origin}/held`);
    await expect.poll(() => open("/held")).toEqual([true]);
    ending.abort();
    await expect(held).rejects.toMatchObject({ code: "door.unreachable" });
    await expect.poll(() => [...open("/own"), ...open("/held")]).toEqual([false, false]);
    expect(open("/shared")).toEqual([true]);
    const next = door.open({ ...use, ownUntil: new AbortController().signal });
    await ask(next, "/next");
    expect(served.get("/next")).not.toEqual(served.get("/shared"));
    await expect(own(origin)).rejects.toMatchObject({ code: "door.unreachable" });
  });

  test("an address that an allowed page named may be read, never written to", async () => {
    const origin = await startServer((_, response) => response.end("file"));
    const page = "http://127.0.0.1:1/page";
    const { door } = openDoor([{ ...model("http://127.0.0.1:1"), linksOut: true }]);
    const fetch = door.open({ ...use, linkedFrom: page });
    expect(await (await fetch(origin)).text()).toBe("file");
    await expect(fetch(origin, { method: "POST", body: "x" })).rejects.toMatchObject({
      code: "door.refused",
    });
  });
});

test("a redirect that would need an upload a second time is refused, and says why", async () => {
  const origin = await startServer((request, response) => {
    request.resume().on("end", () => response.writeHead(307, { location: "/there" }).end());
  });
  const { door } = openDoor([model(origin)]);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("once");
  }
  await expect(door.open(use)(origin, { method: "POST", body: pieces() })).rejects.toThrow(
    "an upload is sent once",
  );
});

test("words for a host at home are not sent on to one further away", async () => {
  const origin = await startServer((_, response) => {
    response.writeHead(307, { location: "https://cloud.invalid/" }).end();
  });
  const { door, receipts } = openDoor([model(origin), model("https://cloud.invalid")]);
  const post = { method: "POST", body: "words" };
  await expect(door.open(use)(origin, post)).rejects.toMatchObject({
    code: "door.refused",
  });
  expect(receipts().map(({ host }) => host)).toEqual([new URL(origin).host]);
});

test("who says that a host here passes on to a cloud is put on record and refused as one", async () => {
  const origin = await startServer((_, response) => response.end("ok"));
  const passing = { ...model(origin), passesOn: true } as const;
  const { door, receipts } = openDoor([passing]);
  const onward = door.open({ ...use, trust: "cloud" });
  await (await onward(origin)).text();
  expect(receipts()).toMatchObject([{ trust: "cloud" }]);
  // That is another thing than to answer at home, and the one allows the other in neither direction.
  await expect(door.open(use)(origin)).rejects.toMatchObject({ code: "door.refused" });
  const near = openDoor([model(origin)]).door.open({ ...use, trust: "cloud" });
  await expect(near(origin)).rejects.toMatchObject({ code: "door.refused" });
  const shut = openDoor([passing], { localOnly: () => Promise.resolve(true) });
  await expect(shut.door.open({ ...use, trust: "cloud" })(origin)).rejects.toMatchObject({
    code: "door.local-only",
  });
});

test("a page on the internet cannot point the door at this machine", async () => {
  let connections = 0;
  const origin = await startServer((_, response) => {
    connections += 1;
    response.end("secret");
  });
  const { door } = openDoor([{ ...model("https://pages.example"), linksOut: true }]);
  const fetch = door.open({ ...use, linkedFrom: "https://pages.example/page" });
  await expect(fetch(origin)).rejects.toMatchObject({ code: "door.refused" });
  expect(connections).toBe(0);
});

test("a password in an address goes as a header and into no sentence", async () => {
  const seen: (string | undefined)[] = [];
  const origin = await startServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end("ok");
  });
  const { door } = openDoor([model(origin)]);
  await (await door.open(use)(origin.replace("//", "//me:s3cret@"))).text();
  expect(seen).toEqual([`Basic ${Buffer.from("me:s3cret").toString("base64")}`]);
  const closed = await closedOrigin();
  const failing = openDoor([model(closed)]).door.open(use)(closed.replace("//", "//me:s3cret@"));
  await expect(failing).rejects.toThrow(/^(?!.*s3cret)/);
});

describe("a receipt", () => {
  test("counts the bytes of head and body that the wire carried", async () => {
    const seen = { bytes: 0 };
    const server = createServer((socket: Socket) => {
      socket.on("data", (data) => {
        seen.bytes += data.length;
        if (!data.toString().includes("ping")) return;
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\npong");
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const origin = `http://127.0.0.1:${port}`;
    const { door, receipts } = openDoor([model(origin)]);
    const response = await door.open(use)(origin, { method: "POST", body: "ping é" });
    expect(await response.text()).toBe("pong");
    const [receipt] = receipts();
    expect(receipt).toMatchObject({
      taskId: "task-1",
      purpose: "model",
      trust: "local",
      bodyBytesOut: 7,
      bodyBytesIn: 4,
      status: 200,
    });
    expect((receipt?.headBytesOut ?? 0) + 7).toBe(seen.bytes);
  });

  test("counts an upload that comes in pieces as the wire carried it, frames and all", async () => {
    const seen = { bytes: 0, text: "" };
    const server = createServer((socket: Socket) => {
      socket.on("data", (data) => {
        seen.bytes += data.length;
        seen.text += data.toString("latin1");
        if (!seen.text.endsWith("\r\n0\r\n\r\n")) return;
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const origin = `http://127.0.0.1:${port}`;
    const { door, receipts } = openDoor([model(origin)]);
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (const size of [1, 16, 5000]) yield Buffer.alloc(size, "x");
    }
    const response = await door.open(use)(origin, { method: "POST", body: pieces() });
    expect(await response.text()).toBe("ok");
    const [receipt] = receipts();
    expect(seen.text).toContain("transfer-encoding: chunked");
    expect(receipt?.bodyBytesOut).toBe(5017);
    expect((receipt?.headBytesOut ?? 0) + (receipt?.bodyBytesOut ?? 0)).toBe(seen.bytes);
  });

  test("is there before the answer, and is completed after it", async () => {
    const origin = await startServer((_, response) => response.end("answer"));
    const states: Receipt[] = [];
    const record = (receipt: Receipt): Promise<void> => Promise.resolve(void states.push(receipt));
    const door = createDoor({
      clock: systemClock,
      rules: [model(origin)],
      record,
      onUnrecorded: () => {},
      localOnly: () => Promise.resolve(false),
    });
    onTestFinished(() => door.close());
    await (await door.open(use)(origin)).text();
    await door.close();
    expect(states.map(({ bodyBytesIn, status }) => [bodyBytesIn, status])).toEqual([
      [0, null],
      [6, 200],
    ]);
  });

  test("that cannot be stored is reported and does not break the answer", async () => {
    const origin = await startServer((_, response) => response.end("answer"));
    const errors: unknown[] = [];
    const door = createDoor({
      clock: systemClock,
      rules: [model(origin)],
      record: () => Promise.reject(new Error("disk full")),
      onUnrecorded: (error) => errors.push(error),
      localOnly: () => Promise.resolve(false),
    });
    onTestFinished(() => door.close());
    expect(await (await door.open(use)(origin)).text()).toBe("answer");
    await door.close();
    expect(errors).toHaveLength(2);
  });
});

test("what cannot be put on record does not go to the cloud", async () => {
  const door = createDoor({
    clock: systemClock,
    rules: [model("https://cloud.invalid")],
    record: () => Promise.reject(new Error("disk full")),
    onUnrecorded: () => {},
    localOnly: () => Promise.resolve(false),
  });
  onTestFinished(() => door.close());
  await expect(door.open(use)("https://cloud.invalid/")).rejects.toThrow("disk full");
});

describe("a connection that fails", () => {
  test("is one of ours, with a plain problem", async () => {
    const origin = await closedOrigin();
    const { door } = openDoor([model(origin)]);
    await expect(door.open(use)(`${origin}/x`)).rejects.toThrow(
      `${new URL(origin).host} cannot be reached (connection refused).`,
    );
  });

  test("a name that nobody answers for has the deadline of the connection", async () => {
    const network = { ...ownNetwork, resolve: () => new Promise<never>(() => {}) };
    const { door } = openDoor([model("http://slow.example")], { network });
    const fetch = door.open({ ...use, connectMs: 200 });
    await expect(fetch("http://slow.example/")).rejects.toThrow("(connect timeout)");
  });

  test("an abort while headers are pending reaches the server", async () => {
    const closed = Promise.withResolvers<string>();
    const arrived = Promise.withResolvers<void>();
    const origin = await startServer((request) => {
      arrived.resolve();
      request.on("close", () => closed.resolve("closed"));
    });
    const { door } = openDoor([model(origin)]);
    const abort = new AbortController();
    const answer = door.open(use)(origin, { signal: abort.signal });
    await arrived.promise;
    abort.abort(new Error("enough"));
    await expect(answer).rejects.toThrow("enough");
    expect(await closed.promise).toBe("closed");
  });
});
