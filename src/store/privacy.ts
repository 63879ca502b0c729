import { sql } from "kysely";

import { type PrivacyRule, type PrivacyStore, type StoredRule } from "#core/privacy.ts";

import type { Commit } from "./commit.ts";
import type { Queries } from "./queries.ts";
import type { Read } from "./reads.ts";
import type { Writer } from "./writer.ts";

/** What stands for every chat in the table. */
const everywhere = "";

function rulesFor({ build, fixed, all }: Queries, taskId: string | null): Set<PrivacyRule> {
  const held = fixed("privacy rules", { taskId: taskId ?? "" }, (value) =>
    build
      .selectFrom("privacy_rules")
      .select("rule")
      .where((where) =>
        where.or([
          where("chat_id", "=", everywhere),
          where(
            "chat_id",
            "=",
            where.selectFrom("tasks").select("chat_id").where("id", "=", value("taskId")),
          ),
        ]),
      )
      .union(
        build
          .selectFrom("tasks")
          .select(sql<PrivacyRule>`'local-only'`.as("rule"))
          .where("id", "=", value("taskId"))
          .where("local_only", "=", 1),
      ),
  );
  return new Set(all(held).map(({ rule }) => rule));
}

function setRule({ build, run, clock }: Commit, stored: StoredRule, holds: boolean): void {
  const row = { chat_id: stored.chatId ?? everywhere, rule: stored.rule };
  if (holds) {
    const put = build.insertInto("privacy_rules").values({ ...row, created_at: clock.now() });
    run(put.onConflict((conflict) => conflict.doNothing()));
    return;
  }
  const gone = build.deleteFrom("privacy_rules").where("rule", "=", row.rule);
  run(gone.where("chat_id", "=", row.chat_id));
}

/** What the owner decided, in the store. */
export function createPrivacy(commit: Commit, writer: Writer, read: Read): PrivacyStore {
  const { build, all } = commit;
  return {
    privacyRules: (taskId) => read(() => rulesFor(commit, taskId)),
    storedRules: () =>
      read(() => {
        const rows = all(build.selectFrom("privacy_rules").selectAll().orderBy("created_at"));
        return rows.map(({ chat_id, rule }) => {
          return { rule, chatId: chat_id === everywhere ? null : chat_id };
        });
      }),
    setRule: (stored, holds) => writer.write(() => setRule(commit, stored, holds)),
  };
}
