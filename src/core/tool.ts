import type { z } from "zod";

/** What a tool may touch. */
export type ToolRisk = "read" | "write" | "network" | "execute";

/** What a tool is told about the task that calls it. */
export interface ToolContext {
  readonly taskId: string;
  readonly personId: string;
  readonly chatId: string;
  readonly signal: AbortSignal;
}

/**
 * A function that a model may call. `run` gets input that its schema accepted and gives the text that the model reads; it may
 * throw, and the loop makes that a result the model reads as an error.
 */
export interface Tool<Input = unknown> {
  readonly name: string;
  /** What it does and when to use it, written for the model. */
  readonly description: string;
  readonly input: z.ZodType<Input>;
  readonly risk: ToolRisk;
  run(input: Input, context: ToolContext): Promise<string>;
}
