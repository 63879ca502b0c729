import assert from "node:assert/strict";

import type { Provider, Seen } from "../../fakes/providers/server.ts";
import { type Kind, kinds } from "../../fakes/providers/words.ts";
import { reasonOf } from "../../../src/core/errors.ts";

import type { Outcome } from "./call.ts";
import { whole } from "./stage.ts";

/** Runs a check for each API; rejects with all that failed, each with its name. */
export async function inEach(
  check: (kind: Kind) => Promise<void>,
  those: readonly Kind[] = kinds,
): Promise<void> {
  await inAll(those.map((kind) => [kind, () => check(kind)]));
}

/** Runs named checks side by side; rejects with all that failed. */
export async function inAll(
  checks: readonly (readonly [name: string, check: () => Promise<void>])[],
): Promise<void> {
  const failures = await Promise.all(
    checks.map(async ([name, check]) => {
      try {
        await check();
        return [];
      } catch (error) {
        return [`${name}: ${reasonOf(error)}`];
      }
    }),
  );
  const all = failures.flat();
  if (all.length > 0) throw new Error(all.join("; "));
}

/** What became of a call, for the message of a check. */
function became({ hung, text, stop, code, deployment }: Outcome): string {
  if (hung) return "it hung";
  return `${stop?.reason ?? "no stop"}${code === undefined ? "" : ` ${code}`} from ${deployment ?? "nobody"} after "${text.slice(-20)}"`;
}

/** The whole healthy answer came, from this deployment where one is named. */
export function answered(outcome: Outcome, by?: string): void {
  assert.ok(!outcome.hung && outcome.stop?.reason === "end", `no answer: ${became(outcome)}`);
  assert.ok(outcome.text === whole, `not the answer: ${became(outcome)}`);
  if (by !== undefined) assert.equal(outcome.deployment, by, `answered by ${outcome.deployment}`);
}

/** The call ended in time with one of these failures. */
export function failed(outcome: Outcome, codes: readonly string[]): void {
  const { hung, code } = outcome;
  assert.ok(!hung && code !== undefined, `no failure: ${became(outcome)}`);
  assert.ok(codes.includes(code), `${code} is none of ${codes.join(", ")}`);
}

/** What ended as a success is the whole answer. */
export function neverHalf(outcome: Outcome): void {
  const isSuccess = outcome.stop?.reason === "end" || outcome.stop?.reason === "length";
  assert.ok(!outcome.hung, "it hung");
  assert.ok(
    !isSuccess || outcome.text === whole,
    `half an answer as a success: ${became(outcome)}`,
  );
}

/** The provider saw so many requests for an answer. */
export function saw(seen: readonly Seen[], least: number, most: number): void {
  const words = least === most ? `${least}` : `${least} to ${most}`;
  assert.ok(
    seen.length >= least && seen.length <= most,
    `the provider saw ${seen.length} requests, not ${words}`,
  );
}

/** The provider saw nothing of a model, or at all. */
export function sawNothing(provider: Provider): void {
  saw(provider.log, 0, 0);
}

/** Every client left, within so many milliseconds of this moment on the provider's clock. */
export function leftSoon(seen: readonly Seen[], since: number, ms: number): void {
  for (const { leftAt } of seen) {
    assert.ok(leftAt !== undefined, "the provider was not left");
    assert.ok(leftAt - since <= ms, `the provider was left after ${Math.round(leftAt - since)} ms`);
  }
}

/** Milliseconds between the requests that a provider saw. */
export function gaps(seen: readonly Seen[]): number[] {
  return seen.slice(1).map(({ at }, i) => Math.round(at - (seen[i]?.at ?? 0)));
}

/** The text holds these words. */
export function says(text: string | undefined, words: RegExp, what: string): void {
  assert.ok(words.test(text ?? ""), `${what}: "${(text ?? "nothing").slice(0, 120)}"`);
}
