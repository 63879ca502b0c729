import { AppError } from "#core/errors.ts";
import type { DoorRule, DoorUse } from "#core/http.ts";
import { trustOf } from "#core/trust.ts";

function originOf(address: string): string {
  return URL.canParse(address) ? new URL(address).origin : "";
}

/** True for a connection that may only read, to a host that somebody else named. */
function isPlainRead(url: URL, method: string): boolean {
  const safe = url.protocol === "https:" || trustOf(url.hostname) === "local";
  return method === "GET" && safe;
}

/** Throws `door.refused` unless a rule for this purpose names the origin, or names the one whose answer linked to it. */
export function checkRules(
  rules: readonly DoorRule[],
  use: DoorUse,
  request: { readonly url: URL; readonly method: string },
): void {
  const { url, method } = request;
  const mine = rules.filter((rule) => rule.purpose === use.purpose);
  if (mine.some((rule) => rule.origin === url.origin)) return;
  const from = use.linkedFrom === undefined ? "" : originOf(use.linkedFrom);
  const linked = mine.some((rule) => rule.linksOut && rule.origin === from);
  if (linked && isPlainRead(url, method)) return;
  throw new AppError("door.refused", { host: url.host, purpose: use.purpose });
}
