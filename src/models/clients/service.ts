import type { Clock } from "#core/clock.ts";
import { AppError } from "#core/errors.ts";
import type { Fetch } from "#core/http.ts";
import type { Carried, ModelLimits } from "#core/model.ts";
import type { Secret, Secrets } from "#core/secret.ts";
import { type Trust, trustOf } from "#core/trust.ts";

import { isCloudName } from "./cloud-name.ts";

/** A service that answers over HTTP, as its failures need to know it. */
export interface Service {
  /** The model as the service calls it. */
  readonly model: string;
  /** Its configured address, without a slash at the end. */
  readonly url: string;
  /** The version that its address must end with; undefined where its client adds it. */
  readonly version: string | undefined;
  /** The name of its key; undefined where none is configured. */
  readonly key: string | undefined;
  readonly secrets: Secrets;
}

/** What a model of a service is made of. */
export interface ServiceOptions {
  readonly id: string;
  readonly service: Service;
  readonly limits: ModelLimits;
  /** A fetch whose receipts say what the request says of itself. */
  readonly fetchFor: (request: Carried) => Fetch;
  readonly clock: Clock;
  readonly firstTokenMs: number;
  readonly idleMs: number;
}

/** How far the service is trusted: a name that an Ollama passes on to its cloud is cloud wherever that Ollama runs. */
export function trustOfService({ url, model }: Service): Trust {
  return isCloudName(model) ? "cloud" : trustOf(new URL(url).hostname);
}

/** The service's machine as a person knows it. */
export function hostOf({ url }: Service): string {
  return new URL(url).host;
}

/** The failure of a key that is wanted and not there. */
export function noKey(service: Service): AppError {
  const { key, url } = service;
  const details = { host: hostOf(service) };
  if (key !== undefined) return new AppError("model.no-key", { ...details, key, also: "" });
  const owner = /([a-z]+)\.[a-z]+$/.exec(new URL(url).hostname)?.[1] ?? "server";
  const name = `${owner.toUpperCase()}_API_KEY`;
  const also = `, and key: ${name} at this host in config/models.local.yaml`;
  return new AppError("model.no-key", { ...details, key: name, also });
}

/** The service's key, if it has one; throws where one is named and not set, or could not be sent. */
export function secretOf(service: Service): Secret | undefined {
  const { key } = service;
  if (key === undefined) return undefined;
  const secret = service.secrets(key);
  if (secret === undefined) throw noKey(service);
  // A header with any other character throws an error that quotes the key.
  if (/^[\x21-\x7e]+$/.test(secret.reveal())) return secret;
  throw new AppError("model.wrong-key", { host: hostOf(service), key });
}

/** True where the address lacks the version that it must end with. */
export function lacksVersion({ url, version }: Service): boolean {
  return version !== undefined && !/\/v\d+/.test(new URL(url).pathname);
}

/** The failure of an address where no such API answers. */
export function wrongAddress(service: Service, problem: string): AppError {
  const { url, version } = service;
  const { origin, pathname } = new URL(url);
  const fix = lacksVersion(service)
    ? `write ${version} at the end of its url in config/models.local.yaml`
    : "correct its url in config/models.local.yaml";
  return new AppError("model.address", { url: origin + pathname.replace(/\/$/, ""), problem, fix });
}
