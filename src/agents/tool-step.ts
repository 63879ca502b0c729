import { z } from "zod";

import type { Clock } from "#core/clock.ts";
import { reasonOf } from "#core/errors.ts";
import type { ToolCall } from "#core/model.ts";
import type { Step, ToolStep } from "#core/task.ts";
import type { AskPerson, Tool, ToolContext } from "#core/tool.ts";

type Outcome = Pick<ToolStep, "result" | "isError" | "sources">;

/** How long a tool may take to end when its task is stopped. */
const stopMs = 500;

function refused(result: string): Outcome {
  return { result, isError: true };
}

/** What the tool gives; a tool that goes on after its task was stopped is left alone. */
async function ended<Result>(
  work: Promise<Result>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Result> {
  const over = new AbortController();
  const stopped = new Promise<never>((_, reject) => {
    const stop = (): void => {
      void clock.sleep(stopMs, over.signal).then(() => reject(new Error("it was stopped")));
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true, signal: over.signal });
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    over.abort();
  }
}

async function runTool(
  { tools, clock }: { readonly tools: readonly Tool[]; readonly clock: Clock },
  call: ToolCall,
  context: ToolContext,
): Promise<Outcome | AskPerson> {
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
    const result = await ended(tool.run(input.data, context), { clock, signal: context.signal });
    if (typeof result === "string") return { result, isError: false };
    if ("ask" in result) return result;
    return { result: result.text, isError: false, sources: result.sources };
  } catch (error) {
    return refused(`${tool.name} failed: ${reasonOf(error)}`);
  }
}

/**
 * Runs one tool call; never rejects: what goes wrong is a result that the model reads. Gives what the tool asks of a person in
 * place of a step.
 */
export async function callTool(
  deps: { readonly tools: readonly Tool[]; readonly clock: Clock; readonly seq: number },
  call: ToolCall,
  context: ToolContext,
): Promise<(Step & ToolStep) | AskPerson> {
  const startedAt = deps.clock.now();
  const begun = deps.clock.elapsed();
  const outcome = await runTool(deps, call, context);
  if ("ask" in outcome) return outcome;
  return {
    kind: "tool",
    seq: deps.seq,
    startedAt,
    finishedAt: startedAt + Math.round(deps.clock.elapsed() - begun),
    callId: call.id,
    name: call.name,
    input: call.input,
    origin: deps.tools.find(({ name }) => name === call.name)?.gives ?? "instructions",
    ...outcome,
  };
}
