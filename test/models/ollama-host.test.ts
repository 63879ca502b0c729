import { expect, test } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import { createOllamaHost } from "../../src/models/clients/ollama-host.ts";
import { startFakeOllama } from "../fakes/ollama.ts";
import { openDoor } from "../fakes/receipts.ts";
import { closedOrigin, startServer } from "../fakes/server.ts";

function openAt(url: string) {
  const { door, receipts } = openDoor([{ purpose: "model", origin: url, linksOut: false }]);
  const fetch = door.open({ purpose: "model", taskId: null });
  const host = createOllamaHost({ url, fetch, pulling: fetch, clock: systemClock });
  return { host, receipts };
}

const hostAt = (url: string) => openAt(url).host;

test("tells its version, whether its cloud is on, and what it has", async () => {
  const host = hostAt((await startFakeOllama()).url);
  expect([await host.version(), await host.cloudIsOn()]).toEqual(["0.24.0", false]);
  const installed = await host.installed();
  expect(installed.map(({ name, tools, remote }) => [name, tools, remote])).toEqual([
    ["plain:latest", false, false],
    ["tools:latest", true, false],
    ["thinking:latest", false, false],
    ["remote:latest", false, true],
  ]);
});

test("a download's progress never goes back, though its layers come mixed", async () => {
  const host = hostAt((await startFakeOllama()).url);
  const steps = await Array.fromAsync(host.pull("plain", new AbortController().signal));
  expect(steps.map((step) => step.completedBytes)).toEqual([0, 0, 60, 100, 100, 140, 200, 200]);
  expect(steps.at(-1)).toEqual({ status: "success", completedBytes: 200, totalBytes: 200 });
});

test("a model that no registry has, a registry out of reach, and one that would not run here, are one sentence each", async () => {
  const host = hostAt((await startFakeOllama()).url);
  const pull = (name: string) => Array.fromAsync(host.pull(name, new AbortController().signal));
  await expect(pull("missing")).rejects.toThrow(
    "Ollama knows no model missing to download: its names are at ollama.com/library, and agent models lists those that run in this program.",
  );
  await expect(pull("offline")).rejects.toThrow(
    "offline could not be downloaded (dial tcp: lookup registry.ollama.ai: no such host): run agent models pull offline to go on where it stopped.",
  );
  await expect(pull("big:cloud")).rejects.toThrow("it would not run on this machine");
});

test("a host that is off is one sentence", async () => {
  await expect(hostAt(await closedOrigin()).installed()).rejects.toThrow(
    "does not answer (connection refused)",
  );
});

test("a model that only its description shows to be remote is one", async () => {
  const fake = await startFakeOllama();
  const listed = JSON.stringify({ models: [{ name: "remote", size: 1 }] });
  const url = await startServer((request, response) => {
    if (request.url === "/api/tags") response.end(listed);
    else fake.listener(request, response);
  });
  expect(await hostAt(url).installed()).toMatchObject([{ name: "remote", remote: true }]);
});

test("a host that is too old to say something is heard out, so that its receipt is whole", async () => {
  // As much as no buffer holds, so that it comes in only where somebody reads it.
  const page = "404 page not found".repeat(100_000);
  const url = await startServer((_, response) => response.writeHead(404).end(page));
  const { host, receipts } = openAt(url);
  expect(await host.cloudIsOn()).toBeUndefined();
  expect(receipts()).toMatchObject([{ status: 404, bodyBytesIn: page.length }]);
});
