import type { Clock } from "#core/clock.ts";
import type { Cap, Ledger, Spending } from "#core/ledger.ts";
import type { ModelSettings } from "#core/settings.ts";

import { capsFor, createCalendar } from "./models/routing/budget.ts";

/** What spending is told from. */
export interface SpendingDeps {
  readonly budgets: ModelSettings["budgets"];
  readonly ledger: Pick<Ledger, "spent">;
  readonly clock: Clock;
  /** Where the owner's days begin, an IANA name. */
  readonly timeZone: string;
}

/** Every cap that the settings have, those over everything first. */
function allCaps({ budgets, clock, timeZone }: SpendingDeps): Cap[] {
  const starts = createCalendar()(clock.now(), timeZone);
  const capsOf = (of: { deployment?: string; agent?: string; chatId?: string }): Cap[] => {
    const { deployment = "", agent = "", chatId = "" } = of;
    return capsFor(budgets, { deployment, task: { agent, chatId } }, starts);
  };
  const overall = capsOf({});
  const own = (of: Parameters<typeof capsOf>[0]): Cap[] => capsOf(of).slice(overall.length);
  return [
    ...overall,
    ...Object.keys(budgets.deployments).flatMap((deployment) => own({ deployment })),
    ...Object.keys(budgets.agents).flatMap((agent) => own({ agent })),
    ...Object.keys(budgets.chats).flatMap((chatId) =>
      own({ chatId }).map((cap) => ({ ...cap, name: cap.name.replace("this chat", chatId) })),
    ),
  ];
}

/** What was spent of every cap of the settings. */
export async function spendingOf(deps: SpendingDeps): Promise<Spending[]> {
  const caps = allCaps(deps);
  const spent = await deps.ledger.spent(caps);
  return caps.map(({ name, capUsd }, at) => ({ name, capUsd, spentUsd: spent[at] ?? 0 }));
}
