import { costText, knownCost } from "#core/cost.ts";
import { owner } from "#core/person.ts";
import { shortId } from "#core/ids.ts";
import type { Operations } from "#core/operations.ts";
import type { Step, UsageRow } from "#core/task.ts";

import { lineOf, type Output, plainText, whenText } from "./output.ts";

/** Lists the owner's tasks, newest first. */
export async function history(
  operations: Operations,
  output: Output,
  options: { readonly limit: number; readonly search?: string; readonly json: boolean },
): Promise<void> {
  const { limit, search, json } = options;
  const tasks = await operations.tasks({ limit, personId: owner, search });
  if (json) {
    output.line(JSON.stringify(tasks));
    return;
  }
  if (tasks.length === 0) output.note("No tasks yet.");
  for (const task of tasks) {
    const head = `${shortId(task.id)}  ${whenText(task.createdAt)}  ${task.state.padEnd(9)}  ${task.agent.padEnd(10)}`;
    output.line(`${head}  ${lineOf(task.input, 60)}`);
  }
}

function stepText(step: Step): string {
  const ms = `${step.finishedAt - step.startedAt} ms`;
  if (step.kind === "person") return `${step.seq}. you said: ${lineOf(step.text, 100)}`;
  if (step.kind === "tool") {
    const call = `${step.name} ${lineOf(JSON.stringify(step.input), 60)}`;
    return `${step.seq}. ${call} (${ms})${step.isError ? " failed" : ""}: ${lineOf(step.result, 100)}`;
  }
  const calls = step.toolCalls.map((call) => call.name).join(", ");
  return `${step.seq}. ${step.deployment} (${ms}): ${calls === "" ? lineOf(step.text, 100) : `asks for ${calls}`}`;
}

function usageText(row: UsageRow): string {
  const tokens = `${row.promptTokens ?? "?"} tokens read, ${row.answerTokens ?? "?"} written`;
  return `${row.deployment} [${row.outcome}] ${tokens}: ${row.reason}`;
}

/** Shows all that is known of one task. */
export async function show(
  operations: Operations,
  output: Output,
  options: { readonly id: string; readonly json: boolean },
): Promise<void> {
  const task = await operations.task({ ending: options.id });
  const { steps, usage, receipts } = task;
  if (options.json) {
    output.line(JSON.stringify(task));
    return;
  }
  const bold = (text: string): string => output.bold(text);
  output.line(`${bold("Task")} ${task.id}, ${task.state}, ${whenText(task.createdAt)}`);
  output.line(`${bold("Agent")} ${task.agent} (chosen by ${task.chosenBy})`);
  output.line(`${bold("Asked")} ${plainText(task.input)}`);
  if (task.output !== null) output.line(`${bold("Answered")} ${plainText(task.output)}`);
  if (task.failure !== null) output.line(`${bold("Failed")} ${task.failure.sentence}`);
  for (const step of steps) output.line(`  ${stepText(step)}`);
  for (const row of usage) output.line(`  ${usageText(row)}`);
  if (usage.length > 0) output.line(`${bold("Cost")} ${costText(knownCost(usage))}`);
  const gone = receipts.filter((receipt) => receipt.trust !== "local");
  output.line(gone.length === 0 ? "Nothing left this machine." : bold("What left this machine"));
  for (const { host, purpose, headBytesOut, bodyBytesOut, headBytesIn, bodyBytesIn } of gone) {
    const [out, into] = [headBytesOut + bodyBytesOut, headBytesIn + bodyBytesIn];
    output.line(`  ${purpose} to ${host}: ${out} bytes out, ${into} in`);
  }
}
