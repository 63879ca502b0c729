import { z } from "zod";

import type { Clock } from "#core/clock.ts";
import type { Fetch } from "#core/http.ts";

import { remoteRefusal } from "./ollama-failures.ts";
import { farPlace } from "./ollama-wire.ts";

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
  /**
   * What the model can do, asked again where that was not asked a moment ago, since its owner may have put another in its place; a
   * failure is not kept. Throws for a model that runs elsewhere.
   */
  capabilities(fetch: Fetch, signal: AbortSignal): Promise<readonly string[]>;
  /** It has answered from elsewhere, whatever its host says: it is refused until that says something else of it. */
  passedOn(): void;
  /** It refused what it said that it can do. */
  cannot(capability: string): void;
  /** False where it has to be read from disk first; one that has answered a moment ago is not asked about. */
  isLoaded(fetch: Fetch, signal: AbortSignal): Promise<boolean>;
  answered(): void;
  /** Tokens that the host gave it, where that is known: under memory pressure fewer than were asked for. */
  contextTokens(): number | undefined;
}

/** What a host says of a model is good for so long: the steps of a task that follow each other closely ask once. */
const shownMs = 5000;

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

/** What a host says of a model. */
interface Shown {
  readonly can: readonly string[];
  /** All that it says, word by word. */
  readonly says: string;
}

async function show(
  { url, model, failureOf }: ReadinessDeps,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<Shown> {
  const response = await fetch(`${url}/api/show`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model }),
    signal,
  });
  if (!response.ok) throw await failureOf(response);
  const says = await response.text();
  const shown = showSchema.parse(JSON.parse(says));
  if (farPlace(shown) !== undefined) throw remoteRefusal(model);
  return { can: shown.capabilities, says };
}

/** What a host said of a model when it passed it on, so that it is not believed again. */
function createDoubt(model: string) {
  const doubt: { says: string | undefined; isOn: boolean } = { says: undefined, isOn: false };
  return {
    begin(): void {
      doubt.isOn = true;
      doubt.says = undefined;
    },
    /** Throws where nothing has changed since. */
    check(says: string): void {
      if (!doubt.isOn) return;
      doubt.says ??= says;
      if (doubt.says === says) throw remoteRefusal(model);
      doubt.isOn = false;
    },
  };
}

/** The model as it is loaded; undefined where it is not, and where the host does not tell at all. */
async function loaded({ url, model }: ReadinessDeps, fetch: Fetch, signal: AbortSignal) {
  const response = await fetch(`${url}/api/ps`, { signal });
  // What is left unread is not on its receipt.
  const text = await response.text();
  if (!response.ok) return "unknown";
  const { models } = psSchema.parse(JSON.parse(text));
  return models.find(({ name }) => name === model || name === `${model}:latest`);
}

/** The readiness of one model of a host. */
export function createReadiness(deps: ReadinessDeps): Readiness {
  const { clock } = deps;
  const doubt = createDoubt(deps.model);
  const refused = new Set<string>();
  const state: {
    shown: Shown | undefined;
    shownAt: number;
    answeredAt: number;
    contextTokens: number | undefined;
  } = {
    shown: undefined,
    shownAt: Number.NEGATIVE_INFINITY,
    answeredAt: Number.NEGATIVE_INFINITY,
    contextTokens: undefined,
  };
  return {
    async capabilities(fetch, signal) {
      const at = clock.elapsed();
      const known = at - state.shownAt > shownMs ? undefined : state.shown;
      // What is still being asked is shared with nobody: it ends with the signal of who asks.
      const shown = known ?? (await show(deps, fetch, signal));
      doubt.check(shown.says);
      if (known === undefined) state.shownAt = at;
      state.shown = shown;
      return shown.can.filter((name) => !refused.has(name));
    },
    passedOn() {
      state.shown = undefined;
      doubt.begin();
    },
    cannot: (capability) => void refused.add(capability),
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
