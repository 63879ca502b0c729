import type { Clock } from "#core/clock.ts";
import { AppError } from "#core/errors.ts";

import type { Installed } from "./candidates.ts";
import { createCircuits } from "./routing/circuit.ts";

/** What a host has installed, asked for so seldom that no request waits for it. */
export interface Inventory {
  /** Rejects as the host does; one that did not answer is left alone for a while. */
  installed(): Promise<readonly Installed[]>;
  /** What was known may be wrong now: the next one asks. */
  forget(): void;
}

/** A list older than this is asked for anew, beside the request that it serves. */
const freshMs = 15_000;

/** The inventory of one host. */
export function createInventory(
  host: { installed(): Promise<readonly Installed[]> },
  clock: Clock,
): Inventory {
  const circuits = createCircuits(clock);
  const state: {
    list: readonly Installed[] | undefined;
    at: number;
    asking: Promise<readonly Installed[]> | undefined;
    failure: unknown;
  } = { list: undefined, at: 0, asking: undefined, failure: undefined };

  async function askHost(): Promise<readonly Installed[]> {
    try {
      const list = await host.installed();
      circuits.succeeded("host");
      state.list = list;
      state.at = clock.elapsed();
      return list;
    } catch (error) {
      state.list = undefined;
      state.failure = error;
      circuits.failed("host", { why: error instanceof AppError ? error.message : "" });
      throw error;
    } finally {
      state.asking = undefined;
    }
  }

  const ask = (): Promise<readonly Installed[]> => (state.asking ??= askHost());

  return {
    async installed() {
      const { list } = state;
      if (list === undefined) {
        if (state.asking === undefined && circuits.resting("host") !== undefined)
          throw state.failure;
        return ask();
      }
      // Its failure shows in the next request, which finds no list.
      if (clock.elapsed() - state.at > freshMs) void ask().catch(() => undefined);
      return list;
    },
    forget() {
      state.list = undefined;
      circuits.succeeded("host");
    },
  };
}
