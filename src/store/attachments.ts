import type { Selectable } from "kysely";

import type { AttachmentStore, StoredAttachment } from "#core/attachments.ts";
import type { Attachment } from "#core/chat.ts";
import { newId } from "#core/ids.ts";

import type { Commit } from "./commit.ts";
import type { Read } from "./reads.ts";
import type { Schema } from "./schema.ts";
import type { Writer } from "./writer.ts";

type Row = Selectable<Schema["attachments"]>;
type Message = Parameters<AttachmentStore["noteAttachments"]>[0];

function toAttachment(row: Row): StoredAttachment {
  const { id, kind, name, size, reference, sha256, problem } = row;
  const { chat_id: chatId, message_id: messageId, media_type: mediaType } = row;
  return { id, chatId, messageId, kind, name, mediaType, size, reference, sha256, problem };
}

function note(commit: Commit, message: Message, attachments: readonly Attachment[]) {
  const { build, all, run, clock } = commit;
  const here = { chat_id: message.chatId, message_id: message.messageId };
  const now = clock.now();
  attachments.forEach(({ kind, name, mediaType, size, reference }, at) => {
    const file = { kind, name, media_type: mediaType, size, reference };
    const row = { ...here, ...file, id: newId(now), at, created_at: now };
    const put = build.insertInto("attachments").values(row);
    run(
      put.onConflict((conflict) => conflict.columns(["chat_id", "message_id", "at"]).doNothing()),
    );
  });
  const mine = build
    .selectFrom("attachments")
    .selectAll()
    .where("chat_id", "=", message.chatId)
    .where("message_id", "=", message.messageId);
  return all(mine.orderBy("at")).map(toAttachment);
}

/** The store's half that knows the files of messages. */
export function createAttachments(commit: Commit, writer: Writer, read: Read): AttachmentStore {
  const { build, fixed, all, run } = commit;
  return {
    noteAttachments: (message, attachments) =>
      writer.write(() => note(commit, message, attachments)),
    settleAttachment: (id, outcome) =>
      writer.write(() => {
        const change = "sha256" in outcome ? { ...outcome, problem: null } : outcome;
        run(build.updateTable("attachments").set(change).where("id", "=", id));
      }),
    attachmentsOf: (taskId) =>
      read(() => {
        const mine = fixed("attachments of a task", { taskId }, (value) =>
          build
            .selectFrom("tasks")
            // What is asked again answers the message of the first task, and has none of its own.
            .innerJoin("task_messages as asked", (join) =>
              join
                .onRef("asked.chat_id", "=", "tasks.chat_id")
                .onRef("asked.message_id", "=", "tasks.reply_to"),
            )
            .innerJoin("task_messages as said", "said.task_id", "asked.task_id")
            .innerJoin("attachments", (join) =>
              join
                .onRef("attachments.chat_id", "=", "said.chat_id")
                .onRef("attachments.message_id", "=", "said.message_id"),
            )
            .selectAll("attachments")
            .where("tasks.id", "=", value("taskId"))
            .orderBy("said.seq")
            .orderBy("attachments.at"),
        );
        return all(mine).map(toAttachment);
      }),
  };
}
