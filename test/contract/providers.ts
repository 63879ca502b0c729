import type { Clock } from "../../src/core/clock.ts";
import type { Door } from "../../src/core/http.ts";
import type { Model, ModelLimits } from "../../src/core/model.ts";
import { createSecret } from "../../src/core/secret.ts";
import { createAnthropicModel } from "../../src/models/anthropic.ts";
import { createOllamaModel } from "../../src/models/ollama.ts";
import { createOpenAiModel } from "../../src/models/openai.ts";
import { quirksOf } from "../../src/models/openai-wire.ts";
import { startFakeAnthropic } from "../fakes/anthropic.ts";
import { startFakeOllama } from "../fakes/ollama.ts";
import { fakeKey, startFakeOpenAi } from "../fakes/openai.ts";
import type { StartServer } from "../fakes/server.ts";

const limits: ModelLimits = {
  contextTokens: 2048,
  promptBudget: 2000,
  tools: true,
  bare: false,
  maxAnswerTokens: 100,
};

/** Where providers are tried: how a server is started, and the door that leads to it. */
export interface Ground {
  readonly clock: Clock;
  readonly start: StartServer;
  readonly door: (origin: string) => Door;
}

/** A provider's model whose server plays a scenario, and what happened at the server. */
export interface Opened {
  readonly model: Model;
  /** Resolves when the client has gone away before its answer was whole. */
  readonly aborted: Promise<void>;
}

/** A provider under test. */
export interface Provider {
  readonly name: string;
  /** `key` is what the owner configured. */
  open(scenario: string, key?: string): Promise<Opened>;
  /** Scenarios that this provider's protocol does not have, and why. */
  readonly lacks: Readonly<Record<string, string>>;
  /** Codes of failures, where they are not those of most. */
  readonly codes: Readonly<Record<string, string>>;
}

/** What the model of a service at this address is made of. */
export function serviceAt(
  ground: Ground,
  address: { readonly url: string; readonly model: string; readonly key?: string | undefined },
) {
  const { url, model, key = fakeKey } = address;
  const door = ground.door(new URL(url).origin);
  return {
    id: `service/${model}`,
    service: {
      model,
      url,
      version: "/v1" as string | undefined,
      key: "TEST_API_KEY",
      secrets: (name: string) => (key === "" ? undefined : createSecret(name, key)),
    },
    limits,
    fetchFor: (taskId: string | null) => door.open({ purpose: "model", taskId }),
    clock: ground.clock,
    firstTokenMs: 5000,
    idleMs: 1000,
  };
}

/** An OpenAI-compatible model at this address. */
export function openAiAt(ground: Ground, address: Parameters<typeof serviceAt>[1]): Model {
  return createOpenAiModel({ ...serviceAt(ground, address), quirks: quirksOf(address.url) });
}

/** An Anthropic model at this address. */
export function anthropicAt(ground: Ground, address: Parameters<typeof serviceAt>[1]): Model {
  const options = serviceAt(ground, address);
  return createAnthropicModel({ ...options, service: { ...options.service, version: undefined } });
}

function ollamaAt(ground: Ground, url: string, model: string): Model {
  const door = ground.door(url);
  return createOllamaModel({
    id: `ollama/${model}`,
    url,
    model,
    limits,
    fetchFor: (taskId) => door.open({ purpose: "model", taskId }),
    clock: ground.clock,
    keepAlive: "5m",
    firstTokenMs: 5000,
    idleMs: 1000,
  });
}

/** Every provider that speaks to a server. */
export function providers(ground: Ground): Provider[] {
  return [
    {
      name: "Ollama",
      async open(scenario) {
        const { url, aborted } = await startFakeOllama(ground.start);
        const name = scenario === "rate-limit" ? "busy" : scenario;
        return { model: ollamaAt(ground, url, name), aborted };
      },
      lacks: { "wrong key": "it has no keys", refusal: "it has no such end" },
      codes: { "rate-limit": "model.unavailable", "error-line": "model.protocol" },
    },
    {
      name: "Anthropic",
      async open(model, key) {
        const { url, aborted } = await startFakeAnthropic(ground.start);
        return { model: anthropicAt(ground, { url, model, key }), aborted };
      },
      lacks: {},
      codes: {},
    },
    {
      name: "OpenAI-compatible",
      async open(model, key) {
        const { url, aborted } = await startFakeOpenAi(ground.start);
        return { model: openAiAt(ground, { url, model, key }), aborted };
      },
      lacks: {},
      codes: {},
    },
  ];
}
