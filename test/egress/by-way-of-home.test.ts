import { describe, expect, test } from "vitest";

import { departureLines, departuresOf } from "../../src/core/departures.ts";
import { never } from "../contract/ask.ts";
import { createFakeOllama } from "../fakes/ollama.ts";
import { startServer } from "../fakes/server.ts";

import { openHouse } from "./house.ts";

/*
 * A server at home that goes on to a cloud with what it is asked: an Ollama that is told to pull, one that has a cloud's model under a
 * plain name, and any server that takes names which an Ollama passes on. What is wired here is the program's, from its settings to its
 * receipts.
 */

const shut = { rule: "local-only", chatId: null } as const;

/** A program whose Ollama is a server on loopback, which also takes what other clients ask. */
async function openHome(leaky: boolean) {
  const ollama = createFakeOllama();
  const others: string[] = [];
  const url = await startServer((request, response) => {
    if (request.url?.startsWith("/v1") !== true) return ollama.listener(request, response);
    others.push(request.url);
    response.end();
    return undefined;
  });
  const house = await openHouse({ port: 1 }, leaky, {
    hosts: {
      here: { kind: "ollama", url },
      gpt: { kind: "openai", url: `${url}/v1`, key: "OPENAI_API_KEY" },
      claude: { kind: "anthropic", url },
    },
    deployments: {
      near: { host: "here", model: "remote-answer" },
      gpt: { host: "gpt", model: "gpt-oss:120b-Cloud" },
      claude: { host: "claude", model: "qwen3:cloud" },
    },
  });

  async function askModel(id: string): Promise<string> {
    const deployment = house.settings.deployments[id];
    if (deployment === undefined) throw new Error("no deployment");
    const model = await house.sources.open(id, deployment);
    const request = { messages: [{ role: "user" as const, text: "hi" }], tools: [], maxTokens: 9 };
    const carried = { taskId: house.task.id, labels: ["personal"] as const, redactions: 0 };
    let last = "";
    for await (const event of model.stream({ ...request, ...carried }, never)) {
      if (event.type === "stop") last = event.failure?.code ?? event.reason;
    }
    return last;
  }

  const seen = (): string[] => [...ollama.paths, ...others];
  return { ...house, url, seen, askModel };
}

describe("in local-only mode", () => {
  test("no Ollama is told to pull, and the sentence says why and what to do", async () => {
    const { store, models, seen, url, receipts } = await openHome(true);
    await store.setRule(shut, true);
    await expect(models.pull("plain", never)).rejects.toThrow(
      `Local-only mode is on, so nothing was sent to ${new URL(url).host}, which would go to a cloud with it: run agent privacy local-only off to end that mode.`,
    );
    expect([seen(), receipts.size]).toEqual([[], 0]);
    await store.setRule(shut, false);
    await models.pull("plain", never);
    expect(seen()).toEqual(["/api/pull"]);
  });

  test.each(["gpt", "claude"])(
    "a cloud's model behind an address at home is not asked by %s",
    async (id) => {
      const { store, task, askModel, seen } = await openHome(true);
      await store.setRule({ rule: "local-only", chatId: task.chatId }, true);
      expect([await askModel(id), seen()]).toEqual(["door.local-only", []]);
    },
  );
});

test.each(["gpt", "claude"])(
  "a cloud's model behind an address at home is on record as a cloud, by %s",
  async (id) => {
    const { store, task, door, askModel, seen } = await openHome(false);
    await askModel(id);
    await door.close();
    expect(seen()).toHaveLength(1);
    const stored = await store.receipts(task.id);
    expect(stored).toMatchObject([{ trust: "cloud", labels: ["personal"] }]);
    expect(departureLines(departuresOf(stored))[0]).toMatch(/^To a cloud, by way of 127\.0\.0\.1:/);
  },
);

test("an answer that came from a cloud is on record as such", async () => {
  const { store, task, door, askModel } = await openHome(false);
  expect(await askModel("near")).toBe("model.passed-on");
  await door.close();
  const [asked, ...others] = (await store.receipts(task.id)).toSorted(
    (a, b) => b.bodyBytesOut - a.bodyBytesOut,
  );
  expect(asked).toMatchObject({ trust: "cloud", labels: ["personal"], status: 200 });
  expect(others.every(({ trust }) => trust === "local")).toBe(true);
});

test.each(["gpt", "claude"])(
  "once the owner allows no cloud any more, one behind an address at home is shut for what is under way, by %s",
  async (id) => {
    const { sources, models, askModel, seen } = await openHome(true);
    sources.shutClouds();
    expect([await askModel(id), seen()]).toEqual(["door.refused", []]);
    // A model is still pulled, which sends nothing of a person.
    await models.pull("plain", never);
    expect(seen()).toEqual(["/api/pull"]);
  },
);
