import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { expect, test } from "vitest";

import { type Clock, systemClock } from "../../src/core/clock.ts";
import { checkSpace, download, type Wanted } from "../../src/models/download.ts";
import { emptyFolder } from "../fakes/folder.ts";
import { openDoor } from "../fakes/receipts.ts";
import { startServer } from "../fakes/server.ts";

/** Waits between tries are nothing, deadlines stay what they are. */
const impatient: Clock = {
  ...systemClock,
  sleep: (ms, signal) => (ms < 10_000 ? Promise.resolve() : systemClock.sleep(ms, signal)),
};

const content = randomBytes(300_000);
const sha256 = createHash("sha256").update(content).digest("hex");

interface FileServer {
  readonly url: string;
  /** The range headers seen, in order. */
  readonly ranges: (string | undefined)[];
  /** Told what a client has; a connection that is to be cut there is. */
  readonly reached: (bytes: number) => void;
}

/** Serves the content; breaks off the first `cuts` times, when the client has what came until then: a break drops the rest. */
async function serve(options: { cuts?: number; ranges?: boolean } = {}): Promise<FileServer> {
  const ranges: (string | undefined)[] = [];
  const cut: { at: number; now: () => void } = { at: Number.POSITIVE_INFINITY, now: () => {} };
  const url = await startServer((request, response) => {
    const { range } = request.headers;
    ranges.push(range);
    const start = options.ranges === false ? 0 : Number(/bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0);
    response.writeHead(start > 0 ? 206 : 200, { "content-length": content.length - start });
    if (ranges.length <= (options.cuts ?? 0)) {
      cut.at = start + 100_000;
      cut.now = () => response.destroy();
      response.write(content.subarray(start, cut.at));
    } else response.end(content.subarray(start));
  });
  return { url, ranges, reached: (bytes) => bytes >= cut.at && cut.now() };
}

async function fetchInto(server: FileServer, own: Partial<Wanted> = {}) {
  const folder = await emptyFolder("download");
  const target = path.join(folder, "model.gguf");
  const { door } = openDoor([{ purpose: "model-download", origin: server.url, linksOut: false }]);
  const seen: number[] = [];
  const run = (): Promise<void> =>
    download(
      { name: "model", url: `${server.url}/file`, target, size: content.length, sha256, ...own },
      {
        fetch: door.open({ purpose: "model-download", taskId: null }),
        clock: impatient,
        signal: new AbortController().signal,
        onProgress({ completedBytes }) {
          seen.push(completedBytes);
          server.reached(completedBytes);
        },
      },
    );
  return { run, target, seen };
}

test("a download cut off twice goes on where it broke", async () => {
  const server = await serve({ cuts: 2 });
  const { run, target, seen } = await fetchInto(server);
  await run();
  expect((await readFile(target)).equals(content)).toBe(true);
  expect(server.ranges.slice(0, 3)).toEqual([undefined, "bytes=100000-", "bytes=200000-"]);
  expect(seen.at(-1)).toBe(content.length);
});

test("what an earlier process left is gone on with", async () => {
  const server = await serve();
  const { run, target } = await fetchInto(server);
  await writeFile(`${target}.part`, content.subarray(0, 250_000));
  await run();
  expect(server.ranges).toEqual(["bytes=250000-"]);
  expect((await readFile(target)).equals(content)).toBe(true);
});

test("a file that is here and right is not fetched again, one that is wrong is deleted", async () => {
  const server = await serve();
  const { run, target } = await fetchInto(server);
  await writeFile(target, content);
  await run();
  expect(server.ranges).toEqual([]);
  await writeFile(target, "damaged");
  await expect(run()).rejects.toMatchObject({ code: "download.corrupt" });
  expect(existsSync(target)).toBe(false);
});

test("a server without ranges is started over", async () => {
  const server = await serve({ ranges: false });
  const { run, target } = await fetchInto(server);
  await writeFile(`${target}.part`, randomBytes(1000));
  await run();
  expect((await readFile(target)).equals(content)).toBe(true);
});

test("a file of another hash is deleted and never appears", async () => {
  const { run, target } = await fetchInto(await serve(), { sha256: "0".repeat(64) });
  await expect(run()).rejects.toMatchObject({ code: "download.corrupt" });
  expect([existsSync(target), existsSync(`${target}.part`)]).toEqual([false, false]);
});

test("a server that refuses is given up with the way to go on", async () => {
  const url = await startServer((_, response) => response.writeHead(500).end());
  const { run } = await fetchInto({ url, ranges: [], reached: () => {} });
  await expect(run()).rejects.toThrow(
    "model could not be downloaded (status 500): run agent models pull model to go on where it stopped.",
  );
});

test("a disk without room is told before anything is fetched", async () => {
  await expect(checkSpace("model", await emptyFolder("space"), 1e18)).rejects.toThrow(
    /^model needs 1000000000000 MB of disk and \d+ MB is free/,
  );
});
