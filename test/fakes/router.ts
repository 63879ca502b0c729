import type { Clock } from "../../src/core/clock.ts";
import type { Model } from "../../src/core/model.ts";
import type { RouteAsk, Router } from "../../src/core/router.ts";
import { modelSettingsSchema } from "../../src/core/settings.ts";
import { sourceOf } from "../../src/core/trust.ts";
import type { Sources } from "../../src/models/candidates.ts";
import type { Purse } from "../../src/models/purse.ts";
import { createRouter } from "../../src/models/router.ts";

/** A purse for which all is free. */
export const freePurse: Purse = {
  open: () =>
    Promise.resolve({
      free: () => Promise.resolve(),
      settle: ({ usage }) =>
        Promise.resolve({ tokens: { costUsd: 0, priced: "home", ...usage }, events: [] }),
    }),
  spentCap: () => Promise.resolve(undefined),
};

/** No rule of the owner holds. */
export const noRules = (): Promise<ReadonlySet<never>> => Promise.resolve(new Set<never>());

/** What the owner asks in a direct chat, with any part changed. */
export function askWith(own: Partial<RouteAsk> = {}): RouteAsk {
  return {
    tier: "local-fast",
    forced: false,
    task: {
      id: "t",
      chatId: "terminal:main",
      personId: "owner",
      conversation: 1,
      agent: "assistant",
    },
    seq: 1,
    priority: "interactive",
    isShared: false,
    holdsOthers: false,
    sources: [sourceOf("instructions"), sourceOf("words")],
    build: () => ({ messages: [{ role: "user", text: "hi" }], tools: [], maxTokens: 9 }),
    ...own,
  };
}

/** Sources without anything, with any part changed. */
export function sourcesWith(own: Partial<Sources> & Pick<Sources, "open">): Sources {
  return {
    installed: () => Promise.resolve([]),
    embedded: {
      find: () => Promise.resolve(undefined),
      open: () => Promise.reject(new Error("no model file is here")),
      obtain: () => Promise.reject(new Error("nothing can be had")),
      offer: undefined,
      installed: true,
    },
    ...own,
  };
}

/** The product's router over one model that is always there. */
export function createSingleRouter(model: Model, clock: Clock): Router {
  return createRouter({
    clock,
    settings: modelSettingsSchema.parse({
      use: "only",
      hosts: { here: { kind: "scripted", script: "-" } },
      deployments: { only: { host: "here", model: model.id } },
      tiers: { "local-fast": ["only"], "local-smart": ["only"], "cloud-smart": [] },
    }),
    sources: sourcesWith({ open: () => Promise.resolve(model) }),
    purse: freePurse,
    rulesFor: noRules,
  });
}
