import type { AppError } from "#core/errors.ts";
import type { Model } from "#core/model.ts";
import type { Attempt, Explained } from "#core/route.ts";
import type { DeploymentSettings, ModelSettings } from "#core/settings.ts";
import { type Trust, trustOf } from "#core/trust.ts";

import { isCloudName } from "./clients/cloud-name.ts";
import type { Installed } from "./clients/ollama-host.ts";

/** A deployment that may be tried. */
export interface Candidate {
  readonly deployment: string;
  readonly tier: Attempt["tier"];
  readonly reason: string;
  /** The host whose slots its work takes. */
  readonly host: string;
  readonly trust: Exclude<Trust, "platform">;
  /** Tokens of prompt and answer together; absent where only the model itself knows. */
  readonly context?: number;
  /** The model that an Ollama must have for it, by the names that it may list it under; absent for any other host. */
  readonly wanted?: { readonly model: string; readonly latest: string };
  /** A line that the person must see when this one answers. */
  readonly notice?: string;
  /** Makes the model ready, for a task or for none; rejects with an AppError that says why it cannot be. */
  open(signal: AbortSignal, taskId: string | null): Promise<Model>;
}

/** A deployment that was passed over, and why. */
export interface Skipped {
  readonly deployment: string;
  readonly tier: Attempt["tier"];
  readonly why: AppError;
  /** The model that its host lacks and could get. */
  readonly pull?: string;
}

/** A candidate, or why there is none in its place. */
export type Option = Candidate | Skipped;

/** True for an option that may be tried. */
export function isCandidate(option: Option): option is Candidate {
  return "open" in option;
}

/** A model file on this machine. */
export interface Found {
  readonly name: string;
  /** A line that the person must see when it answers. */
  readonly notice?: string;
}

/** Where models come from. Each member may be slow the first time and is asked only when its turn has come. */
export interface Sources {
  /** What a host has installed, at once where that is known; rejects with an AppError when it does not answer. */
  installed(host: string): readonly Installed[] | Promise<readonly Installed[]>;
  /** The model of a deployment. */
  open(id: string, deployment: DeploymentSettings): Promise<Model>;
  readonly embedded: {
    /** The model of this name, or the best one, that is on this machine already. */
    find(name?: string): Promise<Found | undefined>;
    open(name: string): Promise<Model>;
    /** Gets a model for a task or for none, asking first where there is someone to ask; rejects with an AppError. */
    obtain(signal: AbortSignal, taskId: string | null): Promise<Model>;
    /** What `obtain` would get, in words; undefined when it can get nothing. */
    readonly offer: string | undefined;
    /** False where the engine was left out of the install. */
    readonly installed: boolean;
  };
}

/** How far words go that are sent to a deployment. */
export function trustOfDeployment(
  settings: Pick<ModelSettings, "hosts">,
  { host: name, model }: Pick<DeploymentSettings, "host" | "model">,
): Candidate["trust"] {
  const host = settings.hosts[name];
  if (host === undefined || host.kind === "scripted") return "local";
  // An Ollama here passes such a name on; its own client refuses it always.
  if (host.kind !== "ollama" && isCloudName(model)) return "cloud";
  return trustOf(new URL(host.url).hostname);
}

/** Why an option was passed over; its name stands before it already. */
function reasonWithoutName({ deployment, why }: Skipped): string {
  const { message } = why;
  const named = `${deployment}: `;
  return message.startsWith(named) ? message.slice(named.length) : message;
}

/** An option in words. */
export function explainOption(option: Option): Explained {
  const { deployment, tier } = option;
  return isCandidate(option)
    ? { deployment, tier, reason: option.reason, usable: true }
    : {
        deployment,
        tier,
        reason: reasonWithoutName(option),
        usable: false,
        ...(option.pull === undefined ? {} : { pull: option.pull }),
      };
}
