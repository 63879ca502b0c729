import { setTimeout as pause } from "node:timers/promises";

import { fullProfile, failoverScript, type Profile } from "../../fakes/providers/failover.ts";
import { openProvider } from "../../fakes/providers/server.ts";

import { call, type Outcome } from "./call.ts";
import { type FailoverFault, isComplete, type Observed } from "./failover-faults.ts";
import { type Breaks, knownOfHost, openRouter } from "./harness.ts";

/** The benchmark's own words for what came of a fault. */
export type Score = "pass" | "partial" | "safe" | "fail";

/** What came of a fault, and what was missed. */
export interface Scored {
  readonly id: string;
  readonly title: string;
  readonly score: Score;
  readonly missed: string;
  readonly ms: number;
  readonly primaryAttempts: number;
}

/** The budget of every system of the benchmark is two retries and one fallback; these are our own deadlines within it. */
function settingsFor(origin: string, fault: FailoverFault, profile: Profile): object {
  const isFull = profile === fullProfile;
  const seconds = {
    connect_seconds: isFull ? 5 : 1,
    first_token_seconds: isFull ? 10 : 1,
    idle_seconds: isFull ? 10 : 1,
    total_seconds: 30,
    max_parallel: 8,
  };
  const host = knownOfHost({ kind: "openai", url: `${origin}/v1`, ...seconds });
  const max_answer = 100;
  return {
    hosts: { first: host, second: host },
    deployments: {
      primary: { host: "first", model: `fb-${fault.id.toLowerCase()}-primary`, max_answer },
      alive: { host: "first", model: "fb-ok", max_answer },
      fallback: { host: "second", model: fault.fallback, context: 65_536, max_answer },
    },
    tiers: { "local-smart": ["primary", "fallback"], "local-fast": ["alive"], "cloud-smart": [] },
  };
}

function scoreOf(
  { id, checks }: FailoverFault,
  observed: Observed,
): Pick<Scored, "score" | "missed"> {
  const { outcomes } = observed;
  if (outcomes.some(({ hung }) => hung)) return { score: "fail", missed: "it hung" };
  const ended = outcomes.filter(({ stop }) => stop?.reason !== "error");
  if (!ended.every(isComplete)) return { score: "fail", missed: "half an answer as a success" };
  const missed = checks(observed).filter(({ holds }) => !holds);
  const words = missed.map((check) => check.words).join("; ");
  if (missed.some(({ advisory }) => advisory !== true)) return { score: "fail", missed: words };
  const isRescued = outcomes.every(isComplete);
  // A refusal is rightly answered by an error.
  if (isRescued || id === "S13") return { score: words === "" ? "pass" : "partial", missed: words };
  return { score: "safe", missed: `a clean error: ${outcomes[0]?.code ?? "none"}` };
}

/** Plays one fault on a server of its own and scores the router as the benchmark does. */
export async function runFault(
  fault: FailoverFault,
  profile: Profile,
  breaks?: Breaks,
): Promise<Scored> {
  const script = failoverScript(profile);
  const server = await openProvider({ kind: "openai", scripts: { other: script } });
  const options = breaks === undefined ? {} : { breaks };
  const subject = await openRouter(settingsFor(server.origin, fault, profile), options);
  const ask = { text: "Tell me of the harbour.", maxTokens: 100 };
  const turns = fault.id === "S15" ? profile.requests : 1;
  const begun = performance.now();
  try {
    const outcomes: Outcome[] = await Promise.all(
      Array.from({ length: turns }, async (_, turn) => {
        await pause(turn * profile.everyMs);
        return call(subject.router, { ...ask, patienceMs: fault.wallMs });
      }),
    );
    const ms = Math.round(performance.now() - begun);
    const primary = server.of(`fb-${fault.id.toLowerCase()}-primary`);
    const fallback = server.of(fault.fallback);
    const after = await call(subject.router, { ...ask, tier: "local-fast", patienceMs: 10_000 });
    const observed = { outcomes, primary, fallback, alive: isComplete(after), profile };
    const { id, title } = fault;
    return { id, title, ...scoreOf(fault, observed), ms, primaryAttempts: primary.length };
  } finally {
    await subject.close();
    server.close();
  }
}
