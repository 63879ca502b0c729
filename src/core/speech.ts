import type { NewPart } from "./chat.ts";
import type { Question } from "./question.ts";
import type { Task } from "./task.ts";

/** Lines that a person must see with an answer: what is true for a while is said once, what is true of this answer always. */
export interface Notices {
  readonly once: readonly string[];
  readonly always: readonly string[];
}

/** Makes the visible parts of what a task says, so that they are stored with it; none where nobody is sent them. */
export interface Speech {
  answer(ended: Task, notices: Notices): readonly NewPart[];
  question(question: Question, task: Task): readonly NewPart[];
}
