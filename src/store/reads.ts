import { sql } from "kysely";

import type { Stats, Store, TaskQuery, UsageTotal } from "#core/store.ts";
import type { Task, TaskState, Turn } from "#core/task.ts";

import type { Queries } from "./queries.ts";
import { toReceipt, toStep, toTask, toUsage } from "./rows.ts";

type Reads = Pick<
  Store,
  | "openTasks"
  | "task"
  | "tasksEnding"
  | "tasks"
  | "steps"
  | "usage"
  | "receipts"
  | "turnsBefore"
  | "stats"
>;

/** A full text query that holds each word as a prefix; undefined when no word has a letter or a digit. */
function textQuery(words: string): string | undefined {
  const terms = words.split(/[\s"\p{C}]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  return terms.length === 0 ? undefined : terms.map((term) => `"${term}"*`).join(" ");
}

function findTasks({ build, all }: Queries, query: TaskQuery): Task[] {
  let found = build.selectFrom("tasks").selectAll().orderBy("rowid", "desc").limit(query.limit);
  if (query.personId !== undefined) found = found.where("person_id", "=", query.personId);
  if (query.except !== undefined) found = found.where("id", "!=", query.except);
  if (query.search !== undefined) {
    const text = textQuery(query.search);
    if (text === undefined) return [];
    const matching = sql<number>`(SELECT rowid FROM tasks_text WHERE tasks_text MATCH ${text})`;
    found = found.where("rowid", "in", matching);
  }
  return all(found).map(toTask);
}

function tasksEnding({ build, all }: Queries, ending: string): Task[] {
  const text = ending.toUpperCase();
  // The last six characters are indexed; fewer need a look at every task.
  const indexed = sql<string>`substr(id, -6)`;
  const rows = build.selectFrom("tasks").selectAll().orderBy("rowid", "desc").limit(10);
  const six = text.length < 6 ? rows : rows.where(indexed, "=", text.slice(-6));
  return all(six.where("id", "like", `%${text.replaceAll(/[^0-9A-Z]/g, "?")}`)).map(toTask);
}

function turnsBefore({ build, all }: Queries, task: Task, limit: number): Turn[] {
  const earlier = build
    .selectFrom("messages")
    .innerJoin("tasks", "tasks.id", "messages.task_id")
    .select(["messages.role", "messages.text", "messages.task_id as taskId"])
    .where("messages.chat_id", "=", task.chatId)
    .where("messages.conversation", "=", task.conversation)
    .where("messages.task_id", "!=", task.id)
    .where("tasks.state", "=", "done")
    .orderBy("messages.id", "desc")
    .limit(limit);
  return all(earlier).toReversed();
}

const noTasks: Readonly<Record<TaskState, number>> = {
  queued: 0,
  running: 0,
  waiting: 0,
  done: 0,
  failed: 0,
  cancelled: 0,
};

function totals({ build, all }: Queries, since: number): Stats {
  const byState = build
    .selectFrom("tasks")
    .select(["state", (select) => select.fn.countAll<number>().as("count")])
    .where("created_at", ">=", since)
    .groupBy("state");
  const tasks = { ...noTasks };
  for (const { state, count } of all(byState)) tasks[state] = count;
  const models: UsageTotal[] = all(
    build
      .selectFrom("usage")
      .select([
        "deployment",
        (select) => select.fn.countAll<number>().as("calls"),
        sql<number>`sum(outcome NOT IN ('ok', 'aborted'))`.as("failures"),
        sql<number>`coalesce(sum(prompt_tokens), 0)`.as("promptTokens"),
        sql<number>`coalesce(sum(answer_tokens), 0)`.as("answerTokens"),
        sql<number>`sum(duration_ms)`.as("durationMs"),
      ])
      .where("started_at", ">=", since)
      .groupBy("deployment")
      .orderBy("calls", "desc"),
  );
  return { tasks, models };
}

/** The reading half of the store. A read that fails rejects with what `explain` makes of it. */
export function createReads(queries: Queries, explain: (error: unknown) => unknown): Reads {
  const { build, all, first } = queries;
  async function read<Result>(work: () => Result): Promise<Result> {
    try {
      return await Promise.resolve(work());
    } catch (error) {
      throw explain(error);
    }
  }
  const ofTask = build.selectFrom("tasks").selectAll();
  return {
    openTasks: () =>
      read(() =>
        all(ofTask.where("state", "in", ["queued", "running"]).orderBy("rowid")).map(toTask),
      ),
    task: (taskId) =>
      read(() => {
        const row = first(ofTask.where("id", "=", taskId));
        return row === undefined ? undefined : toTask(row);
      }),
    tasksEnding: (ending) => read(() => tasksEnding(queries, ending)),
    tasks: (query) => read(() => findTasks(queries, query)),
    steps: (taskId) =>
      read(() =>
        all(build.selectFrom("steps").selectAll().where("task_id", "=", taskId).orderBy("seq")).map(
          toStep,
        ),
      ),
    usage: (taskId) =>
      read(() =>
        all(build.selectFrom("usage").selectAll().where("task_id", "=", taskId).orderBy("id")).map(
          toUsage,
        ),
      ),
    receipts: (taskId) =>
      read(() =>
        all(
          build.selectFrom("receipts").selectAll().where("task_id", "=", taskId).orderBy("id"),
        ).map(toReceipt),
      ),
    turnsBefore: (task, limit) => read(() => turnsBefore(queries, task, limit)),
    stats: (since) => read(() => totals(queries, since)),
  };
}
