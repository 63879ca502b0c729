import type { ChoiceStage } from "./task.ts";

/** What one stage says of whose a message is. */
export interface StageVote {
  readonly stage: ChoiceStage;
  /** Null where it does not decide. */
  readonly agent: string | null;
  /** Why, in words; with its numbers where it has any. */
  readonly why: string;
}

/** A message and whose it truly was, by the owner's word. */
export interface GoldLabel {
  readonly text: string;
  readonly agent: string;
}

/** What the owner corrected; the classifier learns most from it. */
export interface GoldLabels {
  /** In the order in which they were given. */
  goldLabels(): Promise<GoldLabel[]>;
  /** A text that has a label gets the new one; resolves after the commit. */
  addGoldLabel(label: GoldLabel): Promise<void>;
}
