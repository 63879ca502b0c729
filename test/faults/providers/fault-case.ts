import { reasonOf } from "../../../src/core/errors.ts";
import { seeded } from "../seeded.ts";

import type { Breaks } from "./harness.ts";
import type { World } from "./stage.ts";

/** A failure mode of providers: a row of the matrix. */
export interface FaultCase {
  /** From 1 to 40. */
  readonly row: number;
  readonly failure: string;
  /** How it is made. */
  readonly simulated: string;
  /** What is required of the product, as the caller or the provider sees it. */
  readonly required: string;
  /** True for a case that measures milliseconds: nothing else runs beside it. */
  readonly alone?: boolean;
  /** Rejects where the product does not hold it, from the caller's view or from the provider's. */
  run(world: World): Promise<void>;
}

/** What came of a case. */
export interface Verdict {
  readonly row: number;
  readonly passed: boolean;
  /** Why not. */
  readonly reason: string;
  readonly ms: number;
}

/** A case that takes longer than this has no end. */
const patienceMs = 60_000;

/** Runs a case and closes what it opened. */
export async function runCase(
  fault: FaultCase,
  options: { readonly seed: number; readonly breaks?: Breaks },
): Promise<Verdict> {
  const { seed, breaks } = options;
  const closers: (() => Promise<void> | void)[] = [];
  const random = seeded(seed + fault.row);
  const world = {
    random,
    onEnd: (close: () => Promise<void> | void): void => void closers.unshift(close),
    ...(breaks === undefined ? {} : { breaks }),
  };
  const begun = performance.now();
  const verdict = (passed: boolean, reason: string): Verdict => ({
    row: fault.row,
    passed,
    reason,
    ms: Math.round(performance.now() - begun),
  });
  const over = Promise.withResolvers<never>();
  const timer = setTimeout(() => over.reject(new Error("has no end")), patienceMs);
  try {
    await Promise.race([fault.run(world), over.promise]);
    return verdict(true, "");
  } catch (error) {
    return verdict(false, reasonOf(error));
  } finally {
    clearTimeout(timer);
    for (const close of closers) await close();
  }
}
