/**
 * What the owner decided about what may leave the home network. "local-only" shuts every cloud; "memories" and "files" let what
 * was remembered, and what files hold, go where the words of a conversation may go.
 */
export const privacyRules = ["local-only", "memories", "files"] as const;

/** One of those decisions. */
export type PrivacyRule = (typeof privacyRules)[number];

/** A decision and where it holds. */
export interface StoredRule {
  readonly rule: PrivacyRule;
  /** Null is everywhere. */
  readonly chatId: string | null;
}

/** What the owner decided, as it is stored; it holds from the next request on. */
export interface PrivacyStore {
  /** What holds for a task: its own, its chat's and what holds everywhere. Null asks for the last alone. */
  privacyRules(taskId: string | null): Promise<ReadonlySet<PrivacyRule>>;
  /** All that is stored for chats and everywhere, in the order of their making. */
  storedRules(): Promise<StoredRule[]>;
  /** Makes a rule hold, or not any more; resolves after the commit. */
  setRule(stored: StoredRule, holds: boolean): Promise<void>;
}
