import type { Clock } from "#core/clock.ts";
import { AppError, type ErrorCode, type Failure } from "#core/errors.ts";
import type { Model, ModelEvent, ModelStop, TokenUsage } from "#core/model.ts";
import {
  type Attempt,
  type RouteAsk,
  type RoutedEvent,
  type Router,
  type TierName,
  tierNames,
} from "#core/router.ts";
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

const tierWords: Readonly<Record<string, TierName>> = {
  fast: "local-fast",
  smart: "local-smart",
  cloud: "cloud-smart",
};

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
    } else firstTokenAt ??= clock.now();
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
    durationMs: clock.now() - startedAt,
    ...(firstTokenAt === undefined ? {} : { firstTokenMs: firstTokenAt - startedAt }),
    ...usage,
  };
  yield { type: "attempt", attempt };
  return { stop, spoke: firstTokenAt !== undefined };
}

/** What to say when nothing answered: the one real failure, or the ways to a model. */
function nothingLeft(tried: Failure | undefined, skipped: readonly Skipped[]): Failure {
  if (tried !== undefined) return tried;
  const refused = skipped.find(({ why }) => why.code === "model.refused");
  if (refused !== undefined) return refused.why.failure;
  const engine = skipped.find(({ why }) => why.code === "engine.missing");
  const because = engine === undefined ? "" : ` (${engine.why.message})`;
  return new AppError("model.none", { because }).failure;
}

/** The router over the owner's settings. */
export function createRouter(deps: {
  readonly settings: ModelSettings;
  readonly sources: Sources;
  readonly clock: Clock;
}): Router {
  const { settings, sources, clock } = deps;

  async function* stream(ask: RouteAsk, signal: AbortSignal): AsyncGenerator<RoutedEvent> {
    const skipped: Skipped[] = [];
    let failure: Failure | undefined;
    for await (const option of options(settings, sources, ask)) {
      if (!isCandidate(option)) {
        skipped.push(option);
        continue;
      }
      const tried = yield* tryOne(clock, option, { ask, signal });
      const failed = tried.stop.failure;
      const goOn = failed !== undefined && !tried.spoke && worthAnother.has(failed.code);
      // A key that was never given is no news beside a failure of a service that is in use.
      if (failed?.code !== "model.no-key") failure = failed;
      failure ??= failed;
      if (goOn) continue;
      yield tried.stop;
      return;
    }
    yield { type: "stop", reason: "error", failure: nothingLeft(failure, skipped) };
  }

  return {
    stream,
    tierOf(word) {
      const named = tierNames.find((tier) => tier === word) ?? tierWords[word];
      if (named !== undefined) return named;
      const known = [...Object.keys(tierWords), ...tierNames].join(", ");
      throw new AppError("usage.unknown-tier", { tier: word, known });
    },
    async explain(tier) {
      const forced = tier === "cloud-smart";
      const all = await Array.fromAsync(options(settings, sources, { tier, forced }));
      return all.map(explainOption);
    },
  };
}
