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

/** The readiness of one model of a host. */
export function createReadiness({ url, model, clock, failureOf }: ReadinessDeps): Readiness {
  const state: {
    capabilities: Promise<readonly string[]> | undefined;
    answeredAt: number | undefined;
    contextTokens: number | undefined;
  } = { capabilities: undefined, answeredAt: undefined, contextTokens: undefined };

  async function show(fetch: Fetch, signal: AbortSignal): Promise<readonly string[]> {
    const response = await fetch(`${url}/api/show`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model }),
      signal,
    });
    if (!response.ok) throw await failureOf(response);
    const shown = showSchema.parse(await response.json());
    const isRemote = shown.remote_host !== undefined || shown.remote_model !== undefined;
    if (isRemote) throw remoteRefusal(model);
    return shown.capabilities;
  }

  async function askLoaded(fetch: Fetch, signal: AbortSignal): Promise<boolean> {
    const response = await fetch(`${url}/api/ps`, { signal });
    // A host that does not tell is taken at its best.
    if (!response.ok) return true;
    const { models } = psSchema.parse(await response.json());
    const mine = models.find(({ name }) => name === model || name === `${model}:latest`);
    state.contextTokens = mine?.context_length ?? state.contextTokens;
    return mine !== undefined;
  }

  return {
    async capabilities(fetch, signal) {
      state.capabilities ??= show(fetch, signal);
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
      const { answeredAt = Number.NEGATIVE_INFINITY } = state;
      return clock.elapsed() - answeredAt < loadedMs || askLoaded(fetch, signal);
    },
    answered() {
      state.answeredAt = clock.elapsed();
    },
    contextTokens: () => state.contextTokens,
  };
}
