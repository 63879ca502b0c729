import { z } from "zod";

import { tierNames } from "./route.ts";

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, "i") instanceof RegExp;
  } catch {
    return false;
  }
}

/** The agent that answers when nothing names another. */
export const defaultAgent = "assistant";

/** The schema of an agent's YAML profile; unknown keys are refused. */
export const agentSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/, "must be lower-case letters, digits and hyphens, at most 31"),
  description: z.string().min(1).max(300),
  model_tier: z.enum(tierNames).default("local-fast"),
  max_iterations: z.int().min(1).max(100).default(10),
  max_seconds: z.int().min(1).max(86_400).default(600),
  max_tokens: z.int().min(100).max(10_000_000).default(100_000),
  /** US dollars of one task; absent where only the budgets count. */
  max_cost: z.number().positive().optional(),
  approval_required: z.array(z.string()).default([]),
  tools: z.array(z.string()).default([]),
  system_prompt: z.string().min(1).max(20_000),
  /** Requests that this agent should take, in a person's words. */
  examples: z.array(z.string().min(1)).max(50).default([]),
  /** Regular expressions (case is ignored); a request that matches those of one agent alone is its. */
  rules: z
    .array(z.string().min(1).refine(isPattern, "must be a regular expression"))
    .max(50)
    .default([]),
});

/** An agent: its purpose, tier, tools, limits and instructions. Adding an agent is adding its file. */
export type Agent = z.infer<typeof agentSchema>;
