import type { z } from "zod";

import type { Origin, Source } from "./trust.ts";

/** What a tool may touch. */
export type ToolRisk = "read" | "write" | "network" | "execute";

/** What a tool is told about the task that calls it. */
export interface ToolContext {
  readonly taskId: string;
  readonly personId: string;
  readonly chatId: string;
  readonly signal: AbortSignal;
}

/** What a tool gives where only a person can: the task waits, and the answer is the call's result. */
export interface AskPerson {
  readonly ask: {
    readonly text: string;
    /** What may be chosen; none where any words are an answer. */
    readonly choices: readonly string[];
  };
}

/** What a tool gives where that comes from more than the tool's `gives` says. */
export interface Fetched {
  readonly text: string;
  readonly sources: readonly Source[];
}

/**
 * A function that a model may call. `run` gets input that its schema accepted and gives the text that the model reads; it may
 * throw, and the loop makes that a result the model reads as an error. One that does not end within a second of its signal is left
 * alone: what it still gives is not looked at.
 */
export interface Tool<Input = unknown> {
  readonly name: string;
  /** What it does and when to use it, written for the model. */
  readonly description: string;
  readonly input: z.ZodType<Input>;
  readonly risk: ToolRisk;
  /** Where what it gives comes from, which says how far it may go. */
  readonly gives: Origin;
  run(input: Input, context: ToolContext): Promise<string | Fetched | AskPerson>;
}
