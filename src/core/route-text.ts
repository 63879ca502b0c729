import { costText, knownCost, knownTokens } from "./cost.ts";
import type { Receipt } from "./http.ts";
import type { Attempt, Explained, PriceSource } from "./route.ts";
import type { RouteRow, UsageRow } from "./task.ts";

/** What is known of how an answer came about. */
export interface Origins {
  readonly usage: readonly UsageRow[];
  readonly routes: readonly RouteRow[];
  readonly receipts: readonly Receipt[];
}

const priceSources: Readonly<Record<PriceSource, string>> = {
  home: "at home",
  service: "as the service reported",
  settings: "by your own price",
  table: "by the price table",
};

/** Seconds with one decimal. */
function secondsText(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Where the cost of these attempts comes from, in words: each source once; "" where none is known. */
function sourcesText(attempts: readonly Attempt[]): string {
  const sources = new Set(attempts.flatMap(({ priced }) => priced ?? []));
  const words = [...sources].map((source) => priceSources[source]);
  if (attempts.some(({ estimated }) => estimated === true)) words.push("estimated");
  return words.length === 0 ? "" : ` (${words.join(", ")})`;
}

/** Tokens read and written, the cost and where that comes from, of attempts together. */
export function spentText(attempts: readonly Attempt[]): string {
  const tokens = (key: "promptTokens" | "answerTokens"): string =>
    String(knownTokens(attempts, key) ?? "?");
  const used = `${tokens("promptTokens")} tokens read, ${tokens("answerTokens")} written`;
  return `${used}; ${costText(knownCost(attempts))}${sourcesText(attempts)}`;
}

/** How long an attempt was queued, took until its first token, and took as a whole. */
export function timesText({ queuedMs, firstTokenMs, durationMs }: Attempt): string {
  const first =
    firstTokenMs === undefined ? "no token came" : `first token ${secondsText(firstTokenMs)}`;
  return `queued ${secondsText(queuedMs)}, ${first}, whole ${secondsText(durationMs)}`;
}

/** What became of a candidate in a route; `attempts` are those of its step. */
export function fateOf(
  { deployment, usable }: Explained,
  attempts: readonly Attempt[],
): "answered" | "tried" | "not needed" | "excluded" {
  const mine = attempts.filter((attempt) => attempt.deployment === deployment);
  if (mine.some(({ outcome }) => outcome === "ok")) return "answered";
  if (mine.length > 0) return "tried";
  return usable ? "not needed" : "excluded";
}

function whereOf(receipts: readonly Receipt[]): string {
  const last = receipts.findLast(({ purpose, status }) => purpose === "model" && status !== null);
  if (last === undefined || last.trust === "local") return "on this machine";
  return last.trust === "lan" ? `on your network (${last.host})` : `in the cloud (${last.host})`;
}

/** Why the one that answered did, and why those before it did not. */
function whyText({ usage, routes }: Origins, answered: UsageRow): string {
  const route = routes.findLast(({ seq }) => seq === answered.seq);
  const attempts = usage.filter(({ seq }) => seq === answered.seq);
  const others = (route?.candidates ?? []).flatMap((candidate) => {
    const fate = fateOf(candidate, attempts);
    if (fate === "excluded") return [`not ${candidate.deployment}: ${candidate.reason}`];
    const failed = attempts.findLast(({ deployment }) => deployment === candidate.deployment);
    return fate === "tried" ? [`not ${candidate.deployment}: ${failed?.outcome ?? ""}`] : [];
  });
  // What was tried before it is told with the others.
  const [reason = ""] = answered.reason.split("; before it ", 1);
  const unique = [...new Set(others)].slice(0, 3);
  return [`Why: ${reason}`, ...unique].join("; ");
}

/** How an answer came about, in four lines: model and where; why it and not another; tokens and cost; times. */
export function originLines(origins: Origins): string[] {
  const { usage, receipts } = origins;
  const answered = usage.findLast(({ outcome }) => outcome === "ok") ?? usage.at(-1);
  if (answered === undefined) return ["Nothing is known of how this came about."];
  const queuedMs = usage.reduce((sum, row) => sum + row.queuedMs, 0);
  const durationMs = usage.reduce((sum, row) => sum + row.durationMs, 0);
  const { firstTokenMs } = usage.find((row) => row.firstTokenMs !== undefined) ?? {};
  const all = { ...answered, queuedMs, durationMs };
  return [
    `${answered.deployment} ${whereOf(receipts)}`,
    whyText(origins, answered),
    spentText(usage),
    timesText(firstTokenMs === undefined ? all : { ...all, firstTokenMs }),
  ];
}
