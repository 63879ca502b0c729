import type { Clock } from "#core/clock.ts";
import { AppError, type ErrorCode, type Failure } from "#core/errors.ts";
import type { Model, ModelEvent, ModelStop, TokenUsage } from "#core/model.ts";
import { type Attempt, type RouteAsk, type RoutedEvent, type Router } from "#core/router.ts";
import type { ModelSettings } from "#core/settings.ts";

import {
  type Candidate,
  explainOption,
  isCandidate,
  options,
  type Skipped,
  type Sources,
} from "./candidates.ts";

/** Failures of one deployment that another may not share. */
const worthAnother: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "model.unavailable",
  "model.missing",
  "model.timeout",
  "model.truncated",
  "model.protocol",
  "model.crashed",
  "model.damaged",
  "model.memory",
  "model.no-key",
  "model.wrong-key",
  "model.no-credit",
  "model.address",
  "model.rate-limit",
  "model.failed",
  "engine.missing",
]);

interface Tried {
  readonly stop: ModelStop;
  readonly spoke: boolean;
}

function outcomeOf(stop: ModelStop): Attempt["outcome"] {
  if (stop.reason === "aborted") return "aborted";
  return stop.failure?.code ?? "ok";
}

/** Makes the candidate's model ready, or says in a stop why it cannot be. */
async function openModel(candidate: Candidate, signal: AbortSignal): Promise<Model | ModelStop> {
  try {
    return await candidate.open(signal);
  } catch (error) {
    if (signal.aborted) return { type: "stop", reason: "aborted" };
    if (!(error instanceof AppError)) throw error;
    return { type: "stop", reason: "error", failure: error.failure };
  }
}

/** A model's events with its stop set apart; returns what the try came to. */
async function* listen(
  clock: Clock,
  events: AsyncIterable<ModelEvent>,
): AsyncGenerator<RoutedEvent, { stop: ModelStop; usage: TokenUsage; firstTokenAt?: number }> {
  let firstTokenAt: number | undefined;
  let usage: TokenUsage = {};
  for await (const event of events) {
    if (event.type === "stop") {
      return { stop: event, usage, ...(firstTokenAt === undefined ? {} : { firstTokenAt }) };
    }
    if (event.type === "usage") {
      const { type: _, ...tokens } = event;
      usage = tokens;
    } else firstTokenAt ??= clock.elapsed();
    yield event;
  }
  throw new Error("A model's stream ended without a stop.");
}

async function* tryOne(
  clock: Clock,
  candidate: Candidate,
  work: { readonly ask: RouteAsk; readonly signal: AbortSignal },
): AsyncGenerator<RoutedEvent, Tried> {
  const { ask, signal } = work;
  const { tier, reason, notice } = candidate;
  const model = await openModel(candidate, signal);
  const startedAt = clock.now();
  const begun = clock.elapsed();
  const deployment = "stream" in model ? model.id : candidate.deployment;
  if (!("stream" in model)) {
    const outcome = outcomeOf(model);
    const attempt = { deployment, tier, reason, outcome, startedAt, durationMs: 0 };
    yield { type: "attempt", attempt };
    return { stop: model, spoke: false };
  }
  yield { type: "chosen", deployment, tier, reason, ...(notice === undefined ? {} : { notice }) };
  const request = { ...ask.build(model.limits), taskId: ask.taskId };
  const { stop, usage, firstTokenAt } = yield* listen(clock, model.stream(request, signal));
  const attempt: Attempt = {
    deployment,
    tier,
    reason,
    outcome: outcomeOf(stop),
    startedAt,
    durationMs: Math.round(clock.elapsed() - begun),
    ...(firstTokenAt === undefined ? {} : { firstTokenMs: Math.round(firstTokenAt - begun) }),
    // What runs at home costs nothing; what a cloud does not tell is unknown.
    ...(model.trust === "local" || model.trust === "lan" ? { costUsd: 0 } : {}),
    ...usage,
  };
  yield { type: "attempt", attempt };
  return { stop, spoke: firstTokenAt !== undefined };
}

/** What has been passed over and tried for one request, and what it means for what comes next. */
function createTries(use: string | null, forced: boolean) {
  const skipped: Skipped[] = [];
  const state: { failure: Failure | undefined; passed: string | undefined } = {
    failure: undefined,
    passed: undefined,
  };
  return {
    skip(option: Skipped): void {
      skipped.push(option);
      if (option.deployment === use && !forced) state.passed = option.why.message;
    },
    add(failure: Failure | undefined): void {
      state.passed = failure?.sentence;
      // A key that was never given is no news beside a failure of a service that is in use.
      if (failure?.code !== "model.no-key") state.failure = failure;
      state.failure ??= failure;
    },
    /** A candidate that steps in for the owner's own or for one that failed says so: it is not what was asked for. */
    asNext(candidate: Candidate): Candidate {
      if (state.passed === undefined) return candidate;
      const said = `${state.passed} ${candidate.deployment} is tried instead.`;
      const notice = candidate.notice === undefined ? said : `${said} ${candidate.notice}`;
      return { ...candidate, notice };
    },
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

/** The router over the owner's settings. */
export function createRouter(deps: {
  readonly settings: ModelSettings;
  readonly sources: Sources;
  readonly clock: Clock;
}): Router {
  const { settings, sources, clock } = deps;

  async function* stream(ask: RouteAsk, signal: AbortSignal): AsyncGenerator<RoutedEvent> {
    const log = createTries(settings.use, ask.forced);
    for await (const option of options(settings, sources, ask)) {
      if (!isCandidate(option)) {
        log.skip(option);
        continue;
      }
      const tried = yield* tryOne(clock, log.asNext(option), { ask, signal });
      log.add(tried.stop.failure);
      const code = tried.stop.failure?.code;
      if (code !== undefined && !tried.spoke && worthAnother.has(code)) continue;
      yield tried.stop;
      return;
    }
    yield { type: "stop", reason: "error", failure: log.nothingLeft() };
  }

  return {
    stream,
    async explain(tier) {
      const forced = tier === "cloud-smart";
      const all = await Array.fromAsync(options(settings, sources, { tier, forced }));
      return all.map(explainOption);
    },
  };
}
