import { createServer } from "node:http";
import { once } from "node:events";

import { describe, expect, onTestFinished, test } from "vitest";

import type { DoorRule } from "../../src/core/http.ts";
import { createLookup, type Network } from "../../src/egress/addresses.ts";
import { portOf } from "../fakes/open-server.ts";
import { openDoor } from "../fakes/receipts.ts";
import { startServer } from "../fakes/server.ts";

const familyOf = (address: string): number => (address.includes(":") ? 6 : 4);

function networkOf(...addresses: readonly string[]): Network {
  const found = addresses.map((address) => ({ address, family: familyOf(address) }));
  return { resolve: () => Promise.resolve(found), dial: (address) => address };
}

/** What a connection to a name would be made to; rejects as the connection would. */
function dialled(host: string, ...addresses: readonly string[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    createLookup(networkOf(...addresses))(host, { all: true }, (error, found) => {
      if (error !== null) reject(error);
      else if (typeof found !== "string") resolve(found.map(({ address }) => address));
    });
  });
}

describe("a name that is not at home", () => {
  test.each([
    ["1.1.1.1"],
    ["100.63.255.255"],
    ["100.128.0.1"],
    ["172.15.255.255"],
    ["172.32.0.1"],
    ["192.0.1.1"],
    ["198.17.1.1"],
    ["198.20.0.1"],
    ["223.255.255.255"],
    ["2606:4700::1111"],
    ["2a00:1450:4001::1"],
    ["64:ff9b::1.1.1.1"],
    ["::ffff:1.1.1.1"],
    ["203.0.113.80"],
  ])("may lead to %s", async (address) => {
    expect(await dialled("api.example", address)).toEqual([address]);
  });

  test.each([
    ["0.0.0.0"],
    ["10.1.2.3"],
    ["100.64.0.1"],
    ["127.0.0.1"],
    ["169.254.169.254"],
    ["172.16.0.1"],
    ["172.31.255.255"],
    ["192.0.0.8"],
    ["192.88.99.1"],
    ["192.168.1.1"],
    ["198.18.0.1"],
    ["198.19.255.255"],
    ["224.0.0.251"],
    ["240.0.0.1"],
    ["255.255.255.255"],
    ["::"],
    ["::1"],
    ["::ffff:127.0.0.1"],
    ["::ffff:c0a8:101"],
    ["64:ff9b::10.0.0.1"],
    ["64:ff9b:1::1"],
    ["100::1"],
    ["2001::1"],
    ["2001:db8::1"],
    ["2002:7f00:1::"],
    ["3fff::1"],
    ["5f00::1"],
    ["fc00::1"],
    ["fd12::1"],
    ["fe80::1"],
    ["fe80::1%eth0"],
    ["fec0::1"],
    ["ff02::fb"],
  ])("may not lead to %s", async (address) => {
    const refused = dialled("api.example", address);
    await expect(refused).rejects.toMatchObject({ code: "door.not-public" });
    await expect(refused).rejects.toThrow(`leads to ${address}, which is not`);
  });

  test("may not lead to one such address among others", async () => {
    const refused = dialled("api.example", "1.1.1.1", "127.0.0.1");
    await expect(refused).rejects.toMatchObject({ code: "door.not-public" });
  });
});

describe("a name that is at home by its ending", () => {
  test.each([
    ["nas.local", "192.168.1.9"],
    ["nas.home.arpa", "fd12::9"],
    ["nas.local", "fe80::9%eth0"],
    ["nas.local", "127.0.0.1"],
    ["nas.home.arpa", "100.101.102.103"],
    ["box.localhost", "127.0.0.1"],
    ["box.localhost", "::1"],
  ])("%s may lead to %s", async (host, address) => {
    expect(await dialled(host, address)).toEqual([address]);
  });

  test.each([
    ["nas.local", "1.1.1.1"],
    ["nas.home.arpa", "2606:4700::1111"],
    ["nas.local", "198.18.0.1"],
    ["nas.local", "::ffff:1.1.1.1"],
    ["box.localhost", "192.168.1.9"],
    ["box.localhost", "93.184.215.14"],
  ])("%s may not lead to %s", async (host, address) => {
    const refused = dialled(host, address);
    await expect(refused).rejects.toMatchObject({ code: "door.not-home" });
    await expect(refused).rejects.toThrow(`leads to ${address} outside it`);
  });

  test("is reached at those of its addresses alone that are", async () => {
    expect(await dialled("nas.local", "2606:4700::1", "192.168.1.9")).toEqual(["192.168.1.9"]);
  });
});

const use = { purpose: "model", taskId: null } as const;
const ruleFor = (origin: string): DoorRule => ({ purpose: "model", origin, linksOut: false });

describe("the door", () => {
  test("sends nothing to a server on this machine that a name of the internet leads to", async () => {
    let connections = 0;
    const origin = await startServer((_, response) => {
      connections += 1;
      response.end("secret");
    });
    const far = origin.replace("127.0.0.1", "rebound.example");
    for (const platform of [false, true]) {
      const rules = [{ ...ruleFor(far), platform }];
      const { door } = openDoor(rules, { network: networkOf("127.0.0.1") });
      await expect(door.open(use)(far)).rejects.toThrow(
        "rebound.example should be on the internet by its name and leads to 127.0.0.1, which is not, so nothing was sent",
      );
    }
    expect(connections).toBe(0);
  });

  test("resolves a name once for a connection, and tries the checked addresses in turn", async () => {
    const server = createServer((_, response) => response.end("here")).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const origin = `http://nas.local:${portOf(server)}`;
    const asked: string[] = [];
    const network: Network = {
      resolve(hostname) {
        asked.push(hostname);
        // The first is closed; were the name resolved again it would lead elsewhere.
        const answers = ["::1", "127.0.0.1"].map((address) => ({
          address,
          family: familyOf(address),
        }));
        return Promise.resolve(asked.length === 1 ? answers : [{ address: "1.1.1.1", family: 4 }]);
      },
      dial: (address) => address,
    };
    const { door } = openDoor([ruleFor(origin)], { network });
    expect(await (await door.open(use)(origin)).text()).toBe("here");
    expect(asked).toEqual(["nas.local"]);
  });

  test("says so when a name has no address", async () => {
    const origin = "http://nowhere.example";
    const { door } = openDoor([ruleFor(origin)], { network: networkOf() });
    await expect(door.open(use)(origin)).rejects.toThrow("(name not found)");
  });
});

describe("an address in the place of a name", () => {
  /** A door that asks for no name; nothing that a test dials may lie beyond this machine. */
  function doorTo(rules: readonly DoorRule[]) {
    const network: Network = {
      resolve: () => Promise.reject(new Error("asked")),
      dial: (address) => address,
    };
    return openDoor(rules, { network });
  }

  test.each(["127.0.0.1", "2130706433", "0x7f000001", "017700000001", "0x7f.1", "127.1"])(
    "%s is this machine, however it is spelled",
    async (spelled) => {
      const origin = await startServer((_, response) => response.end("ok"));
      const { door, receipts } = doorTo([ruleFor(origin)]);
      const address = origin.replace("127.0.0.1", spelled);
      expect(await (await door.open(use)(address)).text()).toBe("ok");
      expect(receipts()).toMatchObject([{ trust: "local", host: new URL(origin).host }]);
    },
  );

  test.each([
    ["0.0.0.0"],
    ["0"],
    ["198.18.0.1"],
    ["3323068417"],
    ["0xc6120001"],
    ["030604400001"],
    ["224.0.0.251"],
    ["[::]"],
    ["[::ffff:127.0.0.1]"],
    ["[::ffff:a00:1]"],
    ["[::127.0.0.1]"],
    ["[64:ff9b::127.0.0.1]"],
    ["[2002:7f00:1::]"],
    ["[ff02::fb]"],
  ])("%s is not connected to, whoever names it", async (host) => {
    let connections = 0;
    const server = await startServer((_, response) => {
      connections += 1;
      response.end("secret");
    });
    const { port } = new URL(server);
    const { origin } = new URL(`http://${host}:${port}`);
    const webSocket = origin.replace("http", "ws");
    const own = doorTo([origin, webSocket].map((one) => ({ ...ruleFor(one), platform: true })));
    await expect(own.door.open(use)(origin)).rejects.toMatchObject({ code: "door.no-host" });
    await expect(own.door.relay(use, webSocket)).rejects.toMatchObject({ code: "door.no-host" });
    const page = "https://pages.example";
    const linking = doorTo([{ ...ruleFor(page), linksOut: true }]);
    const linked = linking.door.open({ ...use, linkedFrom: page });
    await expect(linked(`https://${host}:${port}`)).rejects.toMatchObject({ code: "door.no-host" });
    expect([connections, own.receipts(), linking.receipts()]).toEqual([0, [], []]);
  });

  test("is told of only where a rule allows it", async () => {
    const { door } = doorTo([]);
    await expect(door.open(use)("http://0.0.0.0")).rejects.toMatchObject({ code: "door.refused" });
  });
});
