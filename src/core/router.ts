import { AppError, type ErrorCode } from "./errors.ts";
import type { ModelEvent, ModelLimits, ModelRequest, TokenUsage } from "./model.ts";

/** The kinds of model that an owner chooses between; each is a list of deployments in config/models.yaml. */
export const tierNames = ["local-fast", "local-smart", "cloud-smart"] as const;

/** One of the three tiers. */
export type TierName = (typeof tierNames)[number];

const tierWords: Readonly<Record<string, TierName>> = {
  fast: "local-fast",
  smart: "local-smart",
  cloud: "cloud-smart",
};

/** The tier that a word means, its own name included; throws `usage.unknown-tier`. */
export function tierOf(word: string): TierName {
  const named = tierNames.find((tier) => tier === word) ?? tierWords[word];
  if (named !== undefined) return named;
  const known = [...Object.keys(tierWords), ...tierNames].join(", ");
  throw new AppError("usage.unknown-tier", { tier: word, known });
}

/** What is asked of the router for one model call. */
export interface RouteAsk {
  readonly tier: TierName;
  /** True when a person asked for this tier: the owner's own `use` then does not go before it. */
  readonly forced: boolean;
  /** The task that the attempts and receipts are written to. */
  readonly taskId: string;
  /** A deployment that is tried only when no other answers. */
  readonly avoid?: string;
  /** The prompt for a model of these limits; called once per attempt. */
  build(limits: ModelLimits): Omit<ModelRequest, "taskId">;
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

/** Which deployment answers, and why. */
export interface Chosen {
  readonly type: "chosen";
  readonly deployment: string;
  readonly tier: Attempt["tier"];
  readonly reason: string;
  /** A line that the person must see, because this is not what was asked for; absent when all is as usual. */
  readonly notice?: string;
}

/**
 * A model's events, with `chosen` before those of each try and `attempt` after them; only the last try's text is the answer.
 */
export type RoutedEvent =
  | ModelEvent
  | Chosen
  | { readonly type: "attempt"; readonly attempt: Attempt };

/** A deployment that could answer, or why it cannot. */
export interface Explained {
  readonly deployment: string;
  readonly tier: Attempt["tier"];
  /** Why it is chosen, or why it is passed over. */
  readonly reason: string;
  readonly usable: boolean;
  /** The model that its host lacks and could get; absent where that is not what is missing. */
  readonly pull?: string;
}

/** Picks the deployment for each model call. */
export interface Router {
  /**
   * Rejects only with what `ask.build` throws. Moves on to the next candidate when one fails before its first token; the last event is exactly one stop.
   * Aborting `signal`, or ending the iteration, ends the work behind it within a second.
   */
  stream(ask: RouteAsk, signal: AbortSignal): AsyncIterable<RoutedEvent>;
  /** The candidates of a tier in the order they would be tried; nothing is downloaded or loaded. */
  explain(tier: TierName): Promise<Explained[]>;
}
