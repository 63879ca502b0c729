import { type Profile, sixtyWordAnswer } from "../../fakes/providers/failover.ts";
import type { Seen } from "../../fakes/providers/server.ts";

import type { Outcome } from "./call.ts";
import { gaps } from "./judge.ts";

/** What was seen of a fault from both sides. */
export interface Observed {
  /** The one call; all of them where there are several. */
  readonly outcomes: readonly Outcome[];
  /** Requests that the primary model got, and the fallback. */
  readonly primary: readonly Seen[];
  readonly fallback: readonly Seen[];
  /** Whether a healthy model answered within 10 s afterwards. */
  readonly alive: boolean;
  readonly profile: Profile;
}

/** What is scored of a fault. */
export interface Check {
  readonly words: string;
  readonly holds: boolean;
  /** True where missing it only makes a rescue partial. */
  readonly advisory?: boolean;
}

/** A fault of the benchmark. */
export interface FailoverFault {
  readonly id: string;
  readonly title: string;
  /** Beyond it a call hangs. */
  readonly wallMs: number;
  readonly fallback: string;
  readonly checks: (observed: Observed) => readonly Check[];
}

/** Whether the whole answer came, whitespace aside. */
export function isComplete({ stop, text }: Outcome): boolean {
  const flat = (words: string): string => words.trim().replaceAll(/\s+/g, " ");
  return stop?.reason === "end" && flat(text) === flat(sixtyWordAnswer);
}

function within(seen: readonly Seen[], ms: number): number {
  const begun = seen[0]?.at ?? 0;
  return seen.filter(({ at }) => at - begun <= ms).length;
}

function must(words: string, holds: boolean): Check {
  return { words, holds };
}

function should(words: string, holds: boolean): Check {
  return { words, holds, advisory: true };
}

function tookMs({ outcomes }: Observed): number {
  return outcomes[0]?.ms ?? Infinity;
}

function hasUsage({ outcomes }: Observed): boolean {
  const last = outcomes[0]?.attempts.at(-1);
  return (last?.promptTokens ?? 0) > 0 && (last?.answerTokens ?? 0) > 0;
}

/** Limits in seconds of the full profile, and for development of the other. */
function limit({ profile }: Observed, full: number, fast: number): number {
  return (profile.wordMs === 15 ? full : fast) * 1000;
}

function neverTheSameSize({ primary }: Observed): boolean {
  return primary.every(({ size }, at) => at === 0 || size < (primary[at - 1]?.size ?? 0));
}

function flapping(observed: Observed): Check[] {
  const { outcomes, primary, profile } = observed;
  const during = outcomes.filter((_, at) => at * profile.everyMs < profile.outageMs);
  const back = primary.find(({ at }) => at >= profile.outageMs)?.at ?? Infinity;
  const isUsed = outcomes.some(
    (outcome) => outcome.deployment === "primary" && isComplete(outcome),
  );
  return [
    must("all served in the outage", during.every(isComplete)),
    must(
      "primary used again within 30 s",
      isUsed && back - profile.outageMs <= limit(observed, 30, 6),
    ),
  ];
}

const s = 1000;
const plain = "fb-ok";
const atMost = (seen: readonly Seen[], most: number): Check =>
  must(`at most ${most} attempts on the primary`, seen.length <= most);

/** The sixteen faults of Failover Bench, methodology 0.1, with what it scores of each. */
export const failoverFaults: readonly FailoverFault[] = [
  {
    id: "S01",
    title: "429 with Retry-After",
    wallMs: 20 * s,
    fallback: plain,
    checks: ({ primary }) => [
      should("2 or more attempts on the primary", primary.length >= 2),
      should("first gap of at least 1.8 s", (gaps(primary)[0] ?? 0) >= 1800),
      must("at most 2 attempts in 1.5 s", within(primary, 1500) <= 2),
    ],
  },
  {
    id: "S02",
    title: "429 for ever",
    wallMs: 40 * s,
    fallback: plain,
    checks: ({ primary }) => [
      must("at most 4 attempts in 3 s", within(primary, 3000) <= 4),
      atMost(primary, 6),
    ],
  },
  {
    id: "S03",
    title: "500 once",
    wallMs: 20 * s,
    fallback: plain,
    checks: ({ primary }) => [should("retried on the same provider", primary.length >= 2)],
  },
  {
    id: "S04",
    title: "503 for ever",
    wallMs: 40 * s,
    fallback: plain,
    checks: ({ primary }) => [atMost(primary, 6)],
  },
  {
    id: "S05",
    title: "reset before the head",
    wallMs: 20 * s,
    fallback: plain,
    checks: (seen) => [must("ends within 20 s", tookMs(seen) <= 20 * s)],
  },
  {
    id: "S06",
    title: "no response",
    wallMs: 130 * s,
    fallback: plain,
    checks: (seen) => [
      must("ends within 100 s", tookMs(seen) <= limit(seen, 100, 12)),
      should("one attempt on the primary", seen.primary.length === 1),
    ],
  },
  {
    id: "S07",
    title: "slow first token",
    wallMs: 60 * s,
    fallback: plain,
    checks: (seen) => [should("ends within 15 s", tookMs(seen) <= limit(seen, 15, 2.5))],
  },
  { id: "S08", title: "stream cut", wallMs: 40 * s, fallback: plain, checks: () => [] },
  {
    id: "S09",
    title: "stall",
    wallMs: 70 * s,
    fallback: plain,
    checks: (seen) => [
      must("ends within 45 s", tookMs(seen) <= limit(seen, 45, 6)),
      must("alive afterwards", seen.alive),
    ],
  },
  {
    id: "S10",
    title: "malformed chunk",
    wallMs: 30 * s,
    fallback: plain,
    checks: ({ alive, outcomes }) => [
      must("alive afterwards", alive),
      should("complete answer", outcomes.every(isComplete)),
    ],
  },
  {
    id: "S11",
    title: "no [DONE]",
    wallMs: 30 * s,
    fallback: plain,
    checks: (seen) => [
      must("ends within 8 s", tookMs(seen) <= 8 * s),
      should("usage reported", hasUsage(seen)),
    ],
  },
  {
    id: "S12",
    title: "context length",
    wallMs: 20 * s,
    fallback: plain,
    checks: (seen) => [
      must("never the same size again", neverTheSameSize(seen)),
      atMost(seen.primary, 2),
    ],
  },
  {
    id: "S13",
    title: "content filter",
    wallMs: 20 * s,
    fallback: plain,
    checks: ({ primary, fallback }) => [
      should("one attempt on the primary", primary.length === 1),
      should("not answered by the fallback", fallback.length === 0),
    ],
  },
  {
    id: "S14",
    title: "fallback rejects prefill",
    wallMs: 40 * s,
    fallback: "fb-ok-noprefill",
    checks: ({ fallback }) => [
      must(
        "the refusal of a prefill is not what the caller gets",
        fallback.every(({ lastRole }) => lastRole !== "assistant"),
      ),
    ],
  },
  { id: "S15", title: "flapping primary", wallMs: 30 * s, fallback: plain, checks: flapping },
  {
    id: "S16",
    title: "accounting",
    wallMs: 40 * s,
    fallback: plain,
    checks: (seen) => [
      must("the response names the fallback", seen.outcomes[0]?.deployment === "fallback"),
      should("usage reported", hasUsage(seen)),
      atMost(seen.primary, 6),
    ],
  },
];
