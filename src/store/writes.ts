import { sql } from "kysely";

import type { Place } from "#core/chat.ts";
import { newId } from "#core/ids.ts";
import { owner } from "#core/person.ts";
import type { NewTask, Store, TaskEnd } from "#core/store.ts";
import type { Task, Turn } from "#core/task.ts";

import type { Commit } from "./commit.ts";
import { putParts } from "./outbox.ts";
import { failureText, fromReceipt, fromStep, fromSummary, fromUsage, toTask } from "./rows.ts";
import type { Writer } from "./writer.ts";

type Writes = Pick<
  Store,
  | "ensureChat"
  | "setPerson"
  | "addSummary"
  | "createTask"
  | "startTask"
  | "addSteps"
  | "finishTask"
  | "newConversation"
  | "putReceipt"
>;

function say(commit: Commit, task: Task, turn: Pick<Turn, "role" | "text">): void {
  const message = {
    chat_id: task.chatId,
    conversation: task.conversation,
    task_id: task.id,
    created_at: commit.clock.now(),
    ...turn,
  };
  commit.run(commit.build.insertInto("messages").values(message));
}

function nextConversation({ build, run }: Commit, chatId: string): void {
  const next = sql<number>`conversation + 1`;
  run(build.updateTable("chats").set({ conversation: next }).where("id", "=", chatId));
}

function remember(
  { build, run }: Commit,
  taskId: string,
  done: Pick<TaskEnd, "steps" | "usage">,
): void {
  for (const step of done.steps) {
    const added = build.insertInto("steps").values(fromStep(taskId, step));
    if (run(added.onConflict((conflict) => conflict.doNothing())) === 0) return;
  }
  for (const row of done.usage) run(build.insertInto("usage").values(fromUsage(row)));
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

/** Stores a request and its message; a task that has the id already is left as it is. */
export function createTask(commit: Commit, task: NewTask): Task {
  const { build, first, run, clock } = commit;
  const earlier = build
    .selectFrom("tasks")
    .selectAll()
    .where("id", "=", task.id ?? "");
  const known = task.id === undefined ? undefined : first(earlier);
  if (known !== undefined) return toTask(known);
  // A group's chat was made by whoever wrote there first.
  ensurePerson(commit, task.personId);
  if (task.newConversation) nextConversation(commit, task.chatId);
  const chat = build.selectFrom("chats").select("conversation").where("id", "=", task.chatId);
  const now = clock.now();
  const row = {
    id: task.id ?? newId(now),
    chat_id: task.chatId,
    person_id: task.personId,
    conversation: first(chat)?.conversation ?? 1,
    state: "queued",
    agent: task.agent,
    chosen_by: task.chosenBy,
    tier: task.tier,
    input: task.input,
    output: null,
    failure: null,
    created_at: now,
    finished_at: null,
    reply_to: null,
  } as const;
  run(build.insertInto("tasks").values(row));
  const created = toTask({ ...row, rowid: 0 });
  say(commit, created, { role: "user", text: task.input });
  return created;
}

function finish(commit: Commit, end: TaskEnd): boolean {
  const { build, first, run, clock } = commit;
  const { taskId, state, output, failure } = end;
  const ended = { state, output, failure: failureText(failure), finished_at: clock.now() };
  const open = build
    .updateTable("tasks")
    .set(ended)
    .where("id", "=", taskId)
    .where("state", "in", ["queued", "running", "waiting"]);
  if (run(open) === 0) return false;
  remember(commit, taskId, end);
  const row = first(build.selectFrom("tasks").selectAll().where("id", "=", taskId));
  if (row !== undefined && output !== null) {
    say(commit, toTask(row), { role: "assistant", text: output });
  }
  putParts(commit, end.parts ?? []);
  return true;
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

function start({ build, first, run }: Commit, taskId: string): Task | undefined {
  const mine = build.updateTable("tasks").set({ state: "running" }).where("id", "=", taskId);
  run(mine.where("state", "=", "queued"));
  const row = first(build.selectFrom("tasks").selectAll().where("id", "=", taskId));
  return row?.state === "running" ? toTask(row) : undefined;
}

/** The writing half of the store. */
export function createWrites(commit: Commit, writer: Writer): Writes {
  const { build, run } = commit;
  return {
    ensureChat: ({ id, platform, personId }) =>
      writer.write(() => {
        const address = id.slice(platform.length + 1);
        ensureChat(commit, { id, platform, address, kind: "direct", personId });
      }),
    setPerson: (personId, { timeZone, language }) =>
      writer.write(() => changePerson(commit, personId, { timeZone, language })),
    addSummary: (summary, usage) =>
      writer.write(() => {
        run(build.insertInto("summaries").values(fromSummary(summary)));
        for (const row of usage) run(build.insertInto("usage").values(fromUsage(row)));
      }),
    createTask: (task) => writer.write(() => createTask(commit, task)),
    startTask: (taskId) => writer.write(() => start(commit, taskId)),
    addSteps: (taskId, steps, usage) =>
      writer.write(() => remember(commit, taskId, { steps, usage })),
    finishTask: (end) => writer.write(() => finish(commit, end)),
    newConversation: (chatId) => writer.write(() => nextConversation(commit, chatId)),
    putReceipt: (receipt) =>
      writer.write(() => {
        const row = fromReceipt(receipt);
        const put = build.insertInto("receipts").values(row);
        run(put.onConflict((conflict) => conflict.column("id").doUpdateSet(row)));
      }),
  };
}
