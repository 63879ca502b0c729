import type { NewPart } from "./chat.ts";
import type { Question } from "./question.ts";
import type { Task } from "./task.ts";

/** Makes the visible parts of what a task says, so that they are stored with it; none where nobody is sent them. */
export interface Speech {
  /** `notices` are lines that the person must see with the answer; one that was seen in this chat lately is left out. */
  answer(ended: Task, notices: readonly string[]): readonly NewPart[];
  question(question: Question, task: Task): readonly NewPart[];
}
