import { sql } from "kysely";

import type { Cap, Ledger } from "#core/ledger.ts";
import type { UsageRow } from "#core/task.ts";

import type { Commit } from "./commit.ts";
import type { Queries } from "./queries.ts";
import type { Read } from "./reads.ts";
import { putUsage } from "./usage.ts";
import type { Writer } from "./writer.ts";

/** US dollars of the attempts that count under a cap. An attempt that began counts with what it may cost. */
function spentUnder({ build, first }: Queries, { since, of }: Cap): number {
  const { deployment, agent, chatId } = of;
  let counted = build
    .selectFrom("usage")
    .select(sql<number>`coalesce(sum(usage.cost_usd), 0)`.as("sum"))
    .where("usage.cost_usd", ">", 0)
    .where("usage.started_at", ">=", since);
  if (deployment !== undefined) counted = counted.where("usage.deployment", "=", deployment);
  if (agent === undefined && chatId === undefined) return first(counted)?.sum ?? 0;
  let ofTasks = counted.innerJoin("tasks", "tasks.id", "usage.task_id");
  if (agent !== undefined) ofTasks = ofTasks.where("tasks.agent", "=", agent);
  if (chatId !== undefined) ofTasks = ofTasks.where("tasks.chat_id", "=", chatId);
  return first(ofTasks)?.sum ?? 0;
}

function reserve(commit: Commit, attempt: UsageRow, caps: readonly Cap[]): Cap | undefined {
  const { costUsd = 0 } = attempt;
  const full = caps.find((cap) => spentUnder(commit, cap) + costUsd > cap.capUsd);
  if (full === undefined) putUsage(commit, attempt);
  return full;
}

/** The ledger over the rows of `usage`. */
export function createLedger(commit: Commit, writer: Writer, read: Read): Ledger {
  return {
    reserve: (attempt, caps) => writer.write(() => reserve(commit, attempt, caps)),
    settle: (attempt) => writer.write(() => putUsage(commit, attempt)),
    spent: (caps) => read(() => caps.map((cap) => spentUnder(commit, cap))),
  };
}
