import type { Insertable, Selectable } from "kysely";

import type { RouteRow, UsageRow } from "#core/task.ts";
import { z } from "zod";

import type { Commit } from "./commit.ts";
import { columns } from "./queries.ts";
import type { Schema } from "./schema.ts";

/** A usage entry from its row. */
export function toUsage(row: Selectable<Schema["usage"]>): UsageRow {
  return {
    id: row.attempt_id ?? String(row.id),
    taskId: row.task_id,
    seq: row.seq,
    deployment: row.deployment,
    tier: row.tier,
    reason: row.reason,
    outcome: row.outcome,
    startedAt: row.started_at,
    queuedMs: row.queued_ms,
    durationMs: row.duration_ms,
    ...(row.prompt_tokens === null ? {} : { promptTokens: row.prompt_tokens }),
    ...(row.answer_tokens === null ? {} : { answerTokens: row.answer_tokens }),
    ...(row.cached_tokens === null ? {} : { cachedTokens: row.cached_tokens }),
    ...(row.cache_written_tokens === null ? {} : { cacheWrittenTokens: row.cache_written_tokens }),
    ...(row.first_token_ms === null ? {} : { firstTokenMs: row.first_token_ms }),
    ...(row.cost_usd === null ? {} : { costUsd: row.cost_usd }),
    ...(row.priced === null ? {} : { priced: row.priced }),
    ...(row.estimated === 0 ? {} : { estimated: true }),
  };
}

function fromUsage(usage: UsageRow): Insertable<Schema["usage"]> {
  return {
    attempt_id: usage.id,
    task_id: usage.taskId,
    seq: usage.seq,
    deployment: usage.deployment,
    tier: usage.tier,
    reason: usage.reason,
    outcome: usage.outcome,
    prompt_tokens: usage.promptTokens ?? null,
    answer_tokens: usage.answerTokens ?? null,
    cached_tokens: usage.cachedTokens ?? null,
    cache_written_tokens: usage.cacheWrittenTokens ?? null,
    started_at: usage.startedAt,
    queued_ms: usage.queuedMs,
    duration_ms: usage.durationMs,
    first_token_ms: usage.firstTokenMs ?? null,
    cost_usd: usage.costUsd ?? null,
    priced: usage.priced ?? null,
    estimated: usage.estimated === true ? 1 : 0,
  };
}

/** Stores an attempt, in the place of its reservation where there is one. */
export function putUsage({ build, fixed, run }: Commit, usage: UsageRow): void {
  const row = fromUsage(usage);
  const put = fixed("put usage", row, () =>
    build
      .insertInto("usage")
      .values(columns(row))
      .onConflict((conflict) => conflict.column("attempt_id").doUpdateSet(columns(row))),
  );
  run(put);
}

const routeSchema = z.object({
  constraints: z.array(z.string()),
  candidates: z.array(
    z.object({
      deployment: z.string(),
      tier: z.enum(["local-fast", "local-smart", "cloud-smart", "embedded"]),
      reason: z.string(),
      usable: z.boolean(),
    }),
  ),
});

/** A route from its row. */
export function toRoute({ task_id: taskId, seq, body }: Selectable<Schema["routes"]>): RouteRow {
  return { ...routeSchema.parse(JSON.parse(body)), taskId, seq };
}

/** Stores how a deployment was found. */
export function putRoute({ build, fixed, run }: Commit, { taskId, seq, ...route }: RouteRow): void {
  const row = { task_id: taskId, seq, body: JSON.stringify(route) };
  run(fixed("put route", row, () => build.insertInto("routes").values(columns(row))));
}
