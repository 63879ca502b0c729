// oxlint-disable-next-line no-restricted-imports -- isIP only reads a string, no socket
import { isIP } from "node:net";

/** How far a host is trusted: this machine, the home network, a chat service the owner connected, or everything else. */
export type Trust = "local" | "lan" | "platform" | "cloud";

/** How private a piece of data is, by where it came from; what a person types is personal. */
export type Label = "public" | "personal" | "secret";

function isPrivateV4(host: string): boolean {
  const [a = 0, b = 0] = host.split(".").map(Number);
  return (
    a === 10 ||
    (a === 172 && b >= 16 && b <= 31) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254)
  );
}

function isPrivateV6(host: string): boolean {
  return /^(f[cd]|fe[89ab])/i.test(host);
}

/**
 * The trust that a host's address alone earns; `hostname` as in a URL. Names other than localhost, *.localhost, *.local and
 * *.home.arpa (RFC 6761, 6762, 8375) are cloud, since a name can point anywhere.
 */
export function trustOf(hostname: string): Exclude<Trust, "platform"> {
  const host = hostname.replace(/^\[|\]$/g, "").toLowerCase();
  if (host === "localhost" || host.endsWith(".localhost") || host === "::1") return "local";
  const family = isIP(host);
  if (family === 4) return host.startsWith("127.") ? "local" : isPrivateV4(host) ? "lan" : "cloud";
  if (family === 6) return isPrivateV6(host) ? "lan" : "cloud";
  return host.endsWith(".local") || host.endsWith(".home.arpa") ? "lan" : "cloud";
}
