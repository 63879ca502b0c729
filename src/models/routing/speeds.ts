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

/** What is known of how an attempt's prompt was read. */
export interface Reading {
  /** Milliseconds, as the host says; absent where it does not, and the time to the first token is taken for it. */
  readonly promptMs?: number | undefined;
  /**
   * True where the host may have known the prompt's beginning from before. Some count the tokens that they had not to read again, so
   * that without a word of a cache the rate is at most what was measured.
   */
  readonly hadBegun?: boolean;
}

/** Measured speeds, each a mean in which the newest counts most. */
export interface Speeds {
  observe(attempt: Attempt, reading?: Reading): void;
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

/** The rate at which prompts are read, with one more measured; what can only be too high lowers it alone. */
function readRate(
  before: number | undefined,
  { promptTokens = 0, cachedTokens, firstTokenMs = 0 }: Attempt,
  { promptMs = firstTokenMs, hadBegun = false }: Reading,
): number | undefined {
  const read = rate(promptTokens - (cachedTokens ?? 0), promptMs);
  const isAtMost = hadBegun && cachedTokens === undefined;
  if (read === undefined || (isAtMost && before !== undefined && read > before)) return before;
  return mean(before, read);
}

function measured(before: Speed, attempt: Attempt, reading: Reading): Speed {
  const { promptTokens, answerTokens, firstTokenMs, durationMs } = attempt;
  const after: Change = { ...before };
  if (promptTokens !== undefined) after.promptTokens = mean(before.promptTokens, promptTokens);
  if (answerTokens !== undefined) after.answerTokens = mean(before.answerTokens, answerTokens);
  if (firstTokenMs === undefined) return after;
  const read = readRate(before.promptRate, attempt, reading);
  if (read !== undefined) after.promptRate = read;
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
    observe(attempt, reading = {}) {
      if (attempt.outcome !== "ok") return;
      speeds.set(attempt.deployment, measured(of(attempt.deployment), attempt, reading));
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
