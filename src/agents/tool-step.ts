import { z } from "zod";

import type { Clock } from "#core/clock.ts";
import { reasonOf } from "#core/errors.ts";
import type { ToolCall } from "#core/model.ts";
import type { Step, ToolStep } from "#core/task.ts";
import type { Tool, ToolContext } from "#core/tool.ts";

type Outcome = Pick<ToolStep, "result" | "isError">;

function refused(result: string): Outcome {
  return { result, isError: true };
}

async function runTool(
  tools: readonly Tool[],
  call: ToolCall,
  context: ToolContext,
): Promise<Outcome> {
  const tool = tools.find((candidate) => candidate.name === call.name);
  if (tool === undefined) {
    const known = tools.map((candidate) => candidate.name).join(", ");
    return refused(
      `There is no tool "${call.name}". ${known === "" ? "Answer in words." : `Use one of: ${known}.`}`,
    );
  }
  const input = tool.input.safeParse(call.input);
  if (!input.success) {
    return refused(`The input of ${tool.name} is not valid:\n${z.prettifyError(input.error)}`);
  }
  try {
    return { result: await tool.run(input.data, context), isError: false };
  } catch (error) {
    return refused(`${tool.name} failed: ${reasonOf(error)}`);
  }
}

/** Runs one tool call; never rejects: what goes wrong is a result that the model reads. */
export async function callTool(
  deps: { readonly tools: readonly Tool[]; readonly clock: Clock; readonly seq: number },
  call: ToolCall,
  context: ToolContext,
): Promise<Step & ToolStep> {
  const startedAt = deps.clock.now();
  const outcome = await runTool(deps.tools, call, context);
  return {
    kind: "tool",
    seq: deps.seq,
    startedAt,
    finishedAt: deps.clock.now(),
    callId: call.id,
    name: call.name,
    input: call.input,
    ...outcome,
  };
}
