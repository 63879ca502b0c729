import { AppError, reasonOf } from "#core/errors.ts";

import { SilenceError } from "./deadline.ts";

/** Which model on which host a failure is about. */
export interface Subject {
  /** As people name it, for example qwen3:1.7b. */
  readonly model: string;
  /** Its address. */
  readonly host: string;
}

/** What a failed connection or a broken body means. */
export function broken(subject: Subject, error: unknown): AppError {
  const { model, host } = subject;
  if (error instanceof SilenceError) {
    return new AppError("model.timeout", { model, seconds: error.seconds }, { cause: error });
  }
  if (error instanceof AppError) {
    if (error.code !== "door.unreachable") return error;
    const problem = /\((.*)\)/.exec(error.message)?.[1] ?? error.message;
    if (/^connection (reset|closed)/.test(problem)) {
      return new AppError("model.reset", { host }, { cause: error });
    }
    return new AppError("model.unavailable", { host, problem }, { cause: error });
  }
  if (error instanceof SyntaxError || (error instanceof Error && error.name === "ZodError")) {
    return new AppError(
      "model.protocol",
      { model, problem: "a line that is not of its API" },
      { cause: error },
    );
  }
  return new AppError("model.truncated", { model, problem: reasonOf(error) }, { cause: error });
}
