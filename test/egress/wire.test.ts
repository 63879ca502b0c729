import type { Socket } from "node:net";

import { describe, expect, onTestFinished, test } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import type { DoorRule, Receipt } from "../../src/core/http.ts";
import type { Resolve } from "../../src/egress/addresses.ts";
import { createDoor, type DoorOptions } from "../../src/egress/door.ts";
import { sha256, startSockets } from "../fakes/sockets.ts";

const use = { purpose: "model", taskId: "task-1" } as const;

const rule = (origin: string): DoorRule => ({ purpose: "model", origin, linksOut: false });

function openDoor(origins: readonly string[], own: Partial<DoorOptions> = {}) {
  const byId = new Map<string, Receipt>();
  const door = createDoor({
    clock: systemClock,
    rules: origins.map(rule),
    record: (receipt) => Promise.resolve(void byId.set(receipt.id, receipt)),
    onUnrecorded: () => {},
    ...own,
  });
  onTestFinished(() => door.close());
  return { door, receipts: () => [...byId.values()] };
}

/** Answers every request with these bytes once its head, and as much body as is named, has come; tells what it saw. */
function answering(bytes: string, seen: { in: number; out: number }, after = "\r\n\r\n") {
  return (socket: Socket): void => {
    let text = "";
    socket.on("data", (data: Buffer) => {
      seen.in += data.length;
      text += data.toString("latin1");
      if (!text.includes(after)) return;
      text = "";
      seen.out += Buffer.byteLength(bytes);
      socket.write(bytes);
      if (bytes.includes("connection: close")) socket.end();
    });
  };
}

describe("a receipt says what the wire carried", () => {
  const chunked =
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  test.each([
    ["a length", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabcde", "abcde"],
    ["chunks", chunked, "abcde"],
    ["nothing", "HTTP/1.1 204 No Content\r\n\r\n", ""],
    ["an end", "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nabcde", "abcde"],
  ])("where the answer ends by %s", async (_, bytes, body) => {
    const seen = { in: 0, out: 0 };
    const port = await startSockets(answering(bytes, seen, "\r\n\r\nwords"));
    const origin = `http://127.0.0.1:${port}`;
    const { door, receipts } = openDoor([origin]);
    const fetch = door.open(use);
    for (let times = 0; times < 2; times += 1) {
      const response = await fetch(origin, { method: "POST", body: "words" });
      expect(await response.text()).toBe(body);
    }
    await door.close();
    const all = receipts();
    const sum = (
      keys: readonly ("headBytesOut" | "bodyBytesOut" | "headBytesIn" | "bodyBytesIn")[],
    ) =>
      all.reduce((total, receipt) => total + keys.reduce((part, key) => part + receipt[key], 0), 0);
    expect(all).toHaveLength(2);
    expect(sum(["headBytesOut", "bodyBytesOut"])).toBe(seen.in);
    expect(sum(["headBytesIn", "bodyBytesIn"])).toBe(seen.out);
    for (const receipt of all) {
      expect(receipt).toMatchObject({
        bodyBytesOut: 5,
        bodyBytesIn: body.length,
        sha256Out: sha256("words"),
        sha256In: body === "" ? null : sha256(body),
      });
    }
  });

  test("before TLS, as if there were none", async () => {
    const seen = { in: 0, out: 0 };
    const bytes = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\npong";
    const port = await startSockets(answering(bytes, seen, "ping"), { tls: true });
    const origin = `https://127.0.0.1:${port}`;
    const { door, receipts } = openDoor([origin]);
    await (await door.open(use)(origin, { method: "POST", body: "ping" })).text();
    await door.close();
    const [receipt] = receipts();
    expect(receipt).toMatchObject({ bodyBytesOut: 4, bodyBytesIn: 4, sha256In: sha256("pong") });
    expect((receipt?.headBytesOut ?? 0) + 4).toBe(seen.in);
    expect((receipt?.headBytesIn ?? 0) + 4).toBe(seen.out);
  });

  test("also where it broke off in the middle", async () => {
    const port = await startSockets((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", () =>
          socket.resetAndDestroy(),
        );
      });
    });
    const origin = `http://127.0.0.1:${port}`;
    const { door, receipts } = openDoor([origin]);
    const response = await door.open(use)(origin);
    await expect(response.text()).rejects.toThrow("terminated");
    await door.close();
    expect(receipts()[0]).toMatchObject({ bodyBytesIn: 3, sha256In: sha256("abc"), status: 200 });
  });
});

describe("where a name leads", () => {
  const to =
    (...addresses: string[]): Resolve =>
    () =>
      Promise.resolve(
        addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
      );

  test.each([
    ["cloud.test", ["127.0.0.1"]],
    ["cloud.test", ["10.1.2.3", "192.168.0.1"]],
    ["cloud.test", ["169.254.169.254"]],
    ["cloud.test", ["::ffff:127.0.0.1"]],
    ["cloud.test", ["fd00::1", "fe80::1", "::1"]],
    ["cloud.test", ["0.0.0.0"]],
    ["nas.local", ["93.184.216.34"]],
    ["nas.home.arpa", ["2606:2800:220:1::1"]],
    ["box.localhost", ["192.168.1.5"]],
  ])("%s at %j is not gone to", async (host, addresses) => {
    const { door, receipts } = openDoor([`http://${host}`], { resolve: to(...addresses) });
    await expect(door.open(use)(`http://${host}/`)).rejects.toThrow(
      /cannot be reached \(its name leads to .*address/,
    );
    expect(receipts()[0]).toMatchObject({ headBytesOut: 0, status: null });
  });

  test("a name at home goes to the address that was checked, whatever it leads to next", async () => {
    const seen = { in: 0, out: 0 };
    const bytes = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    const port = await startSockets(answering(bytes, seen));
    const answers = [["127.0.0.1"], ["93.184.216.34"]];
    let asked = 0;
    const resolve: Resolve = (name) => to(...(answers[asked++] ?? []))(name);
    const origin = `http://nas.local:${port}`;
    const { door } = openDoor([origin], { resolve });
    expect(await (await door.open(use)(origin)).text()).toBe("ok");
    expect(asked).toBe(1);
  });
});

describe("local-only mode", () => {
  test("refuses every cloud before its name is looked up, and leaves home and platforms alone", async () => {
    const seen = { in: 0, out: 0 };
    const bytes = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    const port = await startSockets(answering(bytes, seen));
    const asked: string[] = [];
    const resolve: Resolve = (name) => {
      asked.push(name);
      return Promise.reject(new Error("no such name"));
    };
    const here = `http://127.0.0.1:${port}`;
    const { door, receipts } = openDoor(["https://cloud.test", here], {
      resolve,
      localOnly: (taskId) => Promise.resolve(taskId === "task-1"),
    });
    door.allow({ purpose: "chat", origin: "https://chat.test", linksOut: false, platform: true });
    await expect(door.open(use)("https://cloud.test/v1")).rejects.toMatchObject({
      code: "door.local-only",
    });
    // What no rule names is refused by the same wall, which says more than that.
    await expect(door.open(use)("https://other.test/")).rejects.toMatchObject({
      code: "door.local-only",
    });
    expect([asked, receipts()]).toEqual([[], []]);
    expect(await (await door.open(use)(here)).text()).toBe("ok");
    const chat = door.open({ purpose: "chat", taskId: "task-1" });
    await expect(chat("https://chat.test/")).rejects.toMatchObject({ code: "door.unreachable" });
    const other = door.open({ ...use, taskId: "task-2" });
    await expect(other("https://cloud.test/")).rejects.toMatchObject({ code: "door.unreachable" });
    expect(asked).toEqual(["chat.test", "cloud.test"]);
  });

  test("holds for what a server at home sends elsewhere", async () => {
    const bytes =
      "HTTP/1.1 302 Found\r\nlocation: https://cloud.test/\r\ncontent-length: 0\r\n\r\n";
    const port = await startSockets(answering(bytes, { in: 0, out: 0 }));
    const here = `http://127.0.0.1:${port}`;
    const { door } = openDoor([here, "https://cloud.test"], {
      localOnly: () => Promise.resolve(true),
    });
    await expect(door.open(use)(here)).rejects.toMatchObject({ code: "door.local-only" });
  });
});

describe("a proxy", () => {
  function proxying(seen: string[]) {
    return (socket: Socket): void => {
      socket.once("data", (data: Buffer) => {
        seen.push(data.toString("latin1"));
        socket.end("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
      });
    };
  }

  test("of the owner's carries what goes beyond the home network, with its credentials, and nothing else", async () => {
    const seen: string[] = [];
    const proxyPort = await startSockets(proxying(seen));
    const bytes = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    const port = await startSockets(answering(bytes, { in: 0, out: 0 }));
    const here = `http://127.0.0.1:${port}`;
    const { door } = openDoor(["https://cloud.test", here], {
      proxy: { url: `http://127.0.0.1:${proxyPort}`, authorization: () => "Basic c2VjcmV0" },
    });
    expect(await (await door.open(use)(here)).text()).toBe("ok");
    expect(seen).toEqual([]);
    await expect(door.open(use)("https://cloud.test/v1")).rejects.toThrow("cannot be reached");
    expect(seen[0]).toMatch(/^CONNECT cloud\.test:443 HTTP\/1\.1\r\n/);
    expect(seen[0]?.toLowerCase()).toContain("proxy-authorization: basic c2vjcmv0");
  });

  test("of the environment is not used", async () => {
    const seen: string[] = [];
    const proxyPort = await startSockets(proxying(seen));
    const before = { ...process.env };
    onTestFinished(() => {
      process.env = before;
    });
    for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"]) {
      process.env[name] = `http://127.0.0.1:${proxyPort}`;
    }
    const resolve: Resolve = () => Promise.reject(new Error("no such name"));
    const { door } = openDoor(["https://cloud.test", "http://cloud.test"], { resolve });
    await expect(door.open(use)("https://cloud.test/")).rejects.toThrow("cannot be reached");
    await expect(door.open(use)("http://cloud.test/")).rejects.toThrow("cannot be reached");
    expect(seen).toEqual([]);
  });
});
