import { sql } from "kysely";

import type { Departure } from "#core/departures.ts";
import type { Stats, UsageTotal } from "#core/store.ts";
import type { TaskState } from "#core/task.ts";
import { labels } from "#core/trust.ts";

import type { Queries } from "./queries.ts";

const noTasks: Readonly<Record<TaskState, number>> = {
  queued: 0,
  running: 0,
  waiting: 0,
  done: 0,
  failed: 0,
  cancelled: 0,
};

/** Totals of the usage since a moment, by deployment or by tier. */
function usageBy({ build, all }: Queries, key: "deployment" | "tier", since: number): UsageTotal[] {
  return all(
    build
      .selectFrom("usage")
      .select([
        `${key} as name`,
        (select) => select.fn.countAll<number>().as("calls"),
        sql<number>`sum(outcome NOT IN ('ok', 'aborted'))`.as("failures"),
        sql<number>`coalesce(sum(prompt_tokens), 0)`.as("promptTokens"),
        sql<number>`coalesce(sum(answer_tokens), 0)`.as("answerTokens"),
        sql<number>`sum(duration_ms)`.as("durationMs"),
        sql<number>`coalesce(sum(cost_usd), 0)`.as("costUsd"),
        sql<number>`sum(cost_usd IS NULL AND prompt_tokens IS NOT NULL)`.as("unpriced"),
      ])
      .where("started_at", ">=", since)
      .groupBy(key)
      .orderBy("calls", "desc"),
  );
}

/** Totals over what was done since a moment (milliseconds since 1970). */
export function totals(queries: Queries, since: number): Stats {
  const { build, all } = queries;
  const byState = build
    .selectFrom("tasks")
    .select(["state", (select) => select.fn.countAll<number>().as("count")])
    .where("created_at", ">=", since)
    .groupBy("state");
  const tasks = { ...noTasks };
  for (const { state, count } of all(byState)) tasks[state] = count;
  const date = sql<string>`date(created_at / 1000, 'unixepoch', 'localtime')`;
  const perDay = all(
    build
      .selectFrom("tasks")
      .select([date.as("date"), (select) => select.fn.countAll<number>().as("tasks")])
      .where("created_at", ">=", since)
      .groupBy(date)
      .orderBy("date"),
  );
  return {
    tasks,
    perDay,
    models: usageBy(queries, "deployment", since),
    tiers: usageBy(queries, "tier", since),
  };
}

/** What left this machine since a moment (milliseconds since 1970). */
export function departures({ build, all }: Queries, since: number): Departure[] {
  const rows = all(
    build
      .selectFrom("receipts")
      .select([
        "host",
        "purpose",
        "trust",
        (select) => select.fn.countAll<number>().as("requests"),
        sql<number>`sum(head_bytes_out + body_bytes_out)`.as("bytesOut"),
        sql<number>`sum(head_bytes_in + body_bytes_in)`.as("bytesIn"),
        sql<number>`sum(redactions)`.as("redactions"),
        sql<string>`group_concat(DISTINCT labels)`.as("labels"),
      ])
      .where("at", ">=", since)
      .where("trust", "!=", "local")
      .groupBy(["host", "purpose", "trust"])
      .orderBy("bytesOut", "desc"),
  );
  return rows.map(({ labels: held, ...row }) => {
    // Lists of JSON, one behind the other.
    return { ...row, labels: labels.filter((label) => held.includes(`"${label}"`)) };
  });
}
