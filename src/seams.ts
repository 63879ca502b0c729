import type { Away, ChatPlatform, Update } from "#core/chat.ts";
import type { Clock } from "#core/clock.ts";

import type { SqliteStore } from "./store/open-store.ts";

/** Takes a batch of a bot's account; what it resolves with is what the platform may forget. */
export type Accept = (account: string, updates: readonly Update[], away?: Away) => Promise<void>;

/** Functions that stand between the parts of a run. Only the child of a fault campaign has any: the product has none. */
export interface Seams {
  readonly clock?: Clock;
  readonly store?: (store: SqliteStore) => SqliteStore;
  readonly accept?: (accept: Accept) => Accept;
  readonly platform?: (platform: ChatPlatform) => ChatPlatform;
}
