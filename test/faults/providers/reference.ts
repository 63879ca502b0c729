import type { Clock } from "../../../src/core/clock.ts";
import { systemClock } from "../../../src/core/clock.ts";
import type { ErrorCode, Failure } from "../../../src/core/errors.ts";
import type { Model } from "../../../src/core/model.ts";
import type { RouteAsk, RoutedEvent } from "../../../src/core/router.ts";

import type { Breaks } from "./harness.ts";

const attempts = 3;
const [backoffMs, mostBackoffMs, mostWaitMs] = [500, 8000, 10_000];

/** What is returned to the caller, since no other provider may launder it. */
const final: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["model.refusal", "model.bad-request"]);
/** What is not worth another attempt on the same provider. */
const moves: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "model.timeout",
  "model.context-overflow",
]);

/** What the provider asked to wait, as the sentence says it. */
function askedMs({ sentence }: Failure): number | undefined {
  const seconds = /try again in (\d+) seconds?/.exec(sentence)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

function waitMs(failure: Failure, turn: number): number {
  const asked = askedMs(failure);
  if (asked !== undefined) return Math.min(asked, mostWaitMs);
  return Math.min(backoffMs * 2 ** turn, mostBackoffMs) * (1 + Math.random() * 0.2);
}

/** One attempt; gives its failure, or nothing where it ended well. */
async function* attempt(
  model: Model,
  deployment: string,
  { ask, signal }: { readonly ask: RouteAsk; readonly signal: AbortSignal },
): AsyncGenerator<RoutedEvent, Failure | undefined> {
  const { tier } = ask;
  yield { type: "chosen", deployment, tier, reason: "the reference client" };
  const begun = { startedAt: systemClock.now(), at: systemClock.elapsed() };
  let usage = {};
  let firstTokenMs: number | undefined;
  for await (const event of model.stream({ ...ask.build(model.limits), taskId: null }, signal)) {
    if (event.type === "usage") usage = event;
    else if (event.type !== "stop") firstTokenMs ??= Math.round(systemClock.elapsed() - begun.at);
    if (event.type !== "stop") {
      yield event;
      continue;
    }
    const outcome = event.failure?.code ?? ("ok" as const);
    const durationMs = Math.round(systemClock.elapsed() - begun.at);
    const { startedAt } = begun;
    const spoke = firstTokenMs === undefined ? {} : { firstTokenMs };
    const made = {
      id: "reference",
      queuedMs: 0,
      deployment,
      tier,
      reason: "",
      outcome,
      startedAt,
      durationMs,
      ...spoke,
      ...usage,
    };
    yield { type: "attempt", attempt: made };
    if (event.failure === undefined) yield event;
    return event.failure;
  }
  return undefined;
}

/**
 * The client that the benchmark itself calls its reference, by its published rules: it proves that the rebuilt server and its
 * scoring let sixteen faults be passed.
 */
export function referenceClient(clock: Clock = systemClock): Breaks {
  return ({ router, open }) => ({
    ...router,
    async *stream(ask, signal) {
      const candidates = ask.tier === "local-fast" ? ["alive"] : ["primary", "fallback"];
      let last: Failure | undefined;
      for (const deployment of candidates) {
        const model = await open(deployment);
        for (let turn = 0; turn < attempts; turn += 1) {
          const failure = yield* attempt(model, deployment, { ask, signal });
          if (failure === undefined) return;
          last = failure;
          if (final.has(failure.code)) {
            yield { type: "stop", reason: "error", failure };
            return;
          }
          if (moves.has(failure.code)) break;
          if (turn < attempts - 1) await clock.sleep(waitMs(failure, turn), signal);
        }
      }
      if (last !== undefined) yield { type: "stop", reason: "error", failure: last };
    },
  });
}
