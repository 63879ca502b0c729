import type { Clock } from "#core/clock.ts";
import type { Ledger } from "#core/ledger.ts";
import { owner } from "#core/person.ts";
import type { PrivacyStore } from "#core/privacy.ts";
import type { Redactor } from "#core/redact.ts";
import type { Router } from "#core/router.ts";
import type { Store } from "#core/store.ts";
import { machineTimeZone } from "#core/time.ts";

import { createPurse } from "./purse.ts";
import { createRedactingRouter } from "./redacting-router.ts";
import { createRouter } from "./router.ts";
import type { ModelSources } from "./sources.ts";

/** What the router of the program is made of. */
export interface MakeRouterDeps {
  readonly sources: ModelSources;
  readonly clock: Clock;
  readonly redactor: Redactor;
  /** Opened when it is first needed: to explain a tier needs none. */
  readonly store: () => Promise<Ledger & PrivacyStore & Pick<Store, "person" | "lastAttempts">>;
}

/** The router over the owner's settings, with the owner's money and decisions in the store. */
export function makeRouter({ sources, clock, redactor, store }: MakeRouterDeps): Router {
  const { settings, priceOf } = sources;
  const ledger: Ledger = {
    reserve: async (attempt, caps) => (await store()).reserve(attempt, caps),
    settle: async (attempt) => (await store()).settle(attempt),
    spent: async (caps) => (await store()).spent(caps),
  };
  const timeZone = async (): Promise<string> =>
    (await (await store()).person(owner)).timeZone ?? machineTimeZone();
  const router = createRouter({
    settings,
    sources,
    clock,
    purse: createPurse({ settings, ledger, clock, priceOf, timeZone }),
    rulesFor: async (taskId) => (await store()).privacyRules(taskId),
    lastAttempts: async () => (await store()).lastAttempts(rememberedAttempts),
  });
  return createRedactingRouter(router, redactor);
}

const rememberedAttempts = 200;
