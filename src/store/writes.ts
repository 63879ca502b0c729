import { sql } from "kysely";

import type { Place } from "#core/chat.ts";
import { newId } from "#core/ids.ts";
import { owner } from "#core/person.ts";
import type { NewTask, Store, TaskEnd } from "#core/store.ts";
import type { AgentChoice, Done, Step, Task, Turn } from "#core/task.ts";
import { sourceOf } from "#core/trust.ts";

import type { Commit } from "./commit.ts";
import { markHandled } from "./inbox.ts";
import { putParts } from "./outbox.ts";
import { columns } from "./queries.ts";
import { type Read, taskRow } from "./reads.ts";
import { createPutReceipt } from "./receipts.ts";
import { failureText, fromStep, fromSummary, openStates, toTask } from "./rows.ts";
import { putRoute, putUsage } from "./usage.ts";
import type { Writer } from "./writer.ts";

type Writes = Pick<
  Store,
  | "ensureChat"
  | "setPerson"
  | "addSummary"
  | "createTask"
  | "startTask"
  | "addSteps"
  | "takeSteers"
  | "finishTask"
  | "newConversation"
  | "putReceipt"
>;

function say(
  commit: Commit,
  task: Task,
  { sources, ...turn }: Pick<Turn, "role" | "text" | "sources">,
): void {
  const message = {
    chat_id: task.chatId,
    conversation: task.conversation,
    task_id: task.id,
    created_at: commit.clock.now(),
    sources: JSON.stringify(sources),
    ...turn,
  };
  const { build, fixed, run } = commit;
  run(fixed("say", message, () => build.insertInto("messages").values(columns(message))));
}

function nextConversation({ build, run }: Commit, chatId: string): void {
  const next = sql<number>`conversation + 1`;
  run(build.updateTable("chats").set({ conversation: next }).where("id", "=", chatId));
}

function keepChoice({ build, run }: Commit, taskId: string, choice: AgentChoice): void {
  const { agent, chosenBy: chosen_by } = choice;
  run(build.updateTable("tasks").set({ agent, chosen_by }).where("id", "=", taskId));
}

function remember(commit: Commit, taskId: string, done: Done): void {
  const { build, fixed, run } = commit;
  if (done.choice !== undefined) keepChoice(commit, taskId, done.choice);
  for (const step of done.steps) {
    const row = fromStep(taskId, step);
    const added = fixed("add step", row, () =>
      build
        .insertInto("steps")
        .values(columns(row))
        .onConflict((conflict) => conflict.doNothing()),
    );
    if (run(added) === 0) return;
  }
  for (const used of done.usage) putUsage(commit, used);
  for (const route of done.routes) putRoute(commit, route);
}

/** Makes sure that a person is there; one without a name is known by that only. */
export function ensurePerson(
  { build, run, clock }: Commit,
  personId: string,
  name: string | null = null,
): void {
  const role = personId === owner ? "owner" : "member";
  const person = { id: personId, created_at: clock.now(), role, name } as const;
  const put = build.insertInto("people").values(person);
  run(put.onConflict((conflict) => conflict.doNothing()));
}

function isLocalOnly({ localOnly = false }: NewTask): 0 | 1 {
  return localOnly ? 1 : 0;
}

/** Stores a request and its message; a task that has the id already is left as it is. */
export function createTask(commit: Commit, task: NewTask): Task {
  const { build, fixed, first, run, clock } = commit;
  const earlier = build
    .selectFrom("tasks")
    .selectAll()
    .where("id", "=", task.id ?? "");
  const known = task.id === undefined ? undefined : first(earlier);
  if (known !== undefined) return toTask(known);
  // A group's chat was made by whoever wrote there first.
  ensurePerson(commit, task.personId);
  if (task.newConversation) nextConversation(commit, task.chatId);
  const chat = fixed("conversation of", { id: task.chatId }, (value) =>
    build.selectFrom("chats").select("conversation").where("id", "=", value("id")),
  );
  const now = clock.now();
  const row = {
    id: task.id ?? newId(now),
    chat_id: task.chatId,
    person_id: task.personId,
    conversation: first(chat)?.conversation ?? 1,
    state: task.begins === true ? "running" : "queued",
    agent: task.agent,
    chosen_by: task.chosenBy,
    tier: task.tier,
    input: task.input,
    output: null,
    failure: null,
    created_at: now,
    finished_at: null,
    reply_to: task.replyTo ?? null,
    avoid: task.avoid ?? null,
    local_only: isLocalOnly(task),
  } as const;
  run(fixed("create task", row, () => build.insertInto("tasks").values(columns(row))));
  const created = toTask({ ...row, rowid: 0 });
  say(commit, created, { role: "user", text: task.input, sources: [sourceOf("words")] });
  if (task.update !== undefined) markHandled(commit, task.update);
  return created;
}

/** What was said to a task and no step has taken up, oldest first. */
function pendingSteers({ build, fixed }: Commit, taskId: string) {
  return fixed("pending steers", { taskId }, (value) =>
    build
      .selectFrom("task_messages")
      .select(["seq", "text"])
      .where("task_id", "=", value("taskId"))
      .where("steers", "=", sql.lit(1))
      .where("step", "is", null)
      .orderBy("seq"),
  );
}

function takeSteers(commit: Commit, taskId: string, seq: number): Step[] {
  const { build, all, run, clock } = commit;
  const now = clock.now();
  return all(pendingSteers(commit, taskId)).map((said, at) => {
    const step = { kind: "person", text: said.text } as const;
    const stored = { ...step, seq: seq + at, startedAt: now, finishedAt: now };
    run(build.insertInto("steps").values(fromStep(taskId, stored)));
    const taken = build.updateTable("task_messages").set({ step: stored.seq });
    run(taken.where("task_id", "=", taskId).where("seq", "=", said.seq));
    return stored;
  });
}

function finish(commit: Commit, end: TaskEnd): "ended" | "over" | "steered" {
  const { build, fixed, first, run, clock } = commit;
  const { taskId, state, output, failure } = end;
  // Who stops a task wants nothing more of it.
  if (state !== "cancelled" && first(pendingSteers(commit, taskId)) !== undefined) {
    remember(commit, taskId, end);
    return "steered";
  }
  const ended = { state, output, failure: failureText(failure), finished_at: clock.now() };
  const open = fixed("end task", { ...ended, taskId }, (value) =>
    build
      .updateTable("tasks")
      .set(columns(ended))
      .where("id", "=", value("taskId"))
      .where("state", "in", openStates),
  );
  if (run(open) === 0) return "over";
  remember(commit, taskId, end);
  const row = first(taskRow(commit, taskId));
  if (row !== undefined && output !== null) {
    say(commit, toTask(row), { role: "assistant", text: output, sources: end.sources });
  }
  putParts(commit, end.parts ?? []);
  return "ended";
}

function changePerson(
  commit: Commit,
  personId: string,
  { timeZone, language }: Parameters<Store["setPerson"]>[1],
): void {
  ensurePerson(commit, personId);
  const change = {
    ...(timeZone === undefined ? {} : { time_zone: timeZone }),
    ...(language === undefined ? {} : { language }),
  };
  if (Object.keys(change).length === 0) return;
  commit.run(commit.build.updateTable("people").set(change).where("id", "=", personId));
}

/** Makes sure that a chat and the person who began it are there. */
export function ensureChat(
  commit: Commit,
  chat: Place & { readonly id: string; readonly personId: string },
): void {
  const { build, run, clock } = commit;
  const { id, platform, address, kind, personId } = chat;
  ensurePerson(commit, personId);
  const row = { id, platform, address, kind, person_id: personId, conversation: 1 };
  const put = build
    .insertInto("chats")
    .values({ ...row, agent: null, tier: null, created_at: clock.now() });
  run(put.onConflict((conflict) => conflict.doNothing()));
}

function start(commit: Commit, taskId: string): Task | undefined {
  const { build, fixed, first, run } = commit;
  const mine = fixed("start task", { taskId }, (value) =>
    build
      .updateTable("tasks")
      .set({ state: "running" })
      .where("id", "=", value("taskId"))
      .where("state", "=", sql.lit("queued")),
  );
  run(mine);
  const row = first(taskRow(commit, taskId));
  return row?.state === "running" ? toTask(row) : undefined;
}

/** The writing half of the store. */
export function createWrites(commit: Commit, writer: Writer, read: Read): Writes {
  const { build, first, run } = commit;
  return {
    ensureChat: ({ id, platform, personId }) =>
      writer.write(() => {
        const address = id.slice(platform.length + 1);
        ensureChat(commit, { id, platform, address, kind: "direct", personId });
      }),
    setPerson: (personId, { timeZone, language }) =>
      writer.write(() => changePerson(commit, personId, { timeZone, language })),
    addSummary: (summary, { usage, routes }) =>
      writer.write(() => {
        run(build.insertInto("summaries").values(fromSummary(summary)));
        for (const row of usage) putUsage(commit, row);
        for (const row of routes) putRoute(commit, row);
      }),
    createTask: (task) => writer.write(() => createTask(commit, task)),
    startTask: (taskId) => writer.write(() => start(commit, taskId)),
    addSteps: (taskId, done) => writer.write(() => remember(commit, taskId, done)),
    takeSteers: async (taskId, seq) => {
      const waiting = await read(() => first(pendingSteers(commit, taskId)));
      return waiting === undefined ? [] : writer.write(() => takeSteers(commit, taskId, seq));
    },
    finishTask: (end) => writer.write(() => finish(commit, end)),
    newConversation: (chatId) => writer.write(() => nextConversation(commit, chatId)),
    putReceipt: createPutReceipt(commit, writer),
  };
}
