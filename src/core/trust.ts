// oxlint-disable-next-line no-restricted-imports -- isIP only reads a string, no socket
import { isIP } from "node:net";

/** How far a host is trusted: this machine, the home network, a chat service the owner connected, or everything else. */
export type Trust = "local" | "lan" | "platform" | "cloud";

/** How private a piece of data is, the least private first. */
export const labels = ["public", "personal", "secret"] as const;

/** One of those labels. */
export type Label = (typeof labels)[number];

/**
 * Where a piece of a prompt comes from: our own instructions, what was said in this conversation, or what was fetched for it; `kept` is
 * what its person asked to stay at home, `others` what other people had a part in.
 */
export const origins = [
  "instructions",
  "words",
  "memories",
  "files",
  "web",
  "kept",
  "others",
] as const;

/** One of those origins. */
export type Origin = (typeof origins)[number];

/** A piece of a prompt by its provenance, which alone says how private it is; nothing is read off its words. */
export interface Source {
  readonly origin: Origin;
  readonly label: Label;
}

/** The label that an origin gives where nothing says more. */
export function sourceOf(origin: Origin): Source {
  const isPublic = origin === "instructions" || origin === "web";
  return { origin, label: isPublic ? "public" : "personal" };
}

/** The sources without repetition, in the order in which each is first met. */
export function allSources(...lists: readonly (readonly Source[])[]): Source[] {
  const found = new Map<string, Source>();
  // Most turns of a conversation share one list.
  for (const source of [...new Set(lists)].flat()) {
    found.set(`${source.origin} ${source.label}`, source);
  }
  return [...found.values()];
}

function isPrivateV4(host: string): boolean {
  const [a = 0, b = 0] = host.split(".").map(Number);
  return (
    a === 10 ||
    (a === 172 && b >= 16 && b <= 31) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254)
  );
}

/** Shared addresses (RFC 6598): overlay networks give them to a person's own devices. */
function isOverlayV4(host: string): boolean {
  const [a = 0, b = 0] = host.split(".").map(Number);
  return a === 100 && b >= 64 && b <= 127;
}

function trustOfV4(host: string): Exclude<Trust, "platform"> {
  if (host.startsWith("127.")) return "local";
  return isPrivateV4(host) || isOverlayV4(host) ? "lan" : "cloud";
}

function isPrivateV6(host: string): boolean {
  return /^(f[cd][\da-f]{2}|fe[89ab][\da-f]):/i.test(host);
}

/**
 * The trust that a host's address alone earns; `hostname` as in a URL. Names other than localhost, *.localhost, *.local and
 * *.home.arpa (RFC 6761, 6762, 8375) are cloud, since a name can point anywhere.
 */
export function trustOf(hostname: string): Exclude<Trust, "platform"> {
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (host === "localhost" || host.endsWith(".localhost") || host === "::1") return "local";
  const family = isIP(host);
  if (family === 4) return trustOfV4(host);
  if (family === 6) return isPrivateV6(host) ? "lan" : "cloud";
  return host.endsWith(".local") || host.endsWith(".home.arpa") ? "lan" : "cloud";
}
