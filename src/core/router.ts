import type { ErrorCode } from "./errors.ts";
import type { ModelEvent, ModelLimits, ModelRequest, TokenUsage } from "./model.ts";

/** The kinds of model that an owner chooses between; each is a list of deployments in config/models.yaml. */
export const tierNames = ["local-fast", "local-smart", "cloud-smart"] as const;

/** One of the three tiers. */
export type TierName = (typeof tierNames)[number];

/** What is asked of the router for one model call. */
export interface RouteAsk {
  /** A tier, a word that means one ("fast", "smart", "cloud"), or absent for the agent's or the owner's own. */
  readonly tier?: string;
  /** The task that the attempts and receipts are written to. */
  readonly taskId: string;
  /** The prompt for a model of these limits; called once per attempt. */
  build(limits: ModelLimits): ModelRequest;
}

/** One try of one deployment, as it is stored in `usage`. */
export interface Attempt extends TokenUsage {
  readonly deployment: string;
  readonly tier: TierName | "embedded";
  /** Why this deployment was tried, in words. */
  readonly reason: string;
  /** "ok", "aborted" or the code of the failure. */
  readonly outcome: "ok" | "aborted" | ErrorCode;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** Absent when no token came. */
  readonly firstTokenMs?: number;
}

/** A model's events, with `attempt` after the last event of each try; only the last try's text is the answer. */
export type RoutedEvent =
  | ModelEvent
  | {
      readonly type: "chosen";
      readonly deployment: string;
      readonly tier: Attempt["tier"];
      readonly reason: string;
    }
  | { readonly type: "attempt"; readonly attempt: Attempt };

/**
 * Picks the deployment for each model call. `stream` never throws; it yields `chosen` before a deployment's events, moves on to
 * the next of the tier's list when one fails before its first token, and ends with exactly one stop, then its attempt.
 */
export interface Router {
  stream(ask: RouteAsk, signal: AbortSignal): AsyncIterable<RoutedEvent>;
}
