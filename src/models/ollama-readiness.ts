import { z } from "zod";

import type { Clock } from "#core/clock.ts";
import type { Fetch } from "#core/http.ts";

import { remoteRefusal } from "./ollama-failures.ts";

/** What is asked of a host before a model of it is. */
export interface ReadinessDeps {
  readonly url: string;
  readonly model: string;
  readonly clock: Clock;
  /** What the host says went wrong. */
  readonly failureOf: (response: Response) => Promise<Error>;
}

/** What a host has of one model right now. */
export interface Readiness {
  /** What the model can do, asked once; a failure is not kept. Throws for a model that runs elsewhere. */
  capabilities(fetch: Fetch, signal: AbortSignal): Promise<readonly string[]>;
  /** It refused what it said that it can do. */
  cannot(capability: string): void;
  /** False where it has to be read from disk first; one that has answered a moment ago is not asked about. */
  isLoaded(fetch: Fetch, signal: AbortSignal): Promise<boolean>;
  answered(): void;
  /** Tokens that the host gave it, where that is known: under memory pressure fewer than were asked for. */
  contextTokens(): number | undefined;
}

/** A model stays loaded at least for so long after an answer. */
const loadedMs = 60_000;

const showSchema = z.object({
  capabilities: z.array(z.string()).default([]),
  remote_host: z.string().optional(),
  remote_model: z.string().optional(),
});

const psSchema = z.object({
  models: z.array(z.object({ name: z.string(), context_length: z.int().optional() })).default([]),
});

async function show(
  { url, model, failureOf }: ReadinessDeps,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const response = await fetch(`${url}/api/show`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model }),
    signal,
  });
  if (!response.ok) throw await failureOf(response);
  const { capabilities, remote_host, remote_model } = showSchema.parse(await response.json());
  if (remote_host !== undefined || remote_model !== undefined) throw remoteRefusal(model);
  return capabilities;
}

/** The model as it is loaded; undefined where it is not, and where the host does not tell at all. */
async function loaded({ url, model }: ReadinessDeps, fetch: Fetch, signal: AbortSignal) {
  const response = await fetch(`${url}/api/ps`, { signal });
  if (!response.ok) return "unknown";
  const { models } = psSchema.parse(await response.json());
  return models.find(({ name }) => name === model || name === `${model}:latest`);
}

/** The readiness of one model of a host. */
export function createReadiness(deps: ReadinessDeps): Readiness {
  const { clock } = deps;
  const state: {
    capabilities: Promise<readonly string[]> | undefined;
    answeredAt: number;
    contextTokens: number | undefined;
  } = {
    capabilities: undefined,
    answeredAt: Number.NEGATIVE_INFINITY,
    contextTokens: undefined,
  };
  return {
    async capabilities(fetch, signal) {
      state.capabilities ??= show(deps, fetch, signal);
      try {
        return await state.capabilities;
      } catch (error) {
        state.capabilities = undefined;
        throw error;
      }
    },
    cannot(capability) {
      const known = state.capabilities;
      state.capabilities = known?.then((can) => can.filter((name) => name !== capability));
    },
    async isLoaded(fetch, signal) {
      if (clock.elapsed() - state.answeredAt < loadedMs) return true;
      const mine = await loaded(deps, fetch, signal);
      // A host that does not tell is taken at its best.
      if (mine === "unknown") return true;
      state.contextTokens = mine?.context_length ?? state.contextTokens;
      return mine !== undefined;
    },
    answered() {
      state.answeredAt = clock.elapsed();
    },
    contextTokens: () => state.contextTokens,
  };
}
