import { InvalidArgumentError } from "commander";
import type { z } from "zod";

import { AppError } from "#core/errors.ts";

import type { Output } from "./output.ts";
import type { OpenOptions, Services } from "./services.ts";

/** What the command line works with. */
export interface CliDeps {
  readonly version: string;
  readonly output: Output;
  readonly stdin: NodeJS.ReadStream;
  readonly screen: NodeJS.WriteStream;
  /** Aborts at the first Ctrl-C of a one-shot command. */
  readonly interrupt: () => AbortSignal;
  /** Aborts when the system or a person wants a service to end. */
  readonly termination: () => AbortSignal;
  readonly open: (options: OpenOptions) => Promise<Services>;
}

/** The options that every command takes. */
export interface RootOptions {
  readonly home?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly chat?: string;
}

/** Opens the program for a piece of work and closes it after; the work gives the exit code, undefined is 0. */
export type WithServices = (
  work: (services: Services, options: RootOptions) => Promise<number | undefined>,
  how?: Partial<OpenOptions>,
) => Promise<void>;

/** What commands are added to a program with. */
export interface CommandDeps extends CliDeps {
  readonly withServices: WithServices;
  /** True where the library of completion adds its own commands. */
  readonly completes: boolean;
}

/** A whole number above zero. */
export function count(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError("It must be a whole number above 0.");
}

/** What an option that is none of its values says. */
export function badOption(error: z.ZodError): AppError {
  const [issue] = error.issues;
  const problem = `--${String(issue?.path[0])}: ${issue?.message ?? "is not valid"}.`;
  return new AppError("usage.option", { problem }, { cause: error });
}

/** What a command that got a word it does not know, or too few, says. */
export function unknownWord(command: string, word: string, known: string): AppError {
  return new AppError("usage.option", {
    problem: `agent ${command} ${word} is not known, or not whole: use ${known}.`,
  });
}
