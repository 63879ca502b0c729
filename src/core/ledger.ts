import type { UsageRow } from "./task.ts";

/** A limit of money over a span of time. */
export interface Cap {
  /** What it caps, in words: "today", "this month for claude-sonnet". */
  readonly name: string;
  readonly capUsd: number;
  /** From when attempts count, in milliseconds since 1970. */
  readonly since: number;
  /** The attempts that count; absent is all. */
  readonly of: {
    readonly deployment?: string;
    readonly agent?: string;
    readonly chatId?: string;
  };
}

/** What was spent under a cap, what is reserved included. */
export interface Spending {
  /** What it caps, in words: "today", "this month for claude-sonnet". */
  readonly name: string;
  readonly spentUsd: number;
  readonly capUsd: number;
}

/** What clouds cost: written before anything is sent, and settled by the step that it was for, or at once where that goes on without it. */
export interface Ledger {
  /**
   * Stores an attempt with the most that it may cost, in one commit with the look at the caps, so that of two requests at once only
   * as many go as there is room for. Resolves with the first cap that has no room, and nothing is stored then.
   */
  reserve(attempt: UsageRow, caps: readonly Cap[]): Promise<Cap | undefined>;
  /** Stores what came of an attempt in the place of its reservation, before the step that it was for is over. */
  settle(attempt: UsageRow): Promise<void>;
  /** US dollars that count under each cap, in their order, what is reserved included. */
  spent(caps: readonly Cap[]): Promise<number[]>;
}
