import type { Attempt } from "#core/route.ts";

/** What is known of how fast a deployment works; absent is not measured yet. */
export interface Speed {
  /** Tokens of a prompt that are read in a second, those from a cache left out. */
  readonly promptRate?: number;
  /** Tokens of an answer that are written in a second. */
  readonly answerRate?: number;
  /** Tokens of a usual prompt and answer. */
  readonly promptTokens?: number;
  readonly answerTokens?: number;
}

/** How much a request is, in tokens. */
export type Size = Pick<Speed, "promptTokens" | "answerTokens">;

/** Measured speeds, each a mean in which the newest counts most. */
export interface Speeds {
  observe(attempt: Attempt): void;
  of(deployment: string): Speed;
  /**
   * Milliseconds that a request takes, a usual one where nothing is known of it; `cached` where most of its prompt is known to the host already. Undefined until it has
   * answered once.
   */
  workMs(deployment: string, cached: boolean, size?: Size): number | undefined;
}

/** How much the newest measurement counts. */
const weight = 0.3;
/** A prompt or an answer of fewer tokens says little about a rate. */
const fewTokens = 8;
/** A request of which nothing is known. */
const usual = { promptTokens: 500, answerTokens: 150 };
/** What is left to read of a prompt whose beginning is cached. */
const newShare = 0.2;

function mean(before: number | undefined, now: number): number {
  return before === undefined ? now : before + weight * (now - before);
}

function rate(tokens: number, ms: number): number | undefined {
  return tokens < fewTokens || ms <= 0 ? undefined : (tokens * 1000) / ms;
}

type Change = { -readonly [Key in keyof Speed]: Speed[Key] };

function measured(before: Speed, attempt: Attempt): Speed {
  const { promptTokens, answerTokens, cachedTokens = 0, firstTokenMs, durationMs } = attempt;
  const after: Change = { ...before };
  if (promptTokens !== undefined) after.promptTokens = mean(before.promptTokens, promptTokens);
  if (answerTokens !== undefined) after.answerTokens = mean(before.answerTokens, answerTokens);
  if (firstTokenMs === undefined) return after;
  const read = rate((promptTokens ?? 0) - cachedTokens, firstTokenMs);
  if (read !== undefined) after.promptRate = mean(before.promptRate, read);
  const written = rate(answerTokens ?? 0, durationMs - firstTokenMs);
  if (written !== undefined) after.answerRate = mean(before.answerRate, written);
  return after;
}

/** Speeds of the deployments of this process. */
export function createSpeeds(): Speeds {
  const speeds = new Map<string, Speed>();
  const of = (deployment: string): Speed => speeds.get(deployment) ?? {};
  return {
    of,
    observe(attempt) {
      if (attempt.outcome !== "ok") return;
      speeds.set(attempt.deployment, measured(of(attempt.deployment), attempt));
    },
    workMs(deployment, cached, size) {
      const speed = of(deployment);
      const { promptRate, answerRate } = speed;
      const promptTokens = size?.promptTokens ?? speed.promptTokens ?? usual.promptTokens;
      const answerTokens = size?.answerTokens ?? speed.answerTokens ?? usual.answerTokens;
      if (promptRate === undefined && answerRate === undefined) return undefined;
      const toRead = promptTokens * (cached ? newShare : 1);
      const seconds = toRead / (promptRate ?? 1000) + answerTokens / (answerRate ?? 1000);
      return seconds * 1000;
    },
  };
}
