import { type Selectable } from "kysely";

import type { Place } from "#core/chat.ts";
import type { Chat, ChatStore, TakenMessage } from "#core/chat-store.ts";
import type { Task, TaskState } from "#core/task.ts";

import type { Commit } from "./commit.ts";
import { markHandled } from "./inbox.ts";
import { columns } from "./queries.ts";
import { type Read, taskRow } from "./reads.ts";
import { openStates, toTask } from "./rows.ts";
import type { Schema } from "./schema.ts";
import { createTask, ensureChat } from "./writes.ts";
import type { Writer } from "./writer.ts";

type Chats = Pick<
  ChatStore,
  | "chatAt"
  | "chat"
  | "setChat"
  | "moveChat"
  | "takeMessage"
  | "amendMessage"
  | "taskOfMessage"
  | "openTasksOf"
  | "cancelTasks"
  | "dropTask"
  | "steerTask"
  | "chatOfMessage"
>;

function toChat(row: Selectable<Schema["chats"]>): Chat {
  const { id, platform, address, kind, agent, tier } = row;
  return { id, platform, address, kind, agent, tier };
}

function chatRowAt({ build, fixed }: Commit, { platform, address }: Place) {
  return fixed("chat at", { platform, address }, (value) =>
    build
      .selectFrom("chats")
      .selectAll()
      .where("platform", "=", value("platform"))
      .where("address", "=", value("address")),
  );
}

function chatAt(commit: Commit, place: Place, personId: string): Chat {
  const { platform, address, kind } = place;
  const found = commit.first(chatRowAt(commit, place));
  if (found !== undefined) return toChat(found);
  const id = `${platform}:${address}`;
  ensureChat(commit, { id, platform, address, kind, personId });
  return { id, platform, address, kind, agent: null, tier: null };
}

/** The words of a task's messages as one request, and what follows from it. */
function reword({ build, all, run }: Commit, taskId: string): void {
  const said = build.selectFrom("task_messages").select(["text", "message_id"]);
  const asked = said.where("task_id", "=", taskId).where("steers", "=", 0);
  const messages = all(asked.orderBy("seq"));
  const input = messages.map(({ text }) => text).join("\n\n");
  const reply_to = messages.at(-1)?.message_id ?? null;
  run(build.updateTable("tasks").set({ input, reply_to }).where("id", "=", taskId));
  const mine = build.updateTable("messages").set({ text: input }).where("task_id", "=", taskId);
  run(mine.where("role", "=", "user"));
}

/** A message that a task begins with, or that joins it. */
function putMessage(
  { build, fixed, run }: Commit,
  { request, messageId }: TakenMessage,
  at: { readonly taskId: string; readonly seq: number },
): void {
  const row = {
    chat_id: request.chatId,
    message_id: messageId,
    task_id: at.taskId,
    seq: at.seq,
    text: request.input,
    step: null,
  };
  run(fixed("put message", row, () => build.insertInto("task_messages").values(columns(row))));
}

/** Words of one request, in characters: beyond them what is said next is a request of its own, or no model could read it. */
const longestRequest = 8000;

/** The last task of the chat, if it is that person's, asks for the same tier, has not begun and has room for more. */
function queuedOf({ build, fixed, first }: Commit, { request }: TakenMessage): string | undefined {
  const { chatId } = request;
  const last = fixed("last open task", { chatId }, (value) =>
    build
      .selectFrom("tasks")
      .select(["id", "state", "person_id", "tier", "input"])
      .where("chat_id", "=", value("chatId"))
      .where("state", "in", openStates)
      .orderBy("rowid", "desc")
      .limit(1),
  );
  const row = first(last);
  if (row?.state !== "queued" || row.person_id !== request.personId) return undefined;
  // What was said to go to a cloud takes nothing along that was not.
  if (row.tier !== request.tier) return undefined;
  return row.input.length + request.input.length > longestRequest ? undefined : row.id;
}

/** Makes a task of a message; it stays as it is where its id is known. */
function begin(commit: Commit, message: TakenMessage): Task {
  const task = createTask(commit, { ...message.request, replyTo: message.messageId });
  putMessage(commit, message, { taskId: task.id, seq: 0 });
  return task;
}

function join(commit: Commit, taskId: string, message: TakenMessage): Task {
  const { build, first } = commit;
  const count = build.selectFrom("task_messages").select(({ fn }) => fn.max("seq").as("seq"));
  const seq = (first(count.where("task_id", "=", taskId))?.seq ?? -1) + 1;
  putMessage(commit, message, { taskId, seq });
  reword(commit, taskId);
  const row = first(taskRow(commit, taskId));
  if (row === undefined) throw new Error("a task that was just written is not there");
  return toTask(row);
}

function take(
  commit: Commit,
  message: TakenMessage,
): { readonly task: Task; readonly joined: boolean } {
  const joins = message.mayJoin ? queuedOf(commit, message) : undefined;
  const task = joins === undefined ? begin(commit, message) : join(commit, joins, message);
  markHandled(commit, message.seq);
  return { task, joined: joins !== undefined };
}

function steer(
  commit: Commit,
  taskId: string,
  message: { readonly seq: number; readonly messageId: string; readonly text: string },
): boolean {
  const { build, first, run } = commit;
  const row = first(
    build.selectFrom("tasks").select(["chat_id", "state"]).where("id", "=", taskId),
  );
  if (row?.state !== "running") return false;
  const last = build.selectFrom("task_messages").select(({ fn }) => fn.max("seq").as("seq"));
  const seq = (first(last.where("task_id", "=", taskId))?.seq ?? -1) + 1;
  const { messageId: message_id, text } = message;
  const said = {
    chat_id: row.chat_id,
    message_id,
    task_id: taskId,
    seq,
    text,
    steers: 1,
    step: null,
  } as const;
  run(build.insertInto("task_messages").values(said));
  markHandled(commit, message.seq);
  return true;
}

function amend(
  commit: Commit,
  {
    chatId,
    messageId,
    text,
  }: { readonly chatId: string; readonly messageId: string; readonly text: string },
): Awaited<ReturnType<ChatStore["amendMessage"]>> {
  const { build, first, run } = commit;
  const said = build
    .selectFrom("task_messages")
    .innerJoin("tasks", "tasks.id", "task_messages.task_id")
    .select(["tasks.id", "tasks.tier"])
    .where("task_messages.chat_id", "=", chatId)
    .where("task_messages.message_id", "=", messageId)
    .where("tasks.state", "=", "queued");
  const task = first(said);
  if (task === undefined) return "over";
  // The words may have asked for a cloud, and may do so no longer.
  if (task.tier === "cloud-smart") return "refused";
  const change = build.updateTable("task_messages").set({ text });
  run(change.where("chat_id", "=", chatId).where("message_id", "=", messageId));
  reword(commit, task.id);
  return "amended";
}

function taskOf({ build, first }: Commit, chatId: string, messageId: string): Task | undefined {
  const asked = build
    .selectFrom("task_messages")
    .innerJoin("tasks", "tasks.id", "task_messages.task_id")
    .selectAll("tasks")
    .where("task_messages.chat_id", "=", chatId)
    .where("task_messages.message_id", "=", messageId);
  const answered = build
    .selectFrom("outbox")
    .innerJoin("tasks", "tasks.id", "outbox.task_id")
    .selectAll("tasks")
    .where("outbox.chat_id", "=", chatId)
    .where("outbox.message_id", "=", messageId);
  const row = first(asked) ?? first(answered);
  return row === undefined ? undefined : toTask(row);
}

const waiting = ["queued", "waiting"] as const;
const open = [...waiting, "running"] as const;

/** Ends a task in one of these states, and closes what it asked; false where there is none such. */
function cancelTask(
  { build, run, clock }: Commit,
  taskId: string,
  states: readonly TaskState[],
): boolean {
  const ended = { state: "cancelled", finished_at: clock.now() } as const;
  const end = build.updateTable("tasks").set(ended).where("id", "=", taskId);
  if (run(end.where("state", "in", states)) === 0) return false;
  const close = build.updateTable("questions").set({ state: "closed" });
  run(close.where("task_id", "=", taskId).where("state", "=", "open"));
  return true;
}

function chatOfMessage(
  { build, first }: Commit,
  place: Place,
  messageId: string,
): Chat | undefined {
  const { platform, address } = place;
  const chats = build.selectFrom("chats").selectAll("chats").where("chats.platform", "=", platform);
  const here = chats.where(({ eb }) =>
    eb.or([eb("chats.address", "=", address), eb("chats.address", "like", `${address}/%`)]),
  );
  const ours = here
    .innerJoin("outbox", "outbox.chat_id", "chats.id")
    .where("outbox.message_id", "=", messageId);
  const theirs = here
    .innerJoin("task_messages", "task_messages.chat_id", "chats.id")
    .where("task_messages.message_id", "=", messageId);
  const row = first(ours) ?? first(theirs);
  return row === undefined ? undefined : toChat(row);
}

/** What a chat is and what is asked in it. */
export function createChats(commit: Commit, writer: Writer, read: Read): Chats {
  const { build, fixed, all, first, run } = commit;
  const tasks = build.selectFrom("tasks").selectAll();
  return {
    chatAt: async (place, personId) => {
      const known = await read(() => first(chatRowAt(commit, place)));
      if (known !== undefined) return toChat(known);
      return writer.write(() => chatAt(commit, place, personId));
    },
    chat: (chatId) =>
      read(() => {
        const chat = fixed("chat", { chatId }, (value) =>
          build.selectFrom("chats").selectAll().where("id", "=", value("chatId")),
        );
        const row = first(chat);
        return row === undefined ? undefined : toChat(row);
      }),
    setChat: (chatId, choice) =>
      writer.write(() => void run(build.updateTable("chats").set(choice).where("id", "=", chatId))),
    moveChat: (platform, from, to) =>
      writer.write(() => {
        const here = build.selectFrom("chats").select("id").where("platform", "=", platform);
        if (first(here.where("address", "=", to)) !== undefined) return;
        const move = build.updateTable("chats").set({ address: to });
        run(move.where("platform", "=", platform).where("address", "=", from));
      }),
    takeMessage: (message) => writer.write(() => take(commit, message)),
    amendMessage: (chatId, messageId, text) =>
      writer.write(() => amend(commit, { chatId, messageId, text })),
    taskOfMessage: (chatId, messageId) => read(() => taskOf(commit, chatId, messageId)),
    openTasksOf: (chatId) =>
      read(() => {
        const mine = tasks.where("chat_id", "=", chatId);
        const states = mine.where("state", "in", openStates);
        return all(states.orderBy("rowid")).map(toTask);
      }),
    chatOfMessage: (place, messageId) => read(() => chatOfMessage(commit, place, messageId)),
    steerTask: (taskId, message) => writer.write(() => steer(commit, taskId, message)),
    dropTask: (taskId) => writer.write(() => void cancelTask(commit, taskId, open)),
    cancelTasks: (taskIds) =>
      writer.write(() => taskIds.filter((taskId) => cancelTask(commit, taskId, waiting))),
  };
}
