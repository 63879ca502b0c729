import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import type { Clock } from "../../../src/core/clock.ts";
import { systemClock } from "../../../src/core/clock.ts";
import type { Model } from "../../../src/core/model.ts";
import type { Attempt, Explained } from "../../../src/core/route.ts";
import type { RouteAsk, RoutedEvent, Router } from "../../../src/core/router.ts";
import { createSecret } from "../../../src/core/secret.ts";
import { modelSettingsSchema } from "../../../src/core/settings.ts";
import type { Cap } from "../../../src/core/ledger.ts";
import { sourceOf } from "../../../src/core/trust.ts";
import { createDoor } from "../../../src/egress/door.ts";
import { modelsFileSchema } from "../../../src/models/model-rows.ts";
import type { OllamaHost } from "../../../src/models/clients/ollama-host.ts";
import { createPurse } from "../../../src/models/purse.ts";
import { createRouter } from "../../../src/models/router.ts";
import { ownPrice } from "../../../src/models/routing/prices.ts";
import { createSources } from "../../../src/models/sources.ts";

/** A router with what a case asks of its neighbours. */
export interface Subject {
  readonly router: Router;
  readonly explain: (tier: RouteAsk["tier"]) => Promise<Explained[]>;
  readonly host: (name: string) => OllamaHost | undefined;
  close(): Promise<void>;
}

/** The router of settings, with one promise of its own broken. */
export type Breaks = (made: {
  readonly router: Router;
  /** The model of a deployment, without the router. */
  readonly open: (deployment: string) => Promise<Model>;
}) => Router;

/** How a router is opened. */
export interface OpenOptions {
  readonly clock?: Clock;
  /** The zone of the person whose days and months budgets are counted in. */
  readonly timeZone?: string;
  readonly breaks?: Breaks;
}

/** The product's router over settings as config/models.yaml has them, through the product's door. */
export async function openRouter(settings: object, options: OpenOptions = {}): Promise<Subject> {
  const { clock = systemClock, timeZone = "UTC", breaks } = options;
  const checked = modelsFileSchema.parse({ hub: "https://hub.invalid", embedded: {}, ...settings });
  const record = (): Promise<void> => Promise.resolve();
  const door = createDoor({
    clock: systemClock,
    record,
    onUnrecorded: () => {},
    localOnly: () => Promise.resolve(false),
  });
  const home = await mkdtemp(path.join(tmpdir(), "providers-"));
  const sources = createSources({
    settings: checked,
    home,
    state: home,
    door,
    spawn: () => {
      throw new Error("no embedded model is asked for here");
    },
    clock,
    environment: {},
    person: { notice() {}, progress() {} },
    readData: () => Promise.resolve({}),
    secrets: (name) => createSecret(name, "good-key"),
  });
  const ledger = createMemoryLedger();
  const purse = createPurse({
    settings: checked,
    ledger,
    clock,
    priceOf: (id) => {
      const deployment = checked.deployments[id];
      return Promise.resolve(deployment === undefined ? undefined : ownPrice(deployment));
    },
    timeZone: () => Promise.resolve(timeZone),
  });
  const made = createRouter({
    settings: checked,
    sources,
    clock,
    purse,
    rulesFor: () => Promise.resolve(new Set<never>()),
  });
  const router: Router = {
    ...made,
    stream: (ask, signal) => ledger.settling(made.stream(ask, signal)),
  };
  const open = (id: string): Promise<Model> => {
    const deployment = checked.deployments[id];
    if (deployment === undefined) throw new Error(`no deployment ${id}`);
    return sources.open(id, deployment);
  };
  return {
    router: breaks?.({ router, open }) ?? router,
    explain: (tier) => router.explain(tier),
    host: (name) => sources.hosts.get(name),
    async close() {
      sources.close();
      await door.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** What the store does with attempts: those that are reserved count until they are settled. */
function createMemoryLedger() {
  const rows = new Map<string, Attempt>();
  const spent = ({ since }: Cap): number =>
    [...rows.values()]
      .filter(({ startedAt }) => startedAt >= since)
      .reduce((sum, { costUsd = 0 }) => sum + costUsd, 0);
  return {
    reserve(attempt: Attempt, caps: readonly Cap[]): Promise<Cap | undefined> {
      const over = caps.find((cap) => spent(cap) + (attempt.costUsd ?? 0) > cap.capUsd);
      if (over === undefined) rows.set(attempt.id, attempt);
      return Promise.resolve(over);
    },
    settle: (attempt: Attempt): Promise<void> =>
      Promise.resolve(void rows.set(attempt.id, attempt)),
    spent: (caps: readonly Cap[]): Promise<number[]> => Promise.resolve(caps.map(spent)),
    async *settling(events: AsyncIterable<RoutedEvent>): AsyncGenerator<RoutedEvent> {
      for await (const event of events) {
        if (event.type === "attempt") rows.set(event.attempt.id, event.attempt);
        yield event;
      }
    },
  };
}

const unnamed = { "local-fast": [], "local-smart": [], "cloud-smart": [] };

/** True where settings like these are known to the product. */
function isKnown(settings: object): boolean {
  return modelSettingsSchema.safeParse({ tiers: unnamed, ...settings }).success;
}

/** The settings of a host that the product knows: a deadline that it has none of is left out, and its cases fail by themselves. */
export function knownOfHost(
  host: { readonly kind: string; readonly url: string } & object,
): object {
  const { kind, url, ...rest } = host;
  const known = Object.entries(rest).filter(([key, value]) =>
    isKnown({ hosts: { h: { kind, url, [key]: value } } }),
  );
  return { kind, url, ...Object.fromEntries(known) };
}

/** What a case cannot be shown yet. */
function lacks(what: string): never {
  throw new Error(`lacks: ${what}`);
}

function isPriceKnown(price: object): boolean {
  return isKnown({ deployments: { d: { host: "h", model: "m", price } } });
}

/** A deployment's own price in US dollars for a million tokens, as settings write it. */
export function priceSetting(input: number, output: number): object {
  const price = { input, output };
  if (!isPriceKnown(price)) lacks("price of a deployment in the settings");
  return { price };
}

/** A price for what is about something else, where the product knows prices: without one it may ask no cloud. */
export function usualPrice(): object {
  const price = { input: 3, output: 15 };
  return isPriceKnown(price) ? { price } : {};
}

/** The most US dollars of a day or of a month, as settings write it. */
export function budgetSetting(budgets: { day: number } | { month: number }): object {
  if (!isKnown({ budgets })) lacks("budgets in the settings");
  return { budgets };
}

/** A host that takes so many requests at a time, as settings write it. */
export function parallelSetting(max: number): object {
  if (
    !isKnown({ hosts: { h: { kind: "ollama", url: "http://127.0.0.1:1", max_parallel: max } } })
  ) {
    lacks("max_parallel of a host in the settings");
  }
  return { max_parallel: max };
}

/** What a case wants of a call. */
export type Wish = Partial<Pick<RouteAsk, "tier" | "forced">> & {
  readonly build: RouteAsk["build"];
};

/** The ask of a wish; a local one unless it says otherwise. */
export function askOf({ build, tier = "local-smart", forced = false }: Wish): RouteAsk {
  const task = { id: "task", chatId: "c", personId: "owner", conversation: 1, agent: "assistant" };
  const sources = [sourceOf("instructions"), sourceOf("words")];
  const rest = { seq: 1, priority: "interactive", isShared: false, holdsOthers: false } as const;
  return { tier, forced, task, sources, ...rest, build };
}

function field(value: object, name: string): unknown {
  return new Map<string, unknown>(Object.entries(value)).get(name);
}

/** True where the events tell a person that a model is being loaded, or that the call waits in a queue. */
export function tells(events: readonly RoutedEvent[], stage: "loading" | "wait"): boolean {
  return events.some((event) => field(event, "type") === stage);
}

/** Lines for a person, in their order, on whichever event they come. */
export function noticesOf(events: readonly RoutedEvent[]): string[] {
  return events.flatMap((event) => {
    const own = field(event, "type") === "notice" ? field(event, "text") : undefined;
    const notice = own ?? field(event, "notice");
    return typeof notice === "string" ? [notice] : [];
  });
}

/** True where the cost of an attempt is marked as an estimate. */
export function isEstimated(attempt: object): boolean {
  return field(attempt, "estimated") === true;
}
