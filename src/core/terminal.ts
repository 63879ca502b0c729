/**
 * What somebody who attends a chat on a terminal sees of it. `open` comes first, `caught-up` when all that was left of earlier is
 * answered and shown. `draft` is what there is of an answer; all but messages may be lost.
 */
export type TerminalEvent =
  | { readonly type: "open" }
  | { readonly type: "caught-up" }
  | {
      readonly type: "message";
      /** Known again where it is shown a second time, or was changed. */
      readonly id: string;
      /** What the agent answers; "" where it is a message of ours. */
      readonly answer: string;
      /** What is beside the answer, or a message of ours. */
      readonly notes: string;
      /** What may be chosen, by number from 1. */
      readonly choices: readonly string[];
    }
  | { readonly type: "draft"; readonly taskId: string; readonly text: string }
  | { readonly type: "typing" }
  /** What was said has to wait for its turn. */
  | { readonly type: "queued" }
  /** A line that is kept nowhere. */
  | { readonly type: "note"; readonly line: string };
