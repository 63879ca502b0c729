import { type Selectable, sql } from "kysely";
import { z } from "zod";

import { askPersonTool, type Question } from "#core/question.ts";
import type { QuestionStore } from "#core/question-store.ts";
import type { NewPart } from "#core/chat.ts";
import type { Task } from "#core/task.ts";

import type { Commit } from "./commit.ts";
import { markHandled } from "./inbox.ts";
import { putParts } from "./outbox.ts";
import type { Read } from "./reads.ts";
import { fromStep, toTask } from "./rows.ts";
import type { Schema } from "./schema.ts";
import type { Writer } from "./writer.ts";

const choicesSchema = z.array(z.string());

function toQuestion(row: Selectable<Schema["questions"]>): Question {
  return {
    id: row.id,
    taskId: row.task_id,
    callId: row.call_id,
    chatId: row.chat_id,
    personId: row.person_id,
    text: row.text,
    choices: choicesSchema.parse(JSON.parse(row.choices)),
  };
}

function ask(commit: Commit, question: Question, parts: readonly NewPart[]): boolean {
  const { build, run, clock } = commit;
  const { id, taskId, callId, chatId, personId, text, choices } = question;
  const wait = build.updateTable("tasks").set({ state: "waiting" }).where("id", "=", taskId);
  if (run(wait.where("state", "=", "running")) === 0) return false;
  const [card] = putParts(commit, parts);
  run(
    build.insertInto("questions").values({
      id,
      task_id: taskId,
      call_id: callId,
      chat_id: chatId,
      person_id: personId,
      text,
      choices: JSON.stringify(choices),
      state: "open",
      outbox_id: card?.id ?? null,
      created_at: clock.now(),
    }),
  );
  return true;
}

/** The answer as the step that the call was waiting for. */
function addStep({ build, first, run, clock }: Commit, question: Question, answer: string): void {
  const last = build.selectFrom("steps").select(({ fn }) => fn.max("seq").as("seq"));
  const seq = (first(last.where("task_id", "=", question.taskId))?.seq ?? 0) + 1;
  const now = clock.now();
  const { text, choices, callId } = question;
  const step = {
    kind: "tool",
    seq,
    startedAt: now,
    finishedAt: now,
    callId,
    name: askPersonTool,
    input: { question: text, choices },
    result: answer,
    isError: false,
    origin: "words",
  } as const;
  run(build.insertInto("steps").values(fromStep(question.taskId, step)));
}

function answerIt(
  commit: Commit,
  questionId: string,
  { answer, seq }: { readonly answer: string; readonly seq: number | undefined },
): { readonly task: Task; readonly question: Question } | undefined {
  const { build, first, run } = commit;
  const open = build.updateTable("questions").set({ state: "answered" });
  if (run(open.where("id", "=", questionId).where("state", "=", "open")) === 0) return undefined;
  const row = first(build.selectFrom("questions").selectAll().where("id", "=", questionId));
  if (row === undefined) return undefined;
  const question = toQuestion(row);
  addStep(commit, question, answer);
  const queue = build.updateTable("tasks").set({ state: "queued" });
  run(queue.where("id", "=", question.taskId).where("state", "=", "waiting"));
  // A task that answered no message answers its question, and so goes on in the chat that was asked.
  const reply = build.updateTable("tasks").set({ reply_to: questionId });
  run(reply.where("id", "=", question.taskId).where("reply_to", "is", null));
  if (seq !== undefined) markHandled(commit, seq);
  const task = first(build.selectFrom("tasks").selectAll().where("id", "=", question.taskId));
  return task === undefined ? undefined : { task: toTask(task), question };
}

/** What tasks ask and people answer. */
export function createQuestions(commit: Commit, writer: Writer, read: Read): QuestionStore {
  const { build, fixed, all, first } = commit;
  const questions = build.selectFrom("questions").selectAll("questions");
  return {
    askPerson: (question, parts) => writer.write(() => ask(commit, question, parts)),
    answerQuestion: (questionId, answer, seq) =>
      writer.write(() => answerIt(commit, questionId, { answer, seq })),
    question: (questionId) =>
      read(() => {
        const row = first(questions.where("id", "=", questionId));
        return row === undefined ? undefined : toQuestion(row);
      }),
    openQuestions: (of) =>
      read(() => {
        const open = () =>
          questions.where("state", "=", sql.lit("open")).orderBy("created_at").orderBy("id");
        const mine =
          "chatId" in of
            ? fixed("questions of a chat", of, (value) =>
                open().where("chat_id", "=", value("chatId")),
              )
            : open().where("task_id", "=", of.taskId);
        return all(mine).map(toQuestion);
      }),
    questionOfMessage: (chatId, messageId) =>
      read(() => {
        const shown = questions
          .innerJoin("outbox", "outbox.id", "questions.outbox_id")
          .where("questions.state", "=", "open")
          .where("outbox.chat_id", "=", chatId)
          .where("outbox.message_id", "=", messageId);
        const row = first(shown);
        return row === undefined ? undefined : toQuestion(row);
      }),
  };
}
