import { type Insertable, type Selectable, sql } from "kysely";
import { z } from "zod";

import { type ErrorCode, errorTable, type Failure } from "#core/errors.ts";
import type { Receipt } from "#core/http.ts";
import type { Step, Summary, Task } from "#core/task.ts";
import { labels, origins, type Source } from "#core/trust.ts";

import type { Schema } from "./schema.ts";

/** The states of a task that is not over, as conditions of a query. */
export const openStates = (["queued", "running", "waiting"] as const).map((state) =>
  sql.lit(state),
);

const failureSchema = z.object({
  // A code that only a later version knows reads as a bug of this one.
  code: z
    .custom<ErrorCode>((value) => typeof value === "string" && value in errorTable)
    .catch("bug"),
  sentence: z.string(),
});

const sourcesSchema = z.array(z.object({ origin: z.enum(origins), label: z.enum(labels) }));

const bodySchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("model"),
    deployment: z.string(),
    text: z.string(),
    toolCalls: z.array(z.object({ id: z.string(), name: z.string(), input: z.unknown() })),
    stop: z.enum(["end", "toolCalls", "length", "aborted", "error"]),
  }),
  z.object({
    kind: z.literal("tool"),
    callId: z.string(),
    name: z.string(),
    input: z.unknown(),
    result: z.string(),
    isError: z.boolean(),
    // Steps of earlier versions do not say; of their tools one read what was remembered.
    origin: z.enum(origins).default("memories"),
    sources: sourcesSchema.optional(),
  }),
  z.object({ kind: z.literal("person"), text: z.string() }),
]);

const labelsSchema = z.array(z.enum(labels));

/** Sources from their column. */
export function toSources(text: string): Source[] {
  return sourcesSchema.parse(JSON.parse(text));
}

/** A failure as it is stored. */
export function failureText(failure: Failure | null): string | null {
  return failure === null ? null : JSON.stringify(failure);
}

/** A task from its row. */
export function toTask(row: Selectable<Schema["tasks"]>): Task {
  return {
    id: row.id,
    chatId: row.chat_id,
    personId: row.person_id,
    conversation: row.conversation,
    state: row.state,
    agent: row.agent,
    chosenBy: row.chosen_by,
    tier: row.tier,
    input: row.input,
    output: row.output,
    failure: row.failure === null ? null : failureSchema.parse(JSON.parse(row.failure)),
    createdAt: row.created_at,
    finishedAt: row.finished_at,
    replyTo: row.reply_to,
    localOnly: row.local_only === 1,
    avoid: row.avoid,
  };
}

/** A step from its row. */
export function toStep(row: Selectable<Schema["steps"]>): Step {
  const { seq, started_at: startedAt, finished_at: finishedAt } = row;
  return { ...bodySchema.parse(JSON.parse(row.body)), seq, startedAt, finishedAt };
}

/** A row from a step. */
export function fromStep(taskId: string, step: Step): Insertable<Schema["steps"]> {
  const { seq, startedAt, finishedAt, ...body } = step;
  return {
    task_id: taskId,
    seq,
    kind: step.kind,
    body: JSON.stringify(body),
    started_at: startedAt,
    finished_at: finishedAt,
  };
}

/** A summary from its row. */
export function toSummary(row: Selectable<Schema["summaries"]>): Summary {
  return {
    chatId: row.chat_id,
    conversation: row.conversation,
    fromMessage: row.from_message,
    toMessage: row.to_message,
    text: row.text,
    label: row.label,
    sources: toSources(row.sources),
    tainted: row.tainted === 1,
    deployment: row.deployment,
    createdAt: row.created_at,
  };
}

/** A row from a summary. */
export function fromSummary(summary: Summary): Insertable<Schema["summaries"]> {
  return {
    chat_id: summary.chatId,
    conversation: summary.conversation,
    from_message: summary.fromMessage,
    to_message: summary.toMessage,
    text: summary.text,
    label: summary.label,
    sources: JSON.stringify(summary.sources),
    tainted: summary.tainted ? 1 : 0,
    deployment: summary.deployment,
    created_at: summary.createdAt,
  };
}

/** A receipt from its row. */
export function toReceipt(row: Selectable<Schema["receipts"]>): Receipt {
  return {
    id: row.id,
    taskId: row.task_id,
    purpose: row.purpose,
    host: row.host,
    trust: row.trust,
    at: row.at,
    headBytesOut: row.head_bytes_out,
    bodyBytesOut: row.body_bytes_out,
    headBytesIn: row.head_bytes_in,
    bodyBytesIn: row.body_bytes_in,
    sha256Out: row.sha256_out,
    sha256In: row.sha256_in,
    labels: labelsSchema.parse(JSON.parse(row.labels)),
    redactions: row.redactions,
    status: row.status,
  };
}

/** A row from a receipt. */
export function fromReceipt(receipt: Receipt): Insertable<Schema["receipts"]> {
  return {
    id: receipt.id,
    task_id: receipt.taskId,
    purpose: receipt.purpose,
    host: receipt.host,
    trust: receipt.trust,
    at: receipt.at,
    head_bytes_out: receipt.headBytesOut,
    body_bytes_out: receipt.bodyBytesOut,
    head_bytes_in: receipt.headBytesIn,
    body_bytes_in: receipt.bodyBytesIn,
    sha256_out: receipt.sha256Out,
    sha256_in: receipt.sha256In,
    labels: JSON.stringify(receipt.labels),
    redactions: receipt.redactions,
    status: receipt.status,
  };
}
