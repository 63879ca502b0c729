import { AppError, type ErrorCode } from "./errors.ts";
import type { ModelEvent, ModelLimits, ModelRequest, TokenUsage } from "./model.ts";
import type { Task } from "./task.ts";
import type { Source } from "./trust.ts";

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

/** What a person waits for, what goes on with it, and what nobody waits for; the first goes first. */
export type Priority = "interactive" | "followUp" | "background";

/** What is asked of the router for one model call. */
export interface RouteAsk {
  readonly tier: TierName;
  /** True when a person asked for this tier: the owner's own `use` then does not go before it. */
  readonly forced: boolean;
  /** The task that the attempts and receipts are written to, and what it belongs to. */
  readonly task: Pick<Task, "id" | "chatId" | "personId" | "conversation" | "agent">;
  /** The step of the task that the call is made for. */
  readonly seq: number;
  readonly priority: Priority;
  /** True for the conversation of a group, which is nobody's own. */
  readonly isShared: boolean;
  /** Where all that the prompt may hold comes from. */
  readonly sources: readonly Source[];
  /** A deployment that is tried only when no other answers. */
  readonly avoid?: string;
  /** The prompt for a model of these limits; called once per attempt. */
  build(limits: ModelLimits): Omit<ModelRequest, "taskId">;
}

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

/**
 * A model's events, with `chosen` before those of each try and `attempt` after them; only the last try's text is the answer. `wait`
 * comes while its host has others to answer first; `notice` is a line that the person must see; `route` comes once, right before the
 * stop.
 */
export type RoutedEvent =
  | ModelEvent
  | Chosen
  | BudgetEvent
  | { readonly type: "wait"; readonly ahead: number; readonly expectedMs: number }
  | { readonly type: "notice"; readonly text: string }
  | { readonly type: "route"; readonly route: Route }
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
   * Rejects only with what `ask.build` or the store throws. Tries again, or moves on to the next candidate, when one fails, whatever it has
   * said by then: the answer begins anew with each `chosen`. The last event is exactly one stop.
   * Aborting `signal`, or ending the iteration, ends the work behind it within a second.
   */
  stream(ask: RouteAsk, signal: AbortSignal): AsyncIterable<RoutedEvent>;
  /** The candidates of a tier in the order they would be tried; nothing is downloaded or loaded. */
  explain(tier: TierName): Promise<Explained[]>;
}
