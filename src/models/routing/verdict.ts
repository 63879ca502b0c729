import type { ErrorCode, Failure } from "#core/errors.ts";
import type { ModelStop } from "#core/model.ts";
import type { Priority } from "#core/route.ts";

/**
 * What follows a try: its stop is the end; the same deployment is tried again; the next one is, or this one later where there is no
 * other; or the same one with less to read, without tools, with more room for its answer, or told what was wrong with it.
 */
export type Verdict =
  | "end"
  | "again"
  | "next"
  | "later"
  | "smaller"
  | "withoutTools"
  | "longer"
  | "repair";

/** Passes by itself, so that the same deployment may answer a moment later. */
const passing: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "model.rate-limit",
  "model.failed",
  "model.reset",
  "model.truncated",
]);

/** Is about this deployment, and another may not share it. */
const ownTrouble: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "model.unavailable",
  "model.missing",
  "model.timeout",
  "model.protocol",
  "model.crashed",
  "model.damaged",
  "model.memory",
  "model.no-key",
  "model.wrong-key",
  "model.no-credit",
  "model.address",
  "model.empty",
  "model.repeats",
  "model.over-budget",
  "model.no-price",
  "model.refused",
  "model.passed-on",
  "model.busy",
  "model.invalid",
  "door.refused",
  "door.local-only",
  "door.no-host",
  "door.not-home",
  "door.not-public",
  "engine.missing",
]);

/** Says nothing of whether the deployment works: another request may well be answered by it. */
const ofThisRequest: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "model.empty",
  "model.repeats",
  "model.over-budget",
  "model.no-price",
  "model.context-overflow",
  "model.bad-request",
  "model.refusal",
  "model.busy",
  "model.invalid",
  "door.local-only",
]);

/** How often one deployment is tried for one request; one that said nothing only twice. */
const mostTries = 3;
const mostEmpty = 2;

/** A try, as far as it says what follows. */
export interface TriedOnce {
  /** How many there were with this deployment. */
  readonly tries: number;
  readonly hadTools: boolean;
  /** True where the answer ended at its limit. */
  readonly wasCut: boolean;
}

/** Failures that another way of asking may help. */
function otherWay({ code, sentence }: Failure, tried: TriedOnce): Verdict | undefined {
  if (code === "model.context-overflow") return "smaller";
  if (code === "model.invalid") return tried.wasCut ? "longer" : "repair";
  // A server that refuses tools says so only in words, if at all; without them it may answer.
  const refusesTools = code === "model.bad-request" && /tool|function/i.test(sentence);
  return refusesTools && tried.hadTools ? "withoutTools" : undefined;
}

/** What follows a stop. */
export function verdictOf(stop: ModelStop, tried: TriedOnce): Verdict {
  const { failure } = stop;
  if (failure === undefined) return "end";
  const other = otherWay(failure, tried);
  if (other !== undefined) return other;
  const { code } = failure;
  if (code === "model.busy") return "later";
  if (code === "model.empty") return tried.tries < mostEmpty ? "again" : "next";
  if (!passing.has(code)) return ownTrouble.has(code) ? "next" : "end";
  return tried.tries < mostTries && waitMs(stop, tried.tries) !== undefined ? "again" : "next";
}

/** True for a failure after which the deployment is left alone for a while. */
export function isTrouble(code: ErrorCode, priority: Priority): boolean {
  // What nobody waits for is often long, and says nothing of how soon a person would be answered.
  if (priority === "background" && code === "model.timeout") return false;
  return (passing.has(code) || ownTrouble.has(code)) && !ofThisRequest.has(code);
}

const firstWaitMs = 500;
const longestWaitMs = 8000;
/** Who asks for a longer wait than this is not waited for. */
const longestAskedMs = 10_000;

/** Milliseconds before the same deployment is tried again; undefined where it asks for more than a person would wait. */
export function waitMs({ retryMs, failure }: ModelStop, tries: number): number | undefined {
  if (retryMs !== undefined && retryMs > longestAskedMs) return undefined;
  // The connection was an old one that the server had just ended: on a new one there is nothing to wait for.
  const usual = failure?.code === "model.reset" && tries === 1 ? 0 : firstWaitMs * 2 ** (tries - 1);
  return Math.max(retryMs ?? 0, Math.min(usual, longestWaitMs));
}
