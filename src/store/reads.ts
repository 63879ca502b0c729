import { type Selectable, type SelectQueryBuilder, sql } from "kysely";

import type { Store, TaskQuery } from "#core/store.ts";
import type { PersonSettings } from "#core/person.ts";
import type { Summary, Task, Turn } from "#core/task.ts";

import { allSources, type Source, sourceOf } from "#core/trust.ts";
import type { Queries, Query } from "./queries.ts";
import { toReceipt, toSources, toStep, toSummary, toTask } from "./rows.ts";
import type { Schema } from "./schema.ts";
import { departures, totals } from "./stats.ts";
import { toRoute, toUsage } from "./usage.ts";

type Reads = Pick<
  Store,
  | "openTasks"
  | "task"
  | "tasksEnding"
  | "person"
  | "tasks"
  | "sourcesOf"
  | "tasksAfter"
  | "summaryFor"
  | "steps"
  | "usage"
  | "routes"
  | "lastAttempts"
  | "receipts"
  | "turnsBefore"
  | "holdsOthers"
  | "stats"
  | "departures"
>;

/** A full text query that holds each word as a prefix; undefined when no word has a letter or a digit. */
function textQuery(words: string): string | undefined {
  const terms = words.split(/[\s"\p{C}]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  return terms.length === 0 ? undefined : terms.map((term) => `"${term}"*`).join(" ");
}

type TaskRows = SelectQueryBuilder<Schema, "tasks", Selectable<Schema["tasks"]>>;

/** Without what was asked to stay at home; a chat's own words may be told in it, since they go no further than it does. */
function mayBeTold(build: Queries["build"], tasks: TaskRows, chatId: string): TaskRows {
  const shut = build.selectFrom("privacy_rules").select("chat_id").where("rule", "=", "local-only");
  return tasks
    .where("local_only", "=", 0)
    .where((where) => where.or([where("chat_id", "=", chatId), where("chat_id", "not in", shut)]));
}

function sourcesOf({ build, all, first }: Queries, taskIds: readonly string[]): Source[] {
  if (taskIds.length === 0) return [];
  const said = build
    .selectFrom("tasks")
    .innerJoin("messages", (join) =>
      join
        .onRef("messages.chat_id", "=", "tasks.chat_id")
        .onRef("messages.conversation", "=", "tasks.conversation"),
    )
    .where("tasks.id", "in", [...taskIds]);
  const own = said.whereRef("messages.task_id", "=", "tasks.id").select("messages.sources");
  const others = said
    .innerJoin("tasks as other", "other.id", "messages.task_id")
    .whereRef("other.person_id", "!=", "tasks.person_id")
    .where("other.state", "=", "done")
    .select("other.id")
    .limit(1);
  const isShared = first(others) !== undefined;
  const lists = all(own.distinct()).map(({ sources }) => toSources(sources));
  return allSources(...lists, isShared ? [sourceOf("others")] : []);
}

function findTasks({ build, all }: Queries, query: TaskQuery): Task[] {
  let found = build.selectFrom("tasks").selectAll().orderBy("rowid", "desc").limit(query.limit);
  if (query.personId !== undefined) found = found.where("person_id", "=", query.personId);
  if (query.chatId !== undefined) found = found.where("chat_id", "=", query.chatId);
  if (query.except !== undefined) found = found.where("id", "!=", query.except);
  if (query.toldIn !== undefined) found = mayBeTold(build, found, query.toldIn);
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

/** The row of a task. */
export function taskRow(
  { build, fixed }: Queries,
  taskId: string,
): Query<Selectable<Schema["tasks"]>> {
  return fixed("task", { taskId }, (value) =>
    build.selectFrom("tasks").selectAll().where("id", "=", value("taskId")),
  );
}

function turnsBefore({ build, fixed, all }: Queries, task: Task, limit: number): Turn[] {
  const { chatId, conversation, id } = task;
  const earlier = fixed("turns before", { chatId, conversation, id, limit }, (value) =>
    build
      .selectFrom("messages")
      .innerJoin("tasks", "tasks.id", "messages.task_id")
      .select([
        "messages.id as messageId",
        "messages.role",
        "messages.text",
        "messages.sources",
        "tasks.local_only as localOnly",
        "messages.task_id as taskId",
      ])
      .where("messages.chat_id", "=", value("chatId"))
      .where("messages.conversation", "=", value("conversation"))
      .where("messages.task_id", "!=", value("id"))
      .where("tasks.state", "=", "done")
      .orderBy("messages.id", "desc")
      .limit(value("limit")),
  );
  const rows = all(earlier).toReversed();
  // Nearly all turns have the same sources.
  const lists = new Map<string, Source[]>();
  return rows.map(({ messageId, role, text, taskId, localOnly, sources: list }) => {
    const key = `${localOnly}${list}`;
    const kept = localOnly === 1 ? [sourceOf("kept")] : [];
    const sources = lists.get(key) ?? [...toSources(list), ...kept];
    lists.set(key, sources);
    return { messageId, role, text, taskId, sources };
  });
}

function holdsOthers({ build, first }: Queries, task: Task): boolean {
  const answered = build
    .selectFrom("messages")
    .innerJoin("tasks", "tasks.id", "messages.task_id")
    .select("messages.id")
    .where("messages.chat_id", "=", task.chatId)
    .where("messages.conversation", "=", task.conversation)
    .where("tasks.person_id", "!=", task.personId)
    .where("tasks.state", "=", "done");
  return first(answered.limit(1)) !== undefined;
}

function personSettings({ build, fixed, first }: Queries, personId: string): PersonSettings {
  const row = first(
    fixed("person", { personId }, (value) =>
      build
        .selectFrom("people")
        .select(["time_zone as timeZone", "language"])
        .where("id", "=", value("personId")),
    ),
  );
  return row ?? { timeZone: null, language: null };
}

function newestSummary(
  { build, fixed, first }: Queries,
  { chatId, conversation }: Pick<Task, "chatId" | "conversation">,
): Summary | undefined {
  const newest = fixed("newest summary", { chatId, conversation }, (value) =>
    build
      .selectFrom("summaries")
      .selectAll()
      .where("chat_id", "=", value("chatId"))
      .where("conversation", "=", value("conversation"))
      .orderBy("to_message", "desc")
      .limit(1),
  );
  const row = first(newest);
  return row === undefined ? undefined : toSummary(row);
}

/** Runs a read; its failure is one that a person understands. */
export type Read = <Result>(work: () => Result) => Promise<Result>;

/** What belongs to one task. */
function ofOneTask(
  { build, fixed, all }: Queries,
  read: Read,
): Pick<Reads, "steps" | "usage" | "routes" | "receipts" | "lastAttempts"> {
  const steps = build.selectFrom("steps").selectAll().orderBy("seq");
  const usage = build.selectFrom("usage").selectAll().orderBy("id");
  const receipts = build.selectFrom("receipts").selectAll().orderBy("id");
  const routes = build.selectFrom("routes").selectAll().orderBy("id");
  const answered = build.selectFrom("usage").selectAll().where("outcome", "=", "ok");
  const stepsOf = (taskId: string) =>
    fixed("steps", { taskId }, (value) => steps.where("task_id", "=", value("taskId")));
  const usageOf = (taskId: string) =>
    fixed("usage", { taskId }, (value) => usage.where("task_id", "=", value("taskId")));
  return {
    steps: (taskId) => read(() => all(stepsOf(taskId)).map(toStep)),
    usage: (taskId) => read(() => all(usageOf(taskId)).map(toUsage)),
    routes: (taskId) => read(() => all(routes.where("task_id", "=", taskId)).map(toRoute)),
    lastAttempts: (limit) =>
      read(() => all(answered.orderBy("id", "desc").limit(limit)).map(toUsage)),
    receipts: (taskId) => read(() => all(receipts.where("task_id", "=", taskId)).map(toReceipt)),
  };
}

function tasksAfter({ build, all }: Queries, taskId: string | null, limit: number): Task[] {
  const after = build
    .selectFrom("tasks")
    .selectAll()
    .where("id", ">", taskId ?? "");
  return all(after.orderBy("id").limit(limit)).map(toTask);
}

/** Reads whose failures are what `explain` makes of them. */
export function createRead(explain: (error: unknown) => unknown): Read {
  return async (work) => {
    try {
      return await Promise.resolve(work());
    } catch (error) {
      throw explain(error);
    }
  };
}

/** The reading half of the store. */
export function createReads(queries: Queries, read: Read): Reads {
  const { build, all, first } = queries;
  const tasks = build.selectFrom("tasks").selectAll();
  return {
    ...ofOneTask(queries, read),
    openTasks: () =>
      read(() => {
        const open = tasks.where("state", "in", ["queued", "running"]);
        return all(open.orderBy("rowid")).map(toTask);
      }),
    task: (taskId) =>
      read(() => {
        const row = first(taskRow(queries, taskId));
        return row === undefined ? undefined : toTask(row);
      }),
    tasksEnding: (ending) => read(() => tasksEnding(queries, ending)),
    person: (personId) => read(() => personSettings(queries, personId)),
    tasks: (query) => read(() => findTasks(queries, query)),
    sourcesOf: (taskIds) => read(() => sourcesOf(queries, taskIds)),
    tasksAfter: (taskId, limit) => read(() => tasksAfter(queries, taskId, limit)),
    summaryFor: (task) => read(() => newestSummary(queries, task)),
    turnsBefore: (task, limit) => read(() => turnsBefore(queries, task, limit)),
    holdsOthers: (task) => read(() => holdsOthers(queries, task)),
    stats: (since) => read(() => totals(queries, since)),
    departures: (since) => read(() => departures(queries, since)),
  };
}
