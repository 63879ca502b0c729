import { AppError, type ErrorCode } from "./errors.ts";
import type { TokenUsage } from "./model.ts";

/** The kinds of model that an owner chooses between; each is a list of deployments in config/models.yaml. */
export const tierNames = ["local-fast", "local-smart", "cloud-smart"] as const;

/** One of the three tiers. */
export type TierName = (typeof tierNames)[number];

const tierWords: ReadonlyMap<string, TierName> = new Map([
  ["fast", "local-fast"],
  ["smart", "local-smart"],
  ["cloud", "cloud-smart"],
]);

/** The tier that a word means, its own name included; undefined where it means none. */
export function tierNamed(word: string): TierName | undefined {
  return tierNames.find((tier) => tier === word) ?? tierWords.get(word);
}

/** The same for a word that should mean one; throws `usage.unknown-tier`. */
export function tierOf(word: string): TierName {
  const named = tierNamed(word);
  if (named !== undefined) return named;
  const known = [...tierWords.keys(), ...tierNames].join(", ");
  throw new AppError("usage.unknown-tier", { tier: word, known });
}

/** What a person waits for, what goes on with it, and what nobody waits for; the first goes first. */
export type Priority = "interactive" | "followUp" | "background";

/**
 * Where a cost comes from: nothing at home; what the service reported; the owner's own price, or the shipped table's, times tokens.
 */
export type PriceSource = "home" | "service" | "settings" | "table";

/** One try of one deployment, as it is stored in `usage`. */
export interface Attempt extends TokenUsage {
  readonly id: string;
  readonly deployment: string;
  readonly tier: TierName | "embedded";
  /** Why this deployment was tried, in words, with what was tried before it. */
  readonly reason: string;
  /** "ok", "aborted", the code of the failure, or "begun" where it is not known how it ended. */
  readonly outcome: "begun" | "ok" | "aborted" | ErrorCode;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Milliseconds that it waited for its host before that. */
  readonly queuedMs: number;
  readonly durationMs: number;
  /** Absent when no token came. */
  readonly firstTokenMs?: number;
  /** Absent where the cost is not known. */
  readonly priced?: PriceSource;
  /** True where tokens were counted by us, since the service reported none. */
  readonly estimated?: boolean;
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

/** How the deployment of one model call was found. */
export interface Route {
  /** What was asked for, and what no candidate could change. */
  readonly constraints: readonly string[];
  /** All that were looked at, in the order of the house. */
  readonly candidates: readonly Explained[];
}

/** A cap that is nearly, or wholly, spent; said once when a share is reached. */
export interface BudgetEvent {
  readonly type: "budget";
  /** What it caps, in words: "today", "this month for claude-sonnet". */
  readonly name: string;
  readonly percent: 50 | 80 | 100;
  readonly spentUsd: number;
  readonly capUsd: number;
}
