import { describe, expect, onTestFinished, test } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import { AppError } from "../../src/core/errors.ts";
import { operationsOver } from "../../src/core/operations.ts";
import { connectToHolder } from "../../src/service/client.ts";
import { openControlServer } from "../../src/service/server.ts";
import { emptyFolder } from "../fakes/folder.ts";

/** A holder whose download never ends by itself, a client of it, and what was taken for a bug. */
async function setUp() {
  const folder = await emptyFolder("stopped");
  const bugs: unknown[] = [];
  const pulling = Promise.withResolvers<void>();
  const refuse = (): Promise<never> => Promise.reject(new AppError("service.stopping"));
  const server = await openControlServer({
    folder,
    hello: { protocol: 1, version: "1", pid: process.pid, kind: "service" },
    async onBug(error) {
      bugs.push(error);
    },
    operations: {
      ...operationsOver(refuse),
      pull: (_, watch) =>
        new Promise((__, reject) => {
          watch?.signal?.addEventListener("abort", () => reject(watch.signal?.reason));
          pulling.resolve();
        }),
    },
  });
  const client = await connectToHolder({ folder, clock: systemClock, onSaid: () => {} });
  onTestFinished(() => client?.close());
  if (client === undefined) throw new Error("nobody answers");
  return { server, client, bugs, pulling: pulling.promise };
}

const stopped = expect.objectContaining({ code: "task.cancelled" });

describe("a call that is stopped", () => {
  test("by its client is told as stopped, and is no bug", async () => {
    const { client, server, bugs } = await setUp();
    const stop = new AbortController();
    const pull = client.operations.pull({ name: "m" }, { signal: stop.signal });
    stop.abort();
    await expect(pull).rejects.toEqual(stopped);
    await server.close();
    expect(bugs).toEqual([]);
  });

  test("by a service that ends holds its end up no longer", async () => {
    const { client, server, pulling } = await setUp();
    const pull = client.operations.pull({ name: "m" });
    const outcome = Promise.allSettled([pull]);
    await pulling;
    server.abort();
    await server.close();
    expect(await outcome).toEqual([{ status: "rejected", reason: stopped }]);
  });
});
