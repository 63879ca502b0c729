import { z } from "zod";

import type { ChatEvent, Update } from "#core/chat.ts";
import type { ChatStore, Received } from "#core/chat-store.ts";

import type { Commit } from "./commit.ts";
import { columns, type Queries } from "./queries.ts";
import type { Read } from "./reads.ts";
import type { Writer } from "./writer.ts";

type Inbox = Pick<ChatStore, "receive" | "unhandled" | "handled" | "forgetUpdates">;

/** What the program itself wrote; only its kind is looked at. */
const eventSchema = z.custom<ChatEvent>(
  (value) => z.looseObject({ type: z.string() }).safeParse(value).success,
);

function toReceived(row: { readonly seq: number; readonly body: string | null }): Received {
  return { seq: row.seq, event: eventSchema.parse(JSON.parse(row.body ?? '{"type":"nothing"}')) };
}

/** Marks an update as done; what it said is in the task and kept no longer. */
export function markHandled({ build, fixed, run, clock }: Commit, seq: number): void {
  const done = build.updateTable("inbox");
  run(
    fixed("mark handled", { now: clock.now(), seq }, (value) =>
      done.set({ done_at: value("now"), body: null }).where("seq", "=", value("seq")),
    ),
  );
}

function receive(
  { build, fixed, all, clock }: Commit,
  from: { readonly platform: string; readonly account: string },
  update: Update,
): Received[] {
  const { event, updateId } = update;
  const message = event.type === "message" ? event : undefined;
  const { platform, account } = from;
  const row = {
    platform,
    account,
    update_id: updateId,
    address: message?.place.address ?? null,
    message_id: message?.messageId ?? null,
    body: JSON.stringify(event),
    received_at: clock.now(),
    done_at: null,
  };
  const put = fixed("receive", row, () =>
    build
      .insertInto("inbox")
      .values(columns(row))
      .onConflict((conflict) => conflict.doNothing())
      .returning("seq"),
  );
  const added = all(put);
  return added.map(({ seq }) => ({ seq, event }));
}

/** The inbox half of the chat store. */
export function createInbox(commit: Commit, writer: Writer, read: Read): Inbox {
  const { build, all, run }: Queries = commit;
  return {
    receive: (from, updates) =>
      writer.write(() => updates.flatMap((update) => receive(commit, from, update))),
    unhandled: (platform) =>
      read(() => {
        const open = build.selectFrom("inbox").select(["seq", "body"]);
        const mine = open.where("platform", "=", platform).where("done_at", "is", null);
        return all(mine.orderBy("seq")).map(toReceived);
      }),
    handled: (seq) => writer.write(() => markHandled(commit, seq)),
    forgetUpdates: (before) =>
      writer.write(() => {
        run(build.deleteFrom("inbox").where("done_at", "<", before));
      }),
  };
}
