import type { NewPart } from "./chat.ts";
import type { Question } from "./question.ts";
import type { Task } from "./task.ts";

/** Questions of tasks. Promises resolve after the commit. */
export interface QuestionStore {
  /**
   * Stores a question, its card and the task's waiting in one commit. False, and nothing changed, when the task is not running.
   * The parts are the card as it is sent; none where nobody is sent one.
   */
  askPerson(question: Question, parts: readonly NewPart[]): Promise<boolean>;
  /**
   * The answer becomes the result of the call that asked, and the task is queued again, in one commit. Undefined, and nothing changed,
   * when the question is not open. A task that answered no message answers the question from then on. `seq` is an update that is done with this.
   */
  answerQuestion(
    questionId: string,
    answer: string,
    seq?: number,
  ): Promise<{ readonly task: Task; readonly question: Question } | undefined>;
  question(questionId: string): Promise<Question | undefined>;
  /** Open questions, oldest first; of one chat, or of one task. */
  openQuestions(of: { readonly chatId: string } | { readonly taskId: string }): Promise<Question[]>;
  /** The open question whose card is this message of the chat. */
  questionOfMessage(chatId: string, messageId: string): Promise<Question | undefined>;
}
