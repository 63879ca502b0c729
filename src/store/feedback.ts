import { sql } from "kysely";
import { z } from "zod";

import type { ButtonAction } from "#core/chat.ts";
import type { ChatStore, Feedback } from "#core/chat-store.ts";

import type { Commit } from "./commit.ts";
import type { Read } from "./reads.ts";
import { createTask, ensurePerson } from "./writes.ts";
import type { Writer } from "./writer.ts";

type FeedbackStore = Pick<
  ChatStore,
  "buttonAction" | "addFeedback" | "askAgain" | "feedback" | "heard" | "knownMessages"
>;

const taskId = z.string();

const actionSchema: z.ZodType<ButtonAction> = z.discriminatedUnion("do", [
  z.object({ do: z.enum(["stop", "details", "again", "wrong"]), taskId }),
  z.object({ do: z.literal("reason"), taskId, reason: z.string() }),
  z.object({ do: z.literal("choose"), questionId: z.string(), choice: z.int() }),
]);

function known({ build, all }: Commit, chatId: string, floor: string) {
  const ours = build.selectFrom("outbox").select("message_id").where("chat_id", "=", chatId);
  const theirs = build.selectFrom("task_messages").select("message_id");
  // Their numbers are texts here: the longer one is the newer.
  const newer = sql<boolean>`(length(message_id), message_id) >= (length(${floor}), ${floor})`;
  const mine = all(ours.where("message_id", "is not", null).orderBy("id", "desc").limit(100));
  const rows = [...mine, ...all(theirs.where("chat_id", "=", chatId).where(newer))];
  const [last] = all(
    ours
      .where("message_id", "is not", null)
      .where("is_change", "=", 0)
      .orderBy("place", "desc")
      .limit(1),
  );
  return {
    ids: new Set(rows.flatMap((row) => row.message_id ?? [])),
    last: last?.message_id ?? null,
  };
}

function putFeedback(
  commit: Commit,
  { taskId: task_id, personId: person_id, kind, value }: Feedback,
): void {
  const { build, run, clock } = commit;
  const earlier = build.deleteFrom("feedback").where("task_id", "=", task_id);
  run(earlier.where("person_id", "=", person_id).where("kind", "=", kind));
  if (kind === "reaction" && value === "") return;
  // Who presses may never have written.
  ensurePerson(commit, person_id);
  const row = { task_id, person_id, kind, value, created_at: clock.now() };
  run(build.insertInto("feedback").values(row));
}

/** What people press and think, and when platforms were heard. */
export function createFeedback(commit: Commit, writer: Writer, read: Read): FeedbackStore {
  const { build, all, first, run } = commit;
  return {
    buttonAction: (chatId, { hash, personId }) =>
      read(() => {
        const mine = build.selectFrom("buttons").select(["action", "person_id"]);
        const row = first(mine.where("hash", "=", hash).where("chat_id", "=", chatId));
        if (row === undefined || (row.person_id !== null && row.person_id !== personId)) {
          return undefined;
        }
        return actionSchema.parse(JSON.parse(row.action));
      }),
    addFeedback: (feedback) => writer.write(() => putFeedback(commit, feedback)),
    askAgain: (task, wanted) =>
      writer.write(() => {
        const again = createTask(commit, task);
        putFeedback(commit, { ...wanted, kind: "again", value: again.id });
        return again;
      }),
    feedback: (of) =>
      read(() => {
        const mine = build.selectFrom("feedback").where("task_id", "=", of).orderBy("id");
        const as = ["task_id as taskId", "person_id as personId", "kind", "value"] as const;
        return all(mine.select(as));
      }),
    heard: (from, at) =>
      writer.write(() => {
        const { platform, account } = from;
        const polls = build.selectFrom("polls").select("at").where("platform", "=", platform);
        const before = first(polls.where("account", "=", account))?.at;
        const put = build.insertInto("polls").values({ platform, account, at });
        run(
          put.onConflict((conflict) =>
            conflict.columns(["platform", "account"]).doUpdateSet({ at }),
          ),
        );
        return before;
      }),
    knownMessages: (chatId, floor) => read(() => known(commit, chatId, floor)),
  };
}
