import { owner } from "#core/person.ts";
import { shortId } from "#core/ids.ts";
import type { Operations } from "#core/operations.ts";

import { lineOf, type Output, whenText } from "./output.ts";

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
