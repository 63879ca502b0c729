import { AppError, type Failure } from "#core/errors.ts";
import type { Attempt, Explained, Route } from "#core/route.ts";
import type { RouteAsk } from "#core/router.ts";

import {
  type Candidate,
  explainOption,
  isCandidate,
  type Option,
  type Skipped,
} from "./candidates.ts";

function constraintsOf({ tier, forced, sources, avoid, priority }: RouteAsk): string[] {
  const held = sources.map(({ origin, label }) => `${origin} (${label})`).join(", ");
  return [
    forced ? `tier ${tier}, as asked for` : `tier ${tier}, the agent's own`,
    `the prompt holds ${held === "" ? "nothing of a person" : held}`,
    `priority ${priority}`,
    ...(avoid === undefined ? [] : [`not ${avoid}, if another answers`]),
  ];
}

/** What was looked at, as it is told. */
function createLooked() {
  const looked: Option[] = [];
  return {
    all: (): Explained[] => looked.map(explainOption),
    add: (option: Option) => void looked.push(option),
    drop({ deployment, tier }: Candidate, why: AppError): void {
      const at = looked.findLastIndex((one) => one.deployment === deployment);
      looked[at === -1 ? looked.length : at] = { deployment, tier, why };
    },
  };
}

/** What to say when nothing was tried: why that was, or the ways to a model. */
function nothingTried(skipped: readonly Skipped[]): Failure {
  const refused = skipped.find(({ why }) => why.code === "model.refused");
  if (refused !== undefined) return refused.why.failure;
  const engine = skipped.find(({ why }) => why.code === "engine.missing");
  const because = engine === undefined ? "" : ` (${engine.why.message})`;
  return new AppError("model.none", { because }).failure;
}

/** What does not answer. */
interface Passed {
  readonly deployment: string;
  readonly why: string;
}

/** What has been passed over and tried for one request, what it means for what comes next, and how it is told. */
export function createTries(use: string | null, ask: RouteAsk) {
  const looked = createLooked();
  const skipped: Skipped[] = [];
  const chain: string[] = [];
  const state: {
    failure: Failure | undefined;
    /** Why what was asked for does not answer, and the same of what is as good as what is tried now. */
    passed: Passed | undefined;
    passedHere: Passed | undefined;
  } = { failure: undefined, passed: undefined, passedHere: undefined };

  return {
    /** Begins with options that are equally good. */
    look(rank: readonly Option[]): void {
      state.passed = state.passedHere ?? state.passed;
      state.passedHere = undefined;
      for (const option of rank) {
        looked.add(option);
        if (isCandidate(option)) continue;
        skipped.push(option);
        const { deployment, why } = option;
        if (deployment === use && !ask.forced) state.passedHere = { deployment, why: why.message };
      }
    },
    /** A candidate that drops out before it is tried. */
    drop(candidate: Candidate, why: AppError): void {
      looked.drop(candidate, why);
      skipped.push({ ...candidate, why });
      state.passedHere = { deployment: candidate.deployment, why: why.message };
      state.failure ??= why.failure;
    },
    add({ deployment, outcome }: Attempt, failure: Failure | undefined): void {
      chain.push(`${deployment}: ${outcome}`);
      state.passedHere = failure === undefined ? undefined : { deployment, why: failure.sentence };
      // What left the house is told whatever comes next.
      if (failure?.code === "model.passed-on") state.passed = state.passedHere;
      const hasLeft = state.failure?.code === "model.passed-on" && failure !== undefined;
      // A key that was never given is no news beside a failure of a service that is in use.
      if (failure?.code !== "model.no-key" && !hasLeft) state.failure = failure;
      state.failure ??= failure;
    },
    /** Why a candidate is tried now, with what was tried before it. */
    reasonFor: ({ reason }: Candidate): string =>
      chain.length === 0 ? reason : `${reason}; before it ${chain.join(", ")}`,
    /** A candidate that is not as good as what was asked for, or is another one, says so. */
    noticeFor({ deployment, notice }: Candidate): string | undefined {
      // Who is tried again, or was being tried by another request, is nobody else.
      if (state.passed === undefined || state.passed.deployment === deployment) return notice;
      const said = `${state.passed.why} ${deployment} is tried instead.`;
      return notice === undefined ? said : `${said} ${notice}`;
    },
    route: (): Route => ({ constraints: constraintsOf(ask), candidates: looked.all() }),
    /** What to say when nothing answered. */
    nothingLeft: (): Failure => state.failure ?? nothingTried(skipped),
  };
}

/** The tries of one request. */
export type Tries = ReturnType<typeof createTries>;
