import type { Purpose, Receipt } from "./http.ts";
import { type Label, labels as knownLabels, type Trust, trustOf } from "./trust.ts";

/** What went to one host for one purpose. */
export interface Departure {
  readonly host: string;
  readonly purpose: Purpose;
  readonly trust: Trust;
  readonly requests: number;
  /** Head and body. */
  readonly bytesOut: number;
  readonly bytesIn: number;
  /** The labels of all that was sent, the least private first. */
  readonly labels: readonly Label[];
  /** Identifiers that were taken out before it was sent. */
  readonly redactions: number;
}

/** Receipts added up by host, purpose and trust, in the order in which each is first met. */
export function departuresOf(receipts: readonly Receipt[]): Departure[] {
  const found = new Map<string, Departure>();
  for (const receipt of receipts) {
    const { host, purpose, trust } = receipt;
    const key = `${purpose} ${trust} ${host}`;
    const before = found.get(key);
    const labels = new Set([...(before?.labels ?? []), ...receipt.labels]);
    found.set(key, {
      host,
      purpose,
      trust,
      requests: (before?.requests ?? 0) + 1,
      bytesOut: (before?.bytesOut ?? 0) + receipt.headBytesOut + receipt.bodyBytesOut,
      bytesIn: (before?.bytesIn ?? 0) + receipt.headBytesIn + receipt.bodyBytesIn,
      labels: knownLabels.filter((label) => labels.has(label)),
      redactions: (before?.redactions ?? 0) + receipt.redactions,
    });
  }
  return [...found.values()];
}

/** A chat service's name as it is written: "Telegram". */
export function platformTitle(name: string): string {
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}

/** Platforms whose chats no service carries. */
const here: ReadonlySet<string> = new Set(["terminal", "api"]);

/** The chat service that carries a chat of this id, as it is written; undefined where none does. */
export function carrierOf(chatId: string): string | undefined {
  const [name = ""] = chatId.split(":", 1);
  return here.has(name) || name === chatId ? undefined : platformTitle(name);
}

function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** How much went, and how private it was. */
function movedText({ bytesOut, bytesIn, labels, redactions }: Departure): string {
  const held = labels.length === 0 ? "nothing of a person" : labels.join(" and ");
  const identifiers = redactions === 1 ? "1 identifier was" : `${redactions} identifiers were`;
  const taken = redactions === 0 ? "" : `; ${identifiers} taken out`;
  return `${bytesText(bytesOut)} out, ${bytesText(bytesIn)} in, ${held}${taken}`;
}

/** Where it went: a host at home that passed it on is not where it ended. */
function placeOf({ host, trust }: Departure): string {
  if (trust === "lan") return `the home network, ${host}`;
  const isHome = trustOf(new URL(`http://${host}`).hostname) !== "cloud";
  return isHome ? `a cloud, by way of ${host}` : host;
}

function lineOf(departure: Departure): string {
  return `To ${placeOf(departure)} (${departure.purpose}): ${movedText(departure)}.`;
}

/** What went to chat services, a phrase for each; of the one that carries the chat also where no receipt tells of it. */
function carriedTexts(departures: readonly Departure[], carrier: string | undefined): string[] {
  if (carrier === undefined) {
    return departures.map(
      (one) => `${one.host}, a chat service that you connected: ${movedText(one)}.`,
    );
  }
  const [only, ...more] = departures;
  // Of several hosts nothing says which is the carrier's.
  const moved = only === undefined || more.length > 0 ? "" : `: ${movedText(only)}`;
  return [`${carrier}, which carries this chat${moved}.`];
}

/**
 * What left this machine, as a person reads it, at least one line. `carrier` is the chat service that carries the chat in which it is
 * read, or of whose task it is told: whatever is said there goes through it.
 */
export function departureLines(departures: readonly Departure[], carrier?: string): string[] {
  const gone = departures.filter(({ trust }) => trust !== "local");
  const others = gone.filter(({ trust }) => trust !== "platform");
  const platforms = gone.filter(({ trust }) => trust === "platform");
  const carried = carriedTexts(platforms, carrier);
  if (others.length > 0) return [...others.map(lineOf), ...carried.map((one) => `To ${one}`)];
  const [only, ...more] = carried;
  if (only === undefined) return ["Nothing left this machine."];
  return [`Only to ${only}`, ...more.map((one) => `And to ${one}`)];
}
