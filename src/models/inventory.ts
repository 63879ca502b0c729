import type { Clock } from "#core/clock.ts";
import { AppError } from "#core/errors.ts";

import type { Installed } from "./clients/ollama-host.ts";
import { createCircuits } from "./routing/circuit.ts";

/** What a host has installed, asked for so seldom that no request waits for it. */
export interface Inventory {
  /** At once where it is known. Rejects as the host does; one that did not answer is left alone for a while. */
  installed(): readonly Installed[] | Promise<readonly Installed[]>;
  /** What was known may be wrong now: the next one asks. */
  forget(): void;
}

/** A list older than this is asked for anew, beside the request that it serves. */
const freshMs = 15_000;

interface Known {
  list: readonly Installed[] | undefined;
  at: number;
  asking: Promise<readonly Installed[]> | undefined;
  failure: unknown;
  /** How often what was known was forgotten. */
  changes: number;
}

const nothing: Readonly<Known> = {
  list: undefined,
  at: 0,
  asking: undefined,
  failure: undefined,
  changes: 0,
};

/** The inventory of one host. */
export function createInventory(
  host: { installed(): Promise<readonly Installed[]> },
  clock: Clock,
): Inventory {
  const circuits = createCircuits(clock);
  const state: Known = { ...nothing };

  function failed(error: unknown): void {
    state.list = undefined;
    state.failure = error;
    circuits.failed("host", { why: error instanceof AppError ? error.message : "" });
  }

  async function askHost(): Promise<readonly Installed[]> {
    const { changes } = state;
    // What was asked before a change says nothing of how it is now.
    const isNews = (): boolean => changes === state.changes;
    try {
      const list = await host.installed();
      if (!isNews()) return list;
      circuits.succeeded("host");
      state.list = list;
      state.at = clock.elapsed();
      return list;
    } catch (error) {
      if (isNews()) failed(error);
      throw error;
    } finally {
      if (isNews()) state.asking = undefined;
    }
  }

  const ask = (): Promise<readonly Installed[]> => (state.asking ??= askHost());

  return {
    installed() {
      const { list } = state;
      if (list === undefined) {
        const rests = state.asking === undefined && circuits.resting("host") !== undefined;
        return rests ? Promise.reject(state.failure) : ask();
      }
      // Its failure shows in the next request, which finds no list.
      if (clock.elapsed() - state.at > freshMs) void ask().catch(() => undefined);
      return list;
    },
    forget() {
      state.changes += 1;
      state.list = undefined;
      state.asking = undefined;
      circuits.succeeded("host");
    },
  };
}
