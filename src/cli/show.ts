import { costText, knownCost } from "#core/cost.ts";
import { carrierOf, departureLines, departuresOf } from "#core/departures.ts";
import type { Operations, TaskRecord } from "#core/operations.ts";
import { fateOf, spentText, timesText } from "#core/route-text.ts";
import type { RouteRow, Step, UsageRow } from "#core/task.ts";

import { lineOf, type Output, plainText, whenText } from "./output.ts";

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

function attemptLines(attempt: UsageRow): string[] {
  const { deployment, outcome, reason } = attempt;
  return [
    `    ${deployment} [${outcome}] ${reason}`,
    `      ${timesText(attempt)}; ${spentText([attempt])}`,
  ];
}

/** How the deployment of one model call was found, and what was tried. */
function routeLines({ seq, constraints, candidates }: RouteRow, usage: readonly UsageRow[]) {
  const attempts = usage.filter((row) => row.seq === seq);
  return [
    `  asked for: ${constraints.join("; ")}`,
    "  candidates:",
    ...candidates.map((candidate) => {
      const { deployment, tier, reason } = candidate;
      return `    ${fateOf(candidate, attempts).padEnd(10)}  ${deployment} (${tier}): ${reason}`;
    }),
    "  attempts:",
    ...attempts.flatMap(attemptLines),
  ];
}

function showRoutes({ routes, usage, finishedAt }: TaskRecord, output: Output): void {
  if (routes.length === 0) {
    output.note(
      finishedAt === null
        ? "No model was chosen for it yet."
        : "How its models were chosen is not known.",
    );
  }
  for (const route of routes) {
    output.line(
      output.bold(
        route.seq === 0
          ? "Beside its steps (the choice of its agent, or a summary)"
          : `Step ${route.seq}`,
      ),
    );
    for (const line of routeLines(route, usage)) output.line(plainText(line));
  }
}

function showTask(task: TaskRecord, output: Output): void {
  const { steps, usage, receipts } = task;
  const bold = (text: string): string => output.bold(text);
  const local = task.localOnly ? ", local-only" : "";
  output.line(`${bold("Task")} ${task.id}, ${task.state}, ${whenText(task.createdAt)}`);
  output.line(`${bold("Chat")} ${plainText(task.chatId)}${local}`);
  output.line(`${bold("Agent")} ${task.agent} (chosen by ${task.chosenBy})`);
  output.line(`${bold("Asked")} ${plainText(task.input)}`);
  if (task.output !== null) output.line(`${bold("Answered")} ${plainText(task.output)}`);
  if (task.failure !== null) output.line(`${bold("Failed")} ${task.failure.sentence}`);
  for (const step of steps) output.line(`  ${stepText(step)}`);
  for (const row of usage) output.line(`  ${usageText(row)}`);
  if (usage.length > 0) output.line(`${bold("Cost")} ${costText(knownCost(usage))}`);
  for (const line of departureLines(departuresOf(receipts), carrierOf(task.chatId))) {
    output.line(plainText(line));
  }
}

/** Shows all that is known of one task, or how its models were chosen; as JSON both. */
export async function show(
  operations: Operations,
  output: Output,
  options: { readonly id: string; readonly json: boolean; readonly route: boolean },
): Promise<void> {
  const task = await operations.task({ ending: options.id });
  if (options.json) output.line(JSON.stringify(task));
  else if (options.route) showRoutes(task, output);
  else showTask(task, output);
}
