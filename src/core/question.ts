/** The name of the tool by which a task asks. */
export const askPersonTool = "ask_person";

/** A question that a task waits on. */
export interface Question {
  readonly id: string;
  readonly taskId: string;
  /** The tool call that asked; its result is the answer. */
  readonly callId: string;
  readonly chatId: string;
  /** Who may answer. */
  readonly personId: string;
  readonly text: string;
  /** What may be chosen; none where any words are an answer. */
  readonly choices: readonly string[];
}
