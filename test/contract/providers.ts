import { systemClock } from "../../src/core/clock.ts";
import type { Model } from "../../src/core/model.ts";
import { createSecret, type Secrets } from "../../src/core/secret.ts";
import { createDoor } from "../../src/egress/door.ts";
import { type MakeDeps, makeModel } from "../../src/models/make-model.ts";
import { createFakeAnthropic } from "../fakes/anthropic.ts";
import { createFakeOllama } from "../fakes/ollama.ts";
import { openServer } from "../fakes/open-server.ts";
import { createFakeOpenAi } from "../fakes/openai.ts";

import { ask } from "./ask.ts";
import { badKey } from "./model-cases.ts";
import type { OpenedSubject } from "./model.ts";

type HostSettings = Parameters<typeof makeModel>[1];

/** A provider on its fake server: what it is named, and the subject of a case or why there is none. */
export interface Provider {
  readonly name: string;
  open(caseName: string): Promise<OpenedSubject | string>;
}

/** The scenario of each case; a fake plays "plain" for what is not named. */
const scenarios: Readonly<Record<string, string>> = {
  "several tools in a turn": "tools",
  thinking: "thinking",
  "unicode cut across chunks": "plain-bytes",
  "cancel in the middle": "slow",
  "consumer leaves": "slow",
  "stream cut": "cut",
  "connection reset": "reset",
  "error in the stream": "error-line",
  "rate limit": "rate",
  "revoked key": "revoked",
  "context too long": "overflow",
  "answer cut at its limit": "length",
  refusal: "refusal",
  "model that does not exist": "missing",
  "server answers HTML": "html",
};

const goodKey = "good-key";

/** The key that the owner has configured in a case. */
function secretsFor(caseName: string): Secrets {
  if (caseName === "no key") return () => undefined;
  return (name) => createSecret(name, caseName === "wrong key" ? badKey : goodKey);
}

interface Fake {
  readonly listener: Parameters<typeof openServer>[0];
  readonly aborted: Promise<void>;
}

/** How a provider is reached: its fake, its settings for an origin, and the cases that cannot be. */
interface Setup {
  readonly name: string;
  readonly fake: () => Fake;
  readonly host: (origin: string, caseName: string) => NonNullable<HostSettings>;
  readonly cannot: Readonly<Record<string, string>>;
}

function deployment(model: string) {
  return { host: "h", model, context: 8192, max_answer: 100, tools: true, weight: 1 };
}

/** One model for both: a long request is answered by the slow scenario. */
function both(usual: Model, slow: Model): Model {
  return {
    ...usual,
    stream: (request, signal) =>
      (request.messages[0]?.text === "long" ? slow : usual).stream(request, signal),
  };
}

function provider({ name, fake: start, host, cannot }: Setup): Provider {
  return {
    name,
    async open(caseName) {
      const reason = cannot[caseName];
      if (reason !== undefined) return reason;
      const fake = start();
      const server = await openServer(fake.listener);
      const settings = host(server.url, caseName);
      const rules = [{ purpose: "model", origin: server.url, linksOut: false } as const];
      const record = (): Promise<void> => Promise.resolve();
      const door = createDoor({
        clock: systemClock,
        record,
        onUnrecorded: () => {},
        localOnly: () => Promise.resolve(false),
        rules,
      });
      const deps: MakeDeps = {
        home: "/home/owner",
        door,
        clock: systemClock,
        secrets: secretsFor(caseName),
        readData: () => Promise.resolve({}),
      };
      const make = (model: string): Promise<Model> =>
        makeModel(deps, settings, { id: `h/${model}`, deployment: deployment(model) });
      const model = both(await make(scenarios[caseName] ?? "plain"), await make("slow"));
      if (caseName === "server is off") server.close();
      return {
        model,
        long: ask("long"),
        gone: fake.aborted,
        async close() {
          await door.close();
          server.close();
        },
      };
    },
  };
}

const ahead = { active_hours: null, options: {} };

const seconds = {
  connect_seconds: 5,
  first_token_seconds: 5,
  idle_seconds: 5,
  total_seconds: 60,
};

/** The three providers with a server, each on its fake. */
export const providers: readonly Provider[] = [
  provider({
    name: "Ollama",
    fake: createFakeOllama,
    host: (url) => ({
      kind: "ollama",
      url,
      keep_alive: "5m",
      load_seconds: 60,
      ...ahead,
      ...seconds,
    }),
    cannot: {
      "rate limit": "it queues; a full queue is model.unavailable",
      "wrong key": "it wants no key",
      "revoked key": "it wants no key",
      "no key": "it wants no key",
      refusal: "its API has no sign for it: a refusal is text",
      "base address without /v1": "its client adds the path",
    },
  }),
  provider({
    name: "Anthropic",
    fake: () => createFakeAnthropic(goodKey),
    host: (url) => ({ kind: "anthropic", url, key: "ANTHROPIC_API_KEY", ...seconds }),
    cannot: { "base address without /v1": "its client adds the path" },
  }),
  provider({
    name: "OpenAI-compatible",
    fake: () => createFakeOpenAi(goodKey),
    host: (origin, caseName) => ({
      kind: "openai",
      url: caseName === "base address without /v1" ? origin : `${origin}/v1`,
      key: "OPENAI_API_KEY",
      quirks: {},
      ...seconds,
    }),
    cannot: {},
  }),
];
