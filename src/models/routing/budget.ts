import type { Cap, Ledger } from "#core/ledger.ts";
import type { BudgetEvent } from "#core/route.ts";
import type { ModelSettings } from "#core/settings.ts";
import type { Task } from "#core/task.ts";
import { dayStart, monthStart } from "#core/time.ts";

type Limits = ModelSettings["budgets"]["agents"][string];

/** When the owner's day and month began, in milliseconds since 1970. */
export interface Starts {
  readonly day: number;
  readonly month: number;
}

/** Tells when the day and the month of a moment began in a zone (an IANA name): worked out once a day, since that is slow. */
export function createCalendar(): (now: number, timeZone: string) => Starts {
  const known = { timeZone: "", until: 0, day: 0, month: 0 };
  return (now, timeZone) => {
    if (timeZone === known.timeZone && now >= known.day && now < known.until) return known;
    const day = dayStart(now, timeZone);
    // A day has 23 to 25 hours, but for one that a zone left out.
    const until = dayStart(day + 26 * 3_600_000, timeZone);
    return Object.assign(known, { timeZone, until, day, month: monthStart(now, timeZone) });
  };
}

function capsOf(
  limits: Limits | undefined,
  about: { readonly whose: string; readonly of: Cap["of"] },
  starts: Starts,
): Cap[] {
  const { day = null, month = null } = limits ?? {};
  const { whose, of } = about;
  return [
    ...(day === null ? [] : [{ name: `today${whose}`, capUsd: day, since: starts.day, of }]),
    ...(month === null
      ? []
      : [{ name: `this month${whose}`, capUsd: month, since: starts.month, of }]),
  ];
}

/** The caps that an attempt of this deployment for this task counts under. */
export function capsFor(
  { day, month, deployments, agents, chats }: ModelSettings["budgets"],
  {
    deployment,
    task,
  }: { readonly deployment: string; readonly task: Pick<Task, "agent" | "chatId"> },
  starts: Starts,
): Cap[] {
  const { agent, chatId } = task;
  return [
    ...capsOf({ day, month }, { whose: "", of: {} }, starts),
    ...capsOf(deployments[deployment], { whose: ` for ${deployment}`, of: { deployment } }, starts),
    ...capsOf(agents[agent], { whose: ` for the agent ${agent}`, of: { agent } }, starts),
    ...capsOf(chats[chatId], { whose: " for this chat", of: { chatId } }, starts),
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
