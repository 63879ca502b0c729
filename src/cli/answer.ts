import { budgetText } from "#core/cost.ts";
import { errorTable, exitCodes } from "#core/errors.ts";
import { shortId } from "#core/ids.ts";
import type { Question } from "#core/question.ts";
import {
  anewNotice,
  cutNotice,
  loadingText,
  type Task,
  type TaskEvent,
  waitText,
} from "#core/task.ts";

import { type Output, plainText } from "./output.ts";

/** Writes the text of an answer as it comes. */
function createText(output: Output) {
  const state = { wrote: false, unfinished: false };
  return {
    wrote: () => state.wrote,
    add(text: string): void {
      const plain = plainText(text);
      output.write(state.wrote ? plain : plain.trimStart());
      state.wrote ||= text.trim() !== "";
      state.unfinished = state.wrote;
    },
    /** The model call that what is written belongs to is over. */
    keep(): void {
      state.unfinished = false;
    },
    /** Another model call begins: what one before it left unfinished holds no longer. */
    begin(): void {
      if (state.unfinished) {
        output.write("\n");
        output.note(output.dim(anewNotice));
        state.wrote = false;
      }
      state.unfinished = false;
    },
  };
}

/** Lines beside the answer: each once, but a wait, which counts down. */
function createAside(output: Output) {
  const seen = new Set<string>();
  const state = { waited: false };
  return {
    once(line: string): void {
      if (!seen.has(line)) output.note(output.dim(line));
      seen.add(line);
    },
    /** The first wait stays to be read. */
    wait(line: string): void {
      if (state.waited) output.transient(line);
      else output.note(output.dim(line));
      state.waited = true;
    },
    asked({ text, choices, chatId }: Question): void {
      output.note([text, ...choices].map((line) => plainText(line)).join("\n"));
      const chat = chatId.slice(chatId.indexOf(":") + 1);
      output.note(output.dim(`It goes on when you answer: agent -i --chat ${chat}`));
    },
  };
}

function queuedLine(ahead: number): string {
  const them = ahead === 1 ? "an earlier request" : `${ahead} earlier requests`;
  return `Waiting for ${them} in this chat.`;
}

function toolLine({ name, input, isError }: TaskEvent & { readonly type: "tool" }): string {
  return `${name} ${JSON.stringify(input)}${isError ? " failed" : ""}`;
}

/** Writes a task's events as they come: text to stdout, notices and tools to stderr. */
export function createAnswerWriter(
  output: Output,
  options: { readonly stream: boolean },
): {
  onEvent(event: TaskEvent): void;
} {
  const text = createText(output);
  const aside = createAside(output);
  const lastLines = new Set<string>();

  function end(task: Task): void {
    const isWhole = !options.stream && task.output !== null;
    if (isWhole) output.write(plainText(task.output));
    if (text.wrote() || isWhole) output.write("\n");
    for (const line of lastLines) output.note(output.dim(line));
  }

  function besides(event: TaskEvent): void {
    if (event.type === "queued") output.note(output.dim(queuedLine(event.ahead)));
    else if (event.type === "wait") {
      const line = waitText(event);
      if (line !== undefined) aside.wait(line);
    } else if (event.type === "loading") output.transient(loadingText);
    else if (event.type === "tool") {
      text.keep();
      output.note(output.dim(toolLine(event)));
    } else if (event.type === "cut") lastLines.add(cutNotice);
    else if (event.type === "budget") lastLines.add(budgetText(event));
    else if (event.type === "waiting") aside.asked(event.question);
  }

  return {
    onEvent(event) {
      if (event.type === "chosen") {
        text.begin();
        if (event.notice !== undefined) aside.once(event.notice);
      } else if (event.type === "text") {
        if (options.stream) text.add(event.text);
      } else if (event.type === "end") end(event.task);
      else besides(event);
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
