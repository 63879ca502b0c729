import type { Clock } from "#core/clock.ts";
import { AppError } from "#core/errors.ts";
import type { Router } from "#core/router.ts";

import type { ModelSources } from "./models/sources.ts";

/** The models part over one reading of the settings. */
export interface MadeModels {
  readonly sources: ModelSources;
  readonly router: Router;
}

/** What the part is made anew with. */
export interface LiveModelsDeps {
  /** Reads the settings and makes the part over them; rejects with `config.invalid`. */
  readonly make: () => Promise<MadeModels>;
  /** Differs where a file of the settings does. */
  readonly fingerprint: () => Promise<string>;
  /** Says to the owner what became of a change. */
  readonly say: (notice: string) => void;
  readonly clock: Clock;
}

/** The models over settings that may change while the program runs. */
export interface LiveModels {
  /** The router of what holds when it is asked. */
  readonly router: Router;
  readonly sources: () => ModelSources;
  /** Looks for changes until the signal aborts; one that is not valid keeps the last good settings, and says so. Never rejects. */
  follow(signal: AbortSignal): Promise<void>;
  close(): void;
}

const everyMs = 2000;
/** What was begun under earlier settings ends under them; no answer takes longer. */
const retireMs = 30 * 60_000;

/** Makes the models of the settings as they are; rejects as `make` does. */
export async function openLiveModels(deps: LiveModelsDeps): Promise<LiveModels> {
  const { make, fingerprint, say, clock } = deps;
  const ending = new AbortController();
  const state = { now: await make() };
  const open = new Set([state.now.sources]);

  async function retire(sources: ModelSources): Promise<void> {
    await clock.sleep(retireMs, ending.signal);
    if (!open.delete(sources)) return;
    sources.close();
  }

  async function renew(): Promise<void> {
    const before = state.now;
    try {
      state.now = await make();
    } catch (error) {
      const problem = error instanceof AppError ? error.message : String(error);
      say(`${problem} The settings before that go on.`);
      return;
    }
    open.add(state.now.sources);
    // What is under way goes on under the settings that it began with, but not through a door that its owner has shut.
    if (state.now.sources.settings.cloud === "never") before.sources.shutClouds();
    void retire(before.sources);
    say("The settings of the models have changed, and hold from now on.");
  }

  return {
    router: {
      stream: (ask, signal) => state.now.router.stream(ask, signal),
      warm: (ask, signal) => state.now.router.warm(ask, signal),
      explain: (tier) => state.now.router.explain(tier),
    },
    sources: () => state.now.sources,
    async follow(signal) {
      let known = await fingerprint();
      for (;;) {
        await clock.sleep(everyMs, signal);
        if (signal.aborted) return;
        const now = await fingerprint();
        if (now === known) continue;
        known = now;
        await renew();
      }
    },
    close() {
      ending.abort();
      for (const sources of open) sources.close();
      open.clear();
    },
  };
}
