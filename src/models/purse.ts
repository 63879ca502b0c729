import type { Clock } from "#core/clock.ts";
import { costText } from "#core/cost.ts";
import { AppError, type ErrorCode } from "#core/errors.ts";
import type { Ledger } from "#core/ledger.ts";
import type { ModelStop, TokenUsage } from "#core/model.ts";
import type { Attempt, BudgetEvent } from "#core/route.ts";
import type { RouteAsk } from "#core/router.ts";
import type { ModelSettings } from "#core/settings.ts";
import type { UsageRow } from "#core/task.ts";

import type { Candidate } from "./candidates.ts";
import { capsFor, createCalendar, createMeters } from "./routing/budget.ts";
import { costOf, type Price, worstCost } from "./routing/prices.ts";

/** What pays for attempts. */
export interface PurseDeps {
  readonly settings: Pick<ModelSettings, "budgets">;
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** The price of a deployment; undefined where nobody knows it. */
  readonly priceOf: (deployment: string) => Promise<Price | undefined>;
  /** Where the owner's days begin, an IANA name. */
  readonly timeZone: () => Promise<string>;
}

/** An attempt before it is made. */
export interface Order {
  readonly ask: RouteAsk;
  readonly candidate: Pick<Candidate, "deployment" | "trust">;
  readonly begun: Attempt;
  /** Of the prompt, the most that it can be. */
  readonly promptTokens: number;
  readonly maxTokens: number;
}

/** What came of an attempt; tokens as estimated, for what the service did not report. */
export interface Made {
  readonly usage: TokenUsage;
  readonly stop: ModelStop;
  readonly promptTokens: number;
  readonly answerTokens: number;
}

type Settled = Pick<
  Attempt,
  | "promptTokens"
  | "answerTokens"
  | "cachedTokens"
  | "cacheWrittenTokens"
  | "costUsd"
  | "priced"
  | "estimated"
>;

/** An attempt that is paid for. */
export interface Paid {
  settle(
    made: Made,
  ): Promise<{ readonly tokens: Settled; readonly events: readonly BudgetEvent[] }>;
  /** Puts the settled attempt in the place of its reservation now, since the room that it did not need is for the next one. */
  free(attempt: Attempt): Promise<void>;
}

/** Pays for attempts: those at home are free, and those of a cloud are reserved before a byte leaves. */
export interface Purse {
  /** Why the attempt cannot be paid for, or the way to settle it. Rejects when the store does. */
  open(order: Order): Promise<Paid | { readonly failure: AppError }>;
  /** The first cap under which no cloud may be asked any more. */
  spentCap(order: Pick<Order, "ask" | "candidate">): Promise<AppError | undefined>;
}

function overBudget(name: string, capUsd: number, spentUsd: number): AppError {
  const cap = capUsd.toFixed(2);
  return new AppError("model.over-budget", { name, cap, spent: costText(spentUsd) });
}

/** Refusals before any work; whatever else breaks off may have been worked on, and is billed. */
const beforeWork: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "model.rate-limit",
  "model.no-credit",
  "model.no-key",
  "model.wrong-key",
  "model.refused",
  "model.missing",
  "model.address",
  "model.bad-request",
  "model.context-overflow",
  "model.unavailable",
  "model.busy",
  "door.refused",
  "door.local-only",
  "door.no-host",
  "door.not-home",
  "door.not-public",
]);

/** What a service did not report is estimated, since it costs all the same; what it refused before a word costs nothing. */
function countedTokens({ usage, stop, promptTokens, answerTokens }: Made): Settled {
  if (usage.promptTokens !== undefined && usage.answerTokens !== undefined) return usage;
  const { failure } = stop;
  if (failure !== undefined && answerTokens === 0 && beforeWork.has(failure.code))
    return { promptTokens: 0, answerTokens: 0, ...usage };
  return { promptTokens, answerTokens, ...usage, estimated: true };
}

/** The step that an attempt is made for. */
function stepOf({ task, seq }: RouteAsk): Pick<UsageRow, "taskId" | "seq"> {
  // A cost that belongs to no task would be seen nowhere, so that no cloud is asked for one.
  if (task.id === null) throw new Error("work of no task was to be asked of a cloud");
  return { taskId: task.id, seq };
}

const unpaid: Paid = {
  free: () => Promise.resolve(),
  settle: ({ usage }) =>
    Promise.resolve({ tokens: { costUsd: 0, priced: "home", ...usage }, events: [] }),
};

/** The purse over the store's ledger. */
export function createPurse(deps: PurseDeps): Purse {
  const { settings, ledger, clock, priceOf, timeZone } = deps;
  const meters = createMeters(ledger);
  const startsOf = createCalendar();

  async function capsOf({ ask, candidate }: Pick<Order, "ask" | "candidate">) {
    const about = { deployment: candidate.deployment, task: ask.task };
    return capsFor(settings.budgets, about, startsOf(clock.now(), await timeZone()));
  }

  return {
    async open(order) {
      const { ask, begun, candidate, promptTokens, maxTokens } = order;
      if (candidate.trust !== "cloud") return unpaid;
      const caps = await capsOf(order);
      const price = await priceOf(candidate.deployment);
      if (price === undefined && caps.length > 0) {
        return { failure: new AppError("model.no-price", { model: candidate.deployment }) };
      }
      const most = price === undefined ? undefined : worstCost(price, promptTokens, maxTokens);
      const cost = most === undefined ? {} : { costUsd: most };
      const counting = meters.of(caps);
      const over = await ledger.reserve({ ...begun, ...cost, ...stepOf(ask) }, caps);
      if (over !== undefined) {
        const [spent = 0] = await ledger.spent([over]);
        return { failure: overBudget(over.name, over.capUsd, spent) };
      }
      return {
        free: (attempt) => ledger.settle({ ...attempt, ...stepOf(ask) }),
        async settle(made) {
          const counted = countedTokens(made);
          const known =
            price === undefined ? {} : { costUsd: costOf(price, counted), priced: price.source };
          const reported = made.usage.costUsd;
          const told =
            reported === undefined ? {} : ({ costUsd: reported, priced: "service" } as const);
          const tokens: Settled = { ...counted, ...known, ...told };
          return { tokens, events: await meters.add(caps, counting, tokens.costUsd ?? 0) };
        },
      };
    },
    async spentCap(order) {
      if (order.candidate.trust !== "cloud") return undefined;
      const caps = await capsOf(order);
      const spent = await ledger.spent(caps);
      const at = caps.findIndex(({ capUsd }, index) => (spent[index] ?? 0) >= capUsd);
      const cap = caps[at];
      return cap === undefined ? undefined : overBudget(cap.name, cap.capUsd, spent[at] ?? 0);
    },
  };
}
