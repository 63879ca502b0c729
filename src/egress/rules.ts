import { AppError } from "#core/errors.ts";
import type { DoorRule, DoorUse } from "#core/http.ts";
import { type Trust, trustOf } from "#core/trust.ts";

function originOf(address: string): string {
  return URL.canParse(address) ? new URL(address).origin : "";
}

const distance = { local: 0, lan: 1, cloud: 2 } as const;

/** True for a connection that only reads, safely, from a host no nearer to us than the one that named it. */
function isPlainRead(url: URL, method: string, from: string): boolean {
  const to = trustOf(url.hostname);
  const outward = distance[to] >= distance[trustOf(new URL(from).hostname)];
  return method === "GET" && outward && (url.protocol === "https:" || to === "local");
}

/** True where one host is further from us than another. */
export function isFurther(to: URL, from: URL): boolean {
  return distance[trustOf(to.hostname)] > distance[trustOf(from.hostname)];
}

/** How far the host of a request is trusted: a chat service that the owner connected is a platform, unless it is nearer. */
export function trustFor(rules: readonly DoorRule[], use: DoorUse, url: URL): Trust {
  const trust = trustOf(url.hostname);
  if (trust !== "cloud") return trust;
  const { origin } = url;
  const connected = rules.some(
    (rule) => rule.platform === true && rule.purpose === use.purpose && rule.origin === origin,
  );
  return connected ? "platform" : trust;
}

/** Throws `door.refused` unless a rule for this purpose names the origin, or names the one whose answer linked to it. */
export function checkRules(
  rules: readonly DoorRule[],
  use: DoorUse,
  request: { readonly url: URL; readonly method: string },
): void {
  const { url, method } = request;
  const { origin } = url;
  const mine = rules.filter((rule) => rule.purpose === use.purpose);
  const goesOn = use.trust === "cloud" && trustOf(url.hostname) !== "cloud";
  if (mine.some((rule) => rule.origin === origin && (rule.passesOn ?? false) === goesOn)) return;
  const from = use.linkedFrom === undefined ? "" : originOf(use.linkedFrom);
  const linked = mine.some((rule) => rule.linksOut && rule.origin === from);
  if (linked && isPlainRead(url, method, from)) return;
  throw new AppError("door.refused", { host: url.host, purpose: use.purpose });
}
