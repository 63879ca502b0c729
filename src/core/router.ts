import type { ModelEvent, ModelLimits, ModelRequest } from "./model.ts";
import type {
  Attempt,
  BudgetEvent,
  Chosen,
  Explained,
  Priority,
  Route,
  TierName,
} from "./route.ts";
import type { Task } from "./task.ts";
import type { Source } from "./trust.ts";

/** What a model call is made for. */
export interface AskedFor extends Pick<Task, "chatId" | "personId" | "conversation" | "agent"> {
  /** The task that the attempts and receipts are written to; null for work of no task, of which there are receipts alone. */
  readonly id: string | null;
}

/** What is asked of the router for one model call. */
export interface RouteAsk {
  readonly tier: TierName;
  /** True when a person asked for this tier: the owner's own `use` then does not go before it. */
  readonly forced: boolean;
  readonly task: AskedFor;
  /** The step of the task that the call is made for. */
  readonly seq: number;
  readonly priority: Priority;
  /** True for the conversation of a group, which is nobody's own. */
  readonly isShared: boolean;
  /** True where what was said before may hold the words of others than the task's person. */
  readonly holdsOthers: boolean;
  /** Where all that the prompt may hold comes from. */
  readonly sources: readonly Source[];
  /** A deployment that is tried only when no other answers. */
  readonly avoid?: string;
  /**
   * Asks only who is free, of this tier and expected to answer in so many milliseconds, for about so many tokens; nothing is made ready
   * for it. Absent where the answer is worth waiting for.
   */
  readonly deadline?: {
    readonly ms: number;
    readonly promptTokens: number;
    readonly answerTokens: number;
  };
  /** The prompt for a model of these limits; called once per attempt. */
  build(limits: ModelLimits): Omit<ModelRequest, "taskId">;
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

/** Picks the deployment for each model call. */
export interface Router {
  /**
   * Rejects only with what `ask.build` or the store throws. Tries again, or moves on to the next candidate, when one fails, whatever it has
   * said by then: the answer begins anew with each `chosen`. The last event is exactly one stop.
   * Aborting `signal`, or ending the iteration, ends the work behind it within a second.
   */
  stream(ask: RouteAsk, signal: AbortSignal): AsyncIterable<RoutedEvent>;
  /**
   * Work for idle time, for the host at home that would answer this first: its model is loaded where its owner is usually there, and one
   * that reads slowly reads this prompt, so that the next message pays for its own words alone. Says what was done; never waits
   * for other work, and a failure is nothing done.
   */
  warm(ask: RouteAsk, signal: AbortSignal): Promise<"nothing" | "loaded" | "read">;
  /** The candidates of a tier in the order they would be tried; nothing is downloaded or loaded. */
  explain(tier: TierName): Promise<Explained[]>;
}
