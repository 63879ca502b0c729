import type { GoldLabels } from "#core/choice.ts";

import type { Commit } from "./commit.ts";
import type { Read } from "./reads.ts";
import type { Writer } from "./writer.ts";

/** The owner's corrections in the store. */
export function createGoldLabels(commit: Commit, writer: Writer, read: Read): GoldLabels {
  const { build, all, run, clock } = commit;
  return {
    goldLabels: () =>
      read(() =>
        all(build.selectFrom("gold_labels").select(["text", "agent"]).orderBy("created_at")),
      ),
    addGoldLabel: ({ text, agent }) =>
      writer.write(() => {
        const row = { text, agent, created_at: clock.now() };
        const put = build.insertInto("gold_labels").values(row);
        run(put.onConflict((conflict) => conflict.column("text").doUpdateSet(row)));
      }),
  };
}
