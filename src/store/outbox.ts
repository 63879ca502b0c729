import { type Selectable, sql } from "kysely";

import type { NewPart, Part } from "#core/chat.ts";
import type { ChatStore, OutboxPart } from "#core/chat-store.ts";

import type { Commit } from "./commit.ts";
import { columns } from "./queries.ts";
import { markHandled } from "./inbox.ts";
import type { Read } from "./reads.ts";
import type { Schema } from "./schema.ts";
import type { Writer } from "./writer.ts";

type Outbox = Pick<
  ChatStore,
  | "addParts"
  | "beginAnswer"
  | "openParts"
  | "chatsToSend"
  | "placed"
  | "sent"
  | "tried"
  | "dead"
  | "replacePart"
>;

function toPart(row: Selectable<Schema["outbox"]>): OutboxPart {
  return {
    id: row.id,
    chatId: row.chat_id,
    taskId: row.task_id,
    part: row.part,
    replyTo: row.reply_to,
    body: row.body,
    messageId: row.message_id,
    isChange: row.is_change === 1,
    attempts: row.attempts,
    createdAt: row.created_at,
  };
}

function rowOf({ chatId, taskId, part, replyTo, body, messageId }: NewPart, now: number) {
  const head = { chat_id: chatId, task_id: taskId, part, reply_to: replyTo, body };
  return {
    ...head,
    state: "open",
    message_id: messageId ?? null,
    is_change: messageId === undefined ? 0 : 1,
    problem: null,
    created_at: now,
    sent_at: null,
  } as const;
}

function putButtons({ build, fixed, run, clock }: Commit, part: NewPart): void {
  for (const { hash, action, personId } of part.buttons ?? []) {
    const row = {
      hash,
      chat_id: part.chatId,
      person_id: personId,
      created_at: clock.now(),
      action: JSON.stringify(action),
    };
    run(fixed("put button", row, () => build.insertInto("buttons").values(columns(row))));
  }
}

/** A part that is new stands after all others. */
function atTheEnd({ build, fixed }: Commit, id: number) {
  return fixed("part at the end", { id }, (value) =>
    build
      .updateTable("outbox")
      .set({ place: sql<number>`id` })
      .where("id", "=", value("id"))
      .where("place", "=", 0),
  );
}

/** Stores parts; one that its task has already gets the new body and keeps its message. */
export function putParts(commit: Commit, parts: readonly NewPart[]): OutboxPart[] {
  const { build, fixed, all, run, clock } = commit;
  return parts.flatMap((part) => {
    putButtons(commit, part);
    const row = rowOf(part, clock.now());
    const put = fixed("put part", row, (value) =>
      build
        .insertInto("outbox")
        .values(columns(row))
        .onConflict((conflict) =>
          conflict
            .columns(["task_id", "part"])
            .where("task_id", "is not", null)
            .doUpdateSet({ body: value("body"), state: "open", reply_to: value("reply_to") }),
        )
        .returningAll(),
    );
    const rows = all(put);
    for (const { id } of rows) run(atTheEnd(commit, id));
    return rows.map(toPart);
  });
}

/** Puts simpler parts in the place of one: the first takes its row, the others come between it and the next. */
function replace({ build, first, run, clock }: Commit, id: number, parts: readonly Part[]): void {
  const row = first(build.selectFrom("outbox").selectAll().where("id", "=", id));
  const [head, ...rest] = parts;
  if (row === undefined || head === undefined) return;
  run(build.updateTable("outbox").set({ body: head.body }).where("id", "=", id));
  const highest = build
    .selectFrom("outbox")
    .select(({ fn }) => fn.max("part").as("part"))
    .where("task_id", "=", row.task_id ?? "");
  const after = (first(highest)?.part ?? 0) + 1;
  rest.forEach(({ body }, at) => {
    const part = {
      chatId: row.chat_id,
      taskId: row.task_id,
      part: after + at,
      replyTo: row.reply_to,
      body,
    };
    // A whole answer's parts lie one apart, and one part becomes fewer than a thousand.
    const place = row.place + (at + 1) / 1000;
    run(build.insertInto("outbox").values({ ...rowOf(part, clock.now()), place }));
  });
}

function openParts({ build, fixed }: Commit, chatId: string) {
  return fixed("open parts", { chatId }, (value) =>
    build
      .selectFrom("outbox")
      .selectAll()
      .where("state", "=", sql.lit("open"))
      .where("chat_id", "=", value("chatId"))
      .orderBy("place")
      .orderBy("id"),
  );
}

/** The outbox half of the chat store. */
export function createOutbox(commit: Commit, writer: Writer, read: Read): Outbox {
  const { build, fixed, all, first, run, clock } = commit;
  const row = build.updateTable("outbox");
  return {
    beginAnswer: (part) =>
      writer.write(() => {
        const task = first(build.selectFrom("tasks").select("state").where("id", "=", part.taskId));
        return task?.state === "running" ? putParts(commit, [part])[0] : undefined;
      }),
    addParts: (parts, seq) =>
      writer.write(() => {
        if (seq !== undefined) markHandled(commit, seq);
        return putParts(commit, parts);
      }),
    openParts: (chatId) => read(() => all(openParts(commit, chatId)).map(toPart)),
    chatsToSend: (platform) =>
      read(() => {
        const open = build.selectFrom("outbox").innerJoin("chats", "chats.id", "outbox.chat_id");
        const mine = open.where("outbox.state", "=", "open").where("chats.platform", "=", platform);
        return all(mine.select("chats.id").distinct()).map((chat) => chat.id);
      }),
    placed: (id, messageId) =>
      writer.write(() => {
        const placed = fixed("placed", { id, messageId }, (value) =>
          row.set({ message_id: value("messageId") }).where("id", "=", value("id")),
        );
        run(placed);
      }),
    sent: ({ id, body }, when) =>
      (when === "soon" ? writer.later : writer.write)(() => {
        const now = fixed("body of part", { id }, (value) =>
          build.selectFrom("outbox").select("body").where("id", "=", value("id")),
        );
        if (first(now)?.body !== body) return;
        const done = fixed("sent", { id, now: clock.now() }, (value) =>
          row.set({ state: "sent", body: "", sent_at: value("now") }).where("id", "=", value("id")),
        );
        run(done);
      }),
    tried: (id) =>
      writer.write(
        () => void run(row.set({ attempts: sql<number>`attempts + 1` }).where("id", "=", id)),
      ),
    dead: (id, problem) =>
      writer.write(() => void run(row.set({ state: "dead", problem }).where("id", "=", id))),
    replacePart: (id, parts) => writer.write(() => replace(commit, id, parts)),
  };
}
