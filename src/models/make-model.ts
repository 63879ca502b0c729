import path from "node:path";

import type { Clock } from "#core/clock.ts";
import { AppError, reasonOf } from "#core/errors.ts";
import type { Door, Fetch } from "#core/http.ts";
import type { Carried, Model, ModelLimits } from "#core/model.ts";
import type { Secrets } from "#core/secret.ts";
import type { DeploymentSettings, HostSettings } from "#core/settings.ts";
import type { Trust } from "#core/trust.ts";

import { isWithin } from "./clients/active-hours.ts";
import { createAnthropicModel } from "./clients/anthropic.ts";
import { createOllamaModel } from "./clients/ollama.ts";
import { createOpenAiModel } from "./clients/openai.ts";
import { quirksOf } from "./clients/openai-wire.ts";
import { createScriptedModel, parseScript } from "./clients/scripted.ts";
import { type ServiceOptions, trustOfService } from "./clients/service.ts";

/** What models of hosts are made with. */
export interface MakeDeps {
  readonly home: string;
  readonly door: Door;
  readonly clock: Clock;
  /** Asked at each request, so that a key is never kept. */
  readonly secrets: Secrets;
  /** Reads a YAML or JSON file of the owner's. */
  readonly readData: (file: string) => Promise<unknown>;
  /** Told where a host turned out to have another model than it lists. */
  readonly changed?: () => void;
}

/** A deployment and its id. */
interface Named {
  readonly id: string;
  readonly deployment: DeploymentSettings;
}

type Host<Kind> = Extract<HostSettings, { kind: Kind }>;

function limitsOf({
  context,
  max_answer: maxAnswerTokens,
  tools,
}: DeploymentSettings): ModelLimits {
  return { contextTokens: context, promptBudget: 2000, tools, bare: false, maxAnswerTokens };
}

/** The way through the door of requests to a host. */
function fetchesOf(
  { door }: MakeDeps,
  { connect_seconds }: { readonly connect_seconds: number },
  trust?: Trust,
) {
  const further = trust === "cloud" ? { trust } : {};
  const use = { purpose: "model", connectMs: connect_seconds * 1000, ...further } as const;
  return ({ taskId, labels = [], redactions = 0 }: Carried): Fetch =>
    door.open({ ...use, taskId, labels, redactions });
}

async function scripted(deps: MakeDeps, host: Host<"scripted">, { id }: Named): Promise<Model> {
  const file = path.resolve(deps.home, host.script);
  try {
    const script = parseScript(await deps.readData(file));
    return createScriptedModel({ id, script, clock: deps.clock });
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("config.invalid", { file, problem: reasonOf(error) }, { cause: error });
  }
}

function ollama(deps: MakeDeps, host: Host<"ollama">, { id, deployment }: Named): Model {
  const { active_hours: active } = host;
  const isActive = (): boolean => active !== null && isWithin(active, deps.clock.now());
  return createOllamaModel({
    id,
    url: new URL(host.url).origin,
    model: deployment.model,
    limits: limitsOf(deployment),
    fetchFor: fetchesOf(deps, host),
    passedOn(response) {
      deps.door.passedOn(response);
      deps.changed?.();
    },
    clock: deps.clock,
    keepAlive: () => (isActive() ? (active?.keep_alive ?? host.keep_alive) : host.keep_alive),
    loadsAhead: isActive,
    runner: host.options,
    loadMs: host.load_seconds * 1000,
    firstTokenMs: host.first_token_seconds * 1000,
    idleMs: host.idle_seconds * 1000,
  });
}

function serviceOptions(
  deps: MakeDeps,
  host: Host<"anthropic" | "openai">,
  { id, deployment }: Named,
): ServiceOptions {
  const { clock, secrets } = deps;
  const version = host.kind === "openai" ? "/v1" : undefined;
  const service = { model: deployment.model, url: host.url, version, key: host.key, secrets };
  return {
    id,
    service,
    limits: limitsOf(deployment),
    fetchFor: fetchesOf(deps, host, trustOfService(service)),
    clock,
    firstTokenMs: host.first_token_seconds * 1000,
    idleMs: host.idle_seconds * 1000,
  };
}

function openai(deps: MakeDeps, host: Host<"openai">, named: Named): Model {
  const known = quirksOf(host.url);
  const { answer_limit, temperature, stream_usage } = host.quirks;
  const quirks = {
    answerLimit: answer_limit ?? known.answerLimit,
    temperature: temperature ?? known.temperature,
    streamUsage: stream_usage ?? known.streamUsage,
  };
  return createOpenAiModel({ ...serviceOptions(deps, host, named), quirks });
}

/** The model of a deployment; rejects with an AppError where its settings cannot be. */
export async function makeModel(
  deps: MakeDeps,
  host: HostSettings | undefined,
  named: Named,
): Promise<Model> {
  if (host?.kind === "scripted") return scripted(deps, host, named);
  if (host?.kind === "ollama") return ollama(deps, host, named);
  if (host?.kind === "anthropic") return createAnthropicModel(serviceOptions(deps, host, named));
  if (host?.kind === "openai") return openai(deps, host, named);
  const problem = `its host ${named.deployment.host} is not among hosts in config/models.yaml.`;
  throw new AppError("model.refused", { model: named.id, problem });
}
