import type { NewPart } from "./chat.ts";
import type { Question } from "./question.ts";
import type { Task } from "./task.ts";

/** Makes the visible parts of what a task says, so that they are stored with it; none where nobody is sent them. Pure. */
export interface Speech {
  answer(ended: Task): readonly NewPart[];
  question(question: Question, task: Task): readonly NewPart[];
}
