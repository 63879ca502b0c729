import { AppError, type Failure } from "#core/errors.ts";
import type { Attempt, Explained, Route, RouteAsk } from "#core/router.ts";

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

/** What has been passed over and tried for one request, what it means for what comes next, and how it is told. */
export function createTries(use: string | null, ask: RouteAsk) {
  const looked: Explained[] = [];
  const skipped: Skipped[] = [];
  const chain: string[] = [];
  const state: { failure: Failure | undefined; passed: string | undefined } = {
    failure: undefined,
    passed: undefined,
  };

  function pass(option: Skipped): void {
    skipped.push(option);
    if (option.deployment === use && !ask.forced) state.passed = option.why.message;
  }

  return {
    /** Called once for each option that is looked at. */
    look(option: Option): void {
      looked.push(explainOption(option));
      if (!isCandidate(option)) pass(option);
    },
    /** A candidate that drops out before it is tried. */
    drop({ deployment, tier }: Candidate, why: AppError): void {
      const at = looked.findLastIndex((one) => one.deployment === deployment);
      looked[at === -1 ? looked.length : at] = {
        deployment,
        tier,
        reason: why.message,
        usable: false,
      };
      skipped.push({ deployment, tier, why });
      state.passed = why.message;
      state.failure ??= why.failure;
    },
    add({ deployment, outcome }: Attempt, failure: Failure | undefined): void {
      chain.push(`${deployment}: ${outcome}`);
      state.passed = failure?.sentence;
      // A key that was never given is no news beside a failure of a service that is in use.
      if (failure?.code !== "model.no-key") state.failure = failure;
      state.failure ??= failure;
    },
    /** Why a candidate is tried now, with what was tried before it. */
    reasonFor: ({ reason }: Candidate): string =>
      chain.length === 0 ? reason : `${reason}; before it ${chain.join(", ")}`,
    /** A candidate that steps in for the owner's own or for one that failed says so: it is not what was asked for. */
    noticeFor({ deployment, notice }: Candidate, isAgain: boolean): string | undefined {
      if (state.passed === undefined || isAgain) return notice;
      const said = `${state.passed} ${deployment} is tried instead.`;
      return notice === undefined ? said : `${said} ${notice}`;
    },
    route: (): Route => ({ constraints: constraintsOf(ask), candidates: looked }),
    /** What to say when nothing answered: the one real failure, or the ways to a model. */
    nothingLeft(): Failure {
      if (state.failure !== undefined) return state.failure;
      const refused = skipped.find(({ why }) => why.code === "model.refused");
      if (refused !== undefined) return refused.why.failure;
      const engine = skipped.find(({ why }) => why.code === "engine.missing");
      const because = engine === undefined ? "" : ` (${engine.why.message})`;
      return new AppError("model.none", { because }).failure;
    },
  };
}

/** The tries of one request. */
export type Tries = ReturnType<typeof createTries>;
