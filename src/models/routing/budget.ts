import type { Cap, Ledger } from "#core/ledger.ts";
import type { BudgetEvent } from "#core/route.ts";
import type { RouteAsk } from "#core/router.ts";
import type { ModelSettings } from "#core/settings.ts";
import { dayStart, monthStart } from "#core/time.ts";

type Limits = ModelSettings["budgets"]["agents"][string];

function capsOf(
  limits: Limits | undefined,
  about: { readonly whose: string; readonly of: Cap["of"] },
  { now, timeZone }: { readonly now: number; readonly timeZone: string },
): Cap[] {
  const { day = null, month = null } = limits ?? {};
  const { whose, of } = about;
  const today = { name: `today${whose}`, since: dayStart(now, timeZone), of };
  const thisMonth = { name: `this month${whose}`, since: monthStart(now, timeZone), of };
  return [
    ...(day === null ? [] : [{ ...today, capUsd: day }]),
    ...(month === null ? [] : [{ ...thisMonth, capUsd: month }]),
  ];
}

/** The caps that an attempt of this deployment for this task counts under; `timeZone` is where the owner's days begin. */
export function capsFor(
  { day, month, deployments, agents, chats }: ModelSettings["budgets"],
  { deployment, task }: { readonly deployment: string; readonly task: RouteAsk["task"] },
  moment: { readonly now: number; readonly timeZone: string },
): Cap[] {
  const { agent, chatId } = task;
  return [
    ...capsOf({ day, month }, { whose: "", of: {} }, moment),
    ...capsOf(deployments[deployment], { whose: ` for ${deployment}`, of: { deployment } }, moment),
    ...capsOf(agents[agent], { whose: ` for the agent ${agent}`, of: { agent } }, moment),
    ...capsOf(chats[chatId], { whose: " for this chat", of: { chatId } }, moment),
  ];
}

const shares = [50, 80, 100] as const;

/** The shares of caps that an attempt's cost has just reached, the largest of each cap only. */
export function reached(
  caps: readonly Cap[],
  before: readonly number[],
  costUsd: number,
): BudgetEvent[] {
  return caps.flatMap(({ name, capUsd }, at) => {
    const was = before[at] ?? 0;
    const spentUsd = was + costUsd;
    const percent = shares.findLast(
      (share) => was < (capUsd * share) / 100 && spentUsd >= (capUsd * share) / 100,
    );
    return percent === undefined
      ? []
      : [{ type: "budget" as const, name, percent, spentUsd, capUsd }];
  });
}

/** What was spent under one cap, without what is merely reserved. */
export interface Meter {
  readonly since: number;
  /** When it was first looked at. */
  readonly begun: Promise<number>;
  /** After that. */
  added: number;
}

/** Meters of caps, so that each share is told once, however many attempts are on their way. */
export function createMeters(ledger: Pick<Ledger, "spent">): {
  /** Called before anything is reserved that they are to count. */
  of(caps: readonly Cap[]): Meter[];
  /** Counts a cost, and gives the shares that it reaches. */
  add(caps: readonly Cap[], meters: readonly Meter[], costUsd: number): Promise<BudgetEvent[]>;
} {
  const known = new Map<string, Meter>();

  function meterOf(cap: Cap): Meter {
    const key = `${cap.name} ${cap.of.chatId ?? ""}`;
    const before = known.get(key);
    if (before?.since === cap.since) return before;
    const begun = ledger.spent([cap]).then(([sum = 0]) => sum);
    const meter = { since: cap.since, begun, added: 0 };
    known.set(key, meter);
    begun.catch(() => known.delete(key));
    return meter;
  }

  return {
    of: (caps) => caps.map(meterOf),
    async add(caps, meters, costUsd) {
      const begun = await Promise.all(meters.map((meter) => meter.begun));
      const before = meters.map(({ added }, at) => (begun[at] ?? 0) + added);
      for (const meter of meters) meter.added += costUsd;
      return reached(caps, before, costUsd);
    },
  };
}
