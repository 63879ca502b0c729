import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { createSecret } from "../../src/core/secret.ts";
import { privacySettingsSchema } from "../../src/core/settings.ts";
import { ownNetwork } from "../../src/egress/addresses.ts";
import type { OwnersProxy } from "../../src/egress/proxy.ts";
import { exchangeOf, homewardNetwork, startCapture, startRaw } from "../fakes/capture.ts";
import { trustedCertificate } from "../fakes/certificate.ts";
import { emptyFolder } from "../fakes/folder.ts";
import { startFakeOpenAi } from "../fakes/openai.ts";
import { portOf } from "../fakes/open-server.ts";
import { run } from "../fakes/program.ts";
import { startProxy } from "../fakes/proxy.ts";
import { openDoor } from "../fakes/receipts.ts";
import { closedOrigin, startServer } from "../fakes/server.ts";

const use = { purpose: "model", taskId: "task-1" } as const;
const ruleFor = (origin: string) => ({ purpose: "model", origin, linksOut: false }) as const;

async function startPlain(): Promise<number> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.end("far"));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return portOf(server);
}

function doorThrough(proxy: OwnersProxy, origin: string) {
  return openDoor([ruleFor(origin)], { proxy, network: ownNetwork });
}

describe("the owner's proxy", () => {
  test.each(["http", "https"] as const)(
    "carries %s beyond the home network, is told the name alone, and receipts hold what goes to the far host",
    async (scheme) => {
      const certificate = scheme === "https" ? trustedCertificate("house.example") : undefined;
      const capture = await startCapture(await startPlain(), certificate);
      const { url, heads } = await startProxy();
      const origin = `${scheme}://api.house.example:${capture.port}`;
      const login = createSecret("PROXY_PASSWORD", "me:s3cret");
      const { door, receipts } = doorThrough({ url, login }, origin);
      const ask = (body: string) => door.open(use)(origin, { method: "POST", body });
      expect(await (await ask("words")).text()).toBe("far");
      expect(await (await ask("again")).text()).toBe("far");
      expect(heads[0]).toContain(`CONNECT api.house.example:${capture.port} HTTP/1.1\r\n`);
      expect(heads[0]).toContain(
        `proxy-authorization: Basic ${Buffer.from("me:s3cret").toString("base64")}\r\n`,
      );
      expect(heads.join("")).not.toContain("words");
      expect(capture.received()).not.toMatch(/proxy/i);
      const byHash = (list: readonly { sha256Out: string | null }[]) =>
        list.toSorted((a, b) => String(a.sha256Out).localeCompare(String(b.sha256Out)));
      const [asked, own] = [true, false].map((isProxys) =>
        receipts().filter(({ purpose }) => (purpose === "proxy") === isProxys),
      );
      expect(byHash(own?.map(exchangeOf) ?? [])).toEqual(byHash(capture.exchanges()));
      expect(asked).toMatchObject(
        heads.map((head) => ({
          taskId: null,
          host: new URL(url).host,
          trust: "local",
          headBytesOut: head.length,
          bodyBytesOut: 0,
          bodyBytesIn: 0,
          status: 200,
        })),
      );
    },
  );

  test("has no part in what stays at home", async () => {
    const origin = await startServer((_, response) => response.end("near"));
    const { url, heads } = await startProxy();
    const { door } = doorThrough({ url, login: undefined }, origin);
    expect(await (await door.open(use)(origin)).text()).toBe("near");
    expect(heads).toEqual([]);
  });

  test("that refuses is named, and its password is not", async () => {
    const { url, heads } = await startProxy("407 Proxy Authentication Required");
    const login = createSecret("PROXY_PASSWORD", "me:s3cret");
    const { door, receipts } = doorThrough({ url, login }, "https://api.house.example");
    await expect(door.open(use)("https://api.house.example/")).rejects.toThrow(
      /^api\.house\.example cannot be reached \(the proxy answered 407\)\.$/,
    );
    expect(heads[0]).toContain("CONNECT api.house.example:443 HTTP/1.1");
    expect(receipts()).toMatchObject([
      { purpose: "model", taskId: "task-1", headBytesOut: 0, status: null },
      { purpose: "proxy", taskId: null, headBytesOut: heads[0]?.length, status: 407 },
    ]);
  });

  test("that is not there, breaks off, or says nothing, fails the request in its time", async () => {
    const breaking = await startRaw((socket) => socket.once("data", () => socket.destroy()));
    const silent = await startRaw(() => {});
    const places = [
      [await closedOrigin(), "by the proxy: connection refused"],
      [`http://127.0.0.1:${breaking}`, "by the proxy: connection closed"],
      [`http://127.0.0.1:${silent}`, "by the proxy: no answer in time"],
    ] as const;
    for (const [url, problem] of places) {
      const { door } = doorThrough({ url, login: undefined }, "https://api.house.example");
      const fetch = door.open({ ...use, connectMs: 300 });
      await expect(fetch("https://api.house.example/")).rejects.toThrow(`(${problem})`);
    }
  });
});

test("a proxy of the environment is never used", async () => {
  const proxy = await startProxy();
  const before = { ...process.env };
  onTestFinished(() => {
    process.env = before;
  });
  for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"]) {
    process.env[name] = proxy.url;
  }
  process.env["NO_PROXY"] = "";
  const port = await startPlain();
  const origin = `http://api.house.example:${port}`;
  const { door } = openDoor([ruleFor(origin)], { network: homewardNetwork() });
  expect(await (await door.open(use)(origin)).text()).toBe("far");
  expect(proxy.heads).toEqual([]);
});

describe("the program", () => {
  /** A home whose only model is in a cloud, behind this proxy of the owner's. */
  async function homeBehind(proxy: string): Promise<string> {
    const { url } = await startFakeOpenAi("good-key");
    const far = url.replace("127.0.0.1", "api.house.example");
    const home = await emptyFolder("home");
    await mkdir(path.join(home, "config"));
    const models = `cloud: when-asked
hosts: { far: { kind: openai, url: "${far}/v1", key: OPENAI_API_KEY } }
deployments: { far: { host: far, model: plain, price: { input: 1, output: 1 } } }
tiers: { cloud-smart: [far] }
`;
    await writeFile(path.join(home, "config/models.local.yaml"), models);
    await writeFile(path.join(home, "config/privacy.local.yaml"), proxy);
    return home;
  }

  test("goes by the proxy of its settings, and by none of its environment", async () => {
    const [own, strange] = [await startProxy(), await startProxy()];
    const home = await homeBehind(`{ proxy: "${own.url}", proxy_login: PROXY_PASSWORD }`);
    const env = {
      OPENAI_API_KEY: "good-key",
      PROXY_PASSWORD: "me:s3cret-words",
      NODE_USE_ENV_PROXY: "1",
      HTTP_PROXY: strange.url,
      HTTPS_PROXY: strange.url,
      ALL_PROXY: strange.url,
    };
    const { stdout, stderr, code } = await run(home, ["--tier", "cloud", "hi"], { env });
    expect([stdout.trim(), code]).toEqual(["Hello, wörld 😀.", 0]);
    expect(own.heads).toHaveLength(1);
    expect(own.heads[0]).toContain("CONNECT api.house.example:");
    expect(own.heads[0]).toContain(Buffer.from("me:s3cret-words").toString("base64"));
    expect(strange.heads).toEqual([]);
    expect(stderr).not.toContain("s3cret");
  });

  test("does not go without the proxy's password", async () => {
    const own = await startProxy();
    const home = await homeBehind(`{ proxy: "${own.url}", proxy_login: PROXY_PASSWORD }`);
    const { stderr, code } = await run(home, ["--tier", "cloud", "hi"]);
    expect([own.heads, code]).toEqual([[], 2]);
    expect(stderr).toContain(
      "config/privacy.local.yaml: the key proxy_login: there is no secret PROXY_PASSWORD: run agent setup --key PROXY_PASSWORD.",
    );
  });
});

describe("config/privacy.yaml", () => {
  test("takes a proxy's address alone", () => {
    expect(privacySettingsSchema.parse({})).toEqual({ proxy: null, proxy_login: null });
    const { proxy } = privacySettingsSchema.parse({ proxy: "http://proxy.home.arpa:3128/" });
    expect(proxy).toBe("http://proxy.home.arpa:3128");
  });

  test.each(["http://me:s3cret@proxy.home.arpa:3128", "socks5://a:1", "http://a/path", "a:1"])(
    "does not take %s",
    (proxy) => {
      expect(privacySettingsSchema.safeParse({ proxy }).success).toBe(false);
    },
  );
});
