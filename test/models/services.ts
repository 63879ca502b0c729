import type { Clock } from "../../src/core/clock.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { Model } from "../../src/core/model.ts";
import { createSecret, type Secrets } from "../../src/core/secret.ts";
import { type HostSettings, modelSettingsSchema } from "../../src/core/settings.ts";
import { makeModel } from "../../src/models/make-model.ts";
import { openDoor } from "../fakes/receipts.ts";

/** What a test may set besides. */
export interface ServiceSetup {
  readonly clock?: Clock;
  readonly secrets?: Secrets;
}

const noTiers = { "local-fast": [], "local-smart": [], "cloud-smart": [] };

/** A model of a host as its settings make it, through the product's door; the key is "good-key". */
export async function modelOf(
  host: object,
  model: string,
  { clock = systemClock, secrets = (name) => createSecret(name, "good-key") }: ServiceSetup = {},
): Promise<Model> {
  const settings = modelSettingsSchema.parse({ hosts: { h: host }, tiers: noTiers });
  const checked: HostSettings | undefined = settings.hosts["h"];
  if (checked === undefined || checked.kind === "scripted") throw new Error("no such host");
  const { origin } = new URL(checked.url);
  const { door } = openDoor([{ purpose: "model", origin, linksOut: false }]);
  const deployment = { host: "h", model, context: 2048, max_answer: 100, tools: true, weight: 1 };
  const readData = () => Promise.resolve({});
  const deps = { home: "/home/owner", door, clock, secrets, readData };
  return makeModel(deps, checked, { id: `h/${model}`, deployment });
}
