import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { knownCost, knownTokens } from "#core/cost.ts";
import { AppError, reasonOf } from "#core/errors.ts";
import type { Operations, TaskRecord } from "#core/operations.ts";

import type { Output } from "./output.ts";
import type { Services } from "./services.ts";

/** The formats of an export. */
export const exportFormats = ["json", "jsonl", "csv"] as const;

/** One of the formats of an export. */
export type ExportFormat = (typeof exportFormats)[number];

/** Tasks of one page: enough to be quick, few enough to be small. */
const pageSize = 50;

async function* records(operations: Operations): AsyncGenerator<TaskRecord> {
  let after: string | null = null;
  for (;;) {
    const page: TaskRecord[] = await operations.export({ after, limit: pageSize });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return;
    after = last.id;
  }
}

const columns = [
  "id",
  "created_at",
  "finished_at",
  "chat",
  "person",
  "conversation",
  "agent",
  "state",
  "deployment",
  "prompt_tokens",
  "answer_tokens",
  "cost_usd",
  "input",
  "output",
  "failure",
] as const;

/** A field of RFC 4180. A leading sign that a spreadsheet would take for a formula is kept from it by an apostrophe. */
function field(value: string | number | null): string {
  const text = String(value ?? "");
  const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function csvRow(record: TaskRecord): string {
  const answered = record.steps.findLast((step) => step.kind === "model");
  const values: Record<(typeof columns)[number], string | number | null> = {
    id: record.id,
    created_at: isoTime(record.createdAt),
    finished_at: isoTime(record.finishedAt),
    chat: record.chatId,
    person: record.personId,
    conversation: record.conversation,
    agent: record.agent,
    state: record.state,
    deployment: answered?.deployment ?? null,
    prompt_tokens: knownTokens(record.usage, "promptTokens"),
    answer_tokens: knownTokens(record.usage, "answerTokens"),
    cost_usd: record.usage.length === 0 ? null : knownCost(record.usage),
    input: record.input,
    output: record.output,
    failure: record.failure?.sentence ?? null,
  };
  return columns.map((name) => field(values[name])).join(",");
}

async function* asText(
  format: ExportFormat,
  all: AsyncIterable<TaskRecord>,
): AsyncGenerator<string> {
  if (format === "csv") yield `${columns.join(",")}\r\n`;
  if (format === "json") yield "[";
  let first = true;
  for await (const record of all) {
    if (format === "csv") yield `${csvRow(record)}\r\n`;
    else if (format === "jsonl") yield `${JSON.stringify(record)}\n`;
    else yield `${first ? "\n" : ",\n"}${JSON.stringify(record)}`;
    first = false;
  }
  if (format === "json") yield "\n]\n";
}

function failure(file: string, error: unknown): unknown {
  if (error instanceof AppError) return error;
  return new AppError("export.failed", { file, problem: reasonOf(error) }, { cause: error });
}

/** Writes beside the file and renames, so that what is there is whole or untouched. */
async function toFile(file: string, text: AsyncIterable<string>): Promise<void> {
  const beside = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.part`);
  try {
    await pipeline(Readable.from(text), createWriteStream(beside, { mode: 0o600, flush: true }));
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw failure(file, error);
  }
}

/** Writes every task, oldest first, with its steps, usage and receipts (csv: one row a task) to a file or to stdout. */
export async function exportTasks(
  { operations, redact }: Services,
  output: Output,
  options: { readonly format: ExportFormat; readonly output?: string | undefined },
): Promise<void> {
  const count = { tasks: 0 };
  async function* counted(): AsyncGenerator<TaskRecord> {
    for await (const record of records(operations)) {
      count.tasks += 1;
      yield record;
    }
  }
  async function* clean(): AsyncGenerator<string> {
    for await (const piece of asText(options.format, counted())) yield redact(piece);
  }
  const text = clean();
  if (options.output === undefined) {
    for await (const piece of text) await output.writeAll(piece);
    return;
  }
  const file = path.resolve(options.output);
  await toFile(file, text);
  output.note(`${count.tasks} tasks written to ${file}.`);
}
