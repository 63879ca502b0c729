import { errorTable, exitCodes } from "#core/errors.ts";
import { shortId } from "#core/ids.ts";
import type { Question } from "#core/question.ts";
import { cutNotice, type Task, type TaskEvent } from "#core/task.ts";

import { type Output, plainText } from "./output.ts";

/** Writes a task's events as they come: text to stdout, notices and tools to stderr. */
export function createAnswerWriter(
  output: Output,
  options: { readonly stream: boolean },
): {
  onEvent(event: TaskEvent): void;
} {
  let wrote = false;
  const seen = new Set<string>();

  let cut = false;

  function noticeOnce(notice: string): void {
    if (!seen.has(notice)) output.note(output.dim(notice));
    seen.add(notice);
  }

  function end(task: Task): void {
    if (!options.stream && task.output !== null) output.write(plainText(task.output));
    if (wrote || (!options.stream && task.output !== null)) output.write("\n");
    if (cut) output.note(output.dim(cutNotice));
  }

  function addText(text: string): void {
    const plain = plainText(text);
    output.write(wrote ? plain : plain.trimStart());
    wrote ||= text.trim() !== "";
  }

  function asked({ text, choices, chatId }: Question): void {
    output.note([text, ...choices].map((line) => plainText(line)).join("\n"));
    const chat = chatId.slice(chatId.indexOf(":") + 1);
    output.note(output.dim(`It goes on when you answer: agent -i --chat ${chat}`));
  }

  function besides(event: TaskEvent): string | undefined {
    if (event.type === "queued") {
      const them = event.ahead === 1 ? "an earlier request" : `${event.ahead} earlier requests`;
      return `Waiting for ${them} in this chat.`;
    }
    if (event.type !== "tool") return undefined;
    return `${event.name} ${JSON.stringify(event.input)}${event.isError ? " failed" : ""}`;
  }

  return {
    onEvent(event) {
      const line = besides(event);
      if (line !== undefined) output.note(output.dim(line));
      if (event.type === "chosen" && event.notice !== undefined) noticeOnce(event.notice);
      else if (event.type === "text" && options.stream) addText(event.text);
      else if (event.type === "waiting") asked(event.question);
      else if (event.type === "cut") cut = true;
      else if (event.type === "end") end(event.task);
    },
  };
}

/** The exit code that a task's end gives its command. */
export function exitOf(task: Task): number {
  if (task.state === "cancelled") return exitCodes.interrupted;
  return task.failure === null ? exitCodes.ok : errorTable[task.failure.code].exit;
}

/** Says how a task ended where that is not plain from its answer, and gives the exit code. */
export function reportEnd(task: Task, output: Output): number {
  if (task.state === "cancelled") {
    output.note(`Stopped. What was done is kept: agent show ${shortId(task.id)}`);
  } else if (task.failure !== null) output.note(task.failure.sentence);
  return exitOf(task);
}
