import { z } from "zod";

import { askPersonTool } from "#core/question.ts";
import type { Tool } from "#core/tool.ts";

const input = z.strictObject({
  question: z.string().min(1).max(1000),
  choices: z
    .array(z.string().min(1).max(60))
    .max(8)
    .default([])
    .describe("what the person may choose; leave out where any words will do"),
});

/** Asks the person who is answered; the task waits for as long as it takes. */
export function createAskPersonTool(): Tool<z.infer<typeof input>> {
  return {
    name: askPersonTool,
    description: "Ask the person a question that you cannot go on without. Ask once, and briefly.",
    input,
    risk: "read",
    gives: "words",
    run: ({ question, choices }) => Promise.resolve({ ask: { text: question, choices } }),
  };
}
