import type { Failure } from "./errors.ts";
import type { StopReason, ToolCall } from "./model.ts";
import type { Question } from "./question.ts";
import type { Attempt, BudgetEvent, Chosen, Route, TierName } from "./route.ts";
import type { Label, Origin, Source } from "./trust.ts";

/** What a person is told of an answer that reached its limit. */
export const cutNotice = "The answer reached its limit and was cut.";

/** The states of a task; the last three are final. */
export type TaskState = "queued" | "running" | "waiting" | "done" | "failed" | "cancelled";

/**
 * The stages that choose an agent, in their order: an `@name`, what was asked for or kept for the chat, rules, the classifier, a fast
 * model, and the default where none of them decides.
 */
export const choiceStages = [
  "mention",
  "option",
  "rule",
  "classifier",
  "model",
  "default",
] as const;

/** One of those stages. */
export type ChoiceStage = (typeof choiceStages)[number];

/** The agent of a task, and the stage that chose it. */
export interface AgentChoice {
  readonly agent: string;
  readonly chosenBy: ChoiceStage;
}

/** One request and all that is done for it. Times are milliseconds since 1970. */
export interface Task {
  readonly id: string;
  readonly chatId: string;
  readonly personId: string;
  /** The conversation within the chat; `--new` and `/new` begin the next. */
  readonly conversation: number;
  readonly state: TaskState;
  readonly agent: string;
  /** How the agent was chosen. */
  readonly chosenBy: ChoiceStage;
  /** The tier that was asked for; null is the agent's own. */
  readonly tier: TierName | null;
  readonly input: string;
  /** The answer, or what there was of it when the task was cancelled; null until the task ends. */
  readonly output: string | null;
  readonly failure: Failure | null;
  readonly createdAt: number;
  readonly finishedAt: number | null;
  /** True where nothing may go to a cloud for it, whatever else is allowed. */
  readonly localOnly: boolean;
  /** The message that the answer goes to; null where the chat has no messages of its own. */
  readonly replyTo: string | null;
  /** The deployment that answered this before and is to be tried last; null for a request that is new. */
  readonly avoid: string | null;
}

/** One remembered model call of a task. */
export interface ModelStep {
  readonly kind: "model";
  readonly deployment: string;
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly stop: StopReason;
}

/** One remembered tool call of a task. */
export interface ToolStep {
  readonly kind: "tool";
  readonly callId: string;
  readonly name: string;
  readonly input: unknown;
  /** What the model reads. */
  readonly result: string;
  readonly isError: boolean;
  /** Where that comes from. */
  readonly origin: Origin;
  /** What it comes from beside that. */
  readonly sources?: readonly Source[] | undefined;
}

/** What a person said to a task while it was being worked. */
export interface PersonStep {
  readonly kind: "person";
  readonly text: string;
}

/** A finished piece of a task's work; `seq` counts from 1 without gaps. */
export type Step = (ModelStep | ToolStep | PersonStep) & {
  readonly seq: number;
  readonly startedAt: number;
  readonly finishedAt: number;
};

/** One row of `usage`: an attempt of a task's step. */
export interface UsageRow extends Attempt {
  readonly taskId: string;
  /** The step that the attempt was made for. */
  readonly seq: number;
}

/** How the deployment of one of a task's model calls was found. */
export interface RouteRow extends Route {
  readonly taskId: string;
  /** The step that the call was made for. */
  readonly seq: number;
}

/** What has been done for a task and is remembered in one commit. */
export interface Done {
  readonly steps: readonly Step[];
  readonly usage: readonly UsageRow[];
  readonly routes: readonly RouteRow[];
  /** The agent, where it was chosen only now; absent where it stays. */
  readonly choice?: AgentChoice | undefined;
}

/** A stretch of a conversation in few words, where its turns no longer fit a prompt; the turns themselves stay. */
export interface Summary {
  readonly chatId: string;
  readonly conversation: number;
  /** The first and the last message that it covers; those before are covered by what it says of them. */
  readonly fromMessage: number;
  readonly toMessage: number;
  readonly text: string;
  /** The most private label of what it covers. */
  readonly label: Label;
  /** Where what it covers comes from. */
  readonly sources: readonly Source[];
  /** True when any of what it covers came from an untrusted source. */
  readonly tainted: boolean;
  readonly deployment: string;
  readonly createdAt: number;
}

/** One turn of a conversation. */
export interface Turn {
  /** Grows with time. */
  readonly messageId: number;
  readonly role: "user" | "assistant";
  readonly text: string;
  readonly taskId: string;
  /** Where it comes from: an answer from all that its model had read. */
  readonly sources: readonly Source[];
}

/** A shorter wait is not told: it is over before it is read. */
const shortWaitMs = 3000;

/** What is said of a wait for a model; undefined for one that is expected to be over before it is read. */
export function waitText(wait: {
  readonly ahead: number;
  readonly expectedMs: number;
}): string | undefined {
  if (wait.expectedMs <= shortWaitMs) return undefined;
  const seconds = Math.round(wait.expectedMs / 1000);
  const long = seconds < 100 ? `about ${seconds} s` : `about ${Math.round(seconds / 60)} min`;
  const ahead = wait.ahead === 0 ? "" : `${wait.ahead} before you, `;
  return `Waiting for the model: ${ahead}${long}.`;
}

/** What is said while a host reads a model from its disk. */
export const loadingText = "The model is being loaded, which takes a moment.";

/** What is said where what was written of an answer holds no longer. */
export const anewNotice = "(the answer begins anew)";

/**
 * What a person watching a task sees of it. `queued` comes first where requests of the same chat go before it, `wait` where others
 * have to be answered by the same machine first, `loading` where it reads the model from disk first; `cut` says that the answer reached its limit;
 * the last is `end`, or `waiting` where the task goes on when a person has answered.
 */
export type TaskEvent =
  | { readonly type: "waiting"; readonly question: Question }
  | { readonly type: "queued"; readonly ahead: number }
  | { readonly type: "start"; readonly task: Task }
  | { readonly type: "loading" }
  | { readonly type: "wait"; readonly ahead: number; readonly expectedMs: number }
  | Chosen
  | BudgetEvent
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "tool";
      readonly name: string;
      readonly input: unknown;
      readonly isError: boolean;
    }
  | { readonly type: "cut" }
  | { readonly type: "end"; readonly task: Task };
