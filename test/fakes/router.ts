import type { Clock } from "../../src/core/clock.ts";
import type { Model } from "../../src/core/model.ts";
import type { Router } from "../../src/core/router.ts";
import { createRouter } from "../../src/models/router.ts";

/** The product's router over one model that is always there. */
export function createSingleRouter(model: Model, clock: Clock): Router {
  return createRouter({
    clock,
    settings: {
      use: "only",
      cloud: "never",
      hosts: { here: { kind: "scripted", script: "-" } },
      deployments: {
        only: { host: "here", model: model.id, context: 8192, max_answer: 2048, tools: true },
      },
      tiers: { "local-fast": ["only"], "local-smart": ["only"], "cloud-smart": [] },
    },
    sources: {
      installed: () => Promise.resolve([]),
      open: () => Promise.resolve(model),
      embedded: {
        find: () => Promise.resolve(undefined),
        open: () => Promise.resolve(model),
        obtain: () => Promise.resolve(model),
        offer: undefined,
        installed: true,
      },
    },
  });
}
