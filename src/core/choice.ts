import { defaultAgent } from "./agent.ts";
import type { AgentChoice, ChoiceStage } from "./task.ts";

/** What one stage says of whose a message is. */
export interface StageVote {
  readonly stage: ChoiceStage;
  /** Null where it does not decide. */
  readonly agent: string | null;
  /** Why, in words; with its numbers where it has any. */
  readonly why: string;
}

/** What all stages say of a text. */
export interface TextVotes {
  /** In the order in which they are asked. */
  readonly votes: readonly StageVote[];
  /** Who would take the text: the first that a stage names. */
  readonly choice: AgentChoice;
  /** Whether the classifier has learned the owner's word already; absent where none was given. */
  readonly learned?: boolean;
}

/** The choice that these votes come to: the first agent that is named, else the default. */
export function choiceOf(votes: readonly StageVote[]): AgentChoice {
  for (const { stage, agent } of votes) if (agent !== null) return { agent, chosenBy: stage };
  return { agent: defaultAgent, chosenBy: "default" };
}

/** A message and whose it truly was, by the owner's word. */
export interface GoldLabel {
  readonly text: string;
  readonly agent: string;
}

/** A label that is stored. */
export interface Corrected {
  /** Resolves with true when the classifier has learned it, and with false where that is left to a later process. Never rejects. */
  readonly learned: Promise<boolean>;
}

/** What the owner corrected; the classifier learns most from it. */
export interface GoldLabels {
  /** In the order in which they were given. */
  goldLabels(): Promise<GoldLabel[]>;
  /** A text that has a label gets the new one; resolves after the commit. */
  addGoldLabel(label: GoldLabel): Promise<void>;
}
