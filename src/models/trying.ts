import type { Clock } from "#core/clock.ts";
import { AppError } from "#core/errors.ts";
import { newId } from "#core/ids.ts";
import {
  estimatePrompt,
  mostTokens,
  type Model,
  type ModelLimits,
  type ModelRequest,
  type ModelStop,
  type TokenUsage,
} from "#core/model.ts";
import type { Attempt } from "#core/route.ts";
import type { RouteAsk } from "#core/router.ts";
import type { Origin } from "#core/trust.ts";

import { failedStop } from "./clients/answering.ts";
import type { Candidate } from "./candidates.ts";
import { type Heard, listen } from "./hearing.ts";
import type { Paid, Purse } from "./purse.ts";
import { createTaken, type Taken } from "./routing/identifiers.ts";
import { following, type Voice } from "./telling.ts";

/** What tries work with. */
export interface TryDeps {
  readonly clock: Clock;
  readonly purse: Purse;
  /** Milliseconds that one answer of this host may take. */
  readonly totalMs: (host: string) => number;
}

/** What a prompt must fit into where that is less than the model's own limits. */
export interface Narrowed extends Partial<Pick<ModelLimits, "contextTokens" | "tools">> {
  /** Tokens that were too many: what is no smaller is not sent again. */
  readonly below?: number;
  /** True where the answer gets twice the room, since the last one was cut. */
  readonly longer?: boolean;
  /** What was wrong with the last answer, which is told. */
  readonly repair?: { readonly said: string; readonly problem: string };
}

/** One try of one candidate. */
export interface Try {
  readonly ask: RouteAsk;
  readonly candidate: Candidate;
  readonly voice: Voice;
  readonly signal: AbortSignal;
  readonly queuedMs: number;
  readonly within: Narrowed;
  /** What may not go to a cloud. */
  readonly withheld: readonly Origin[];
  /** Why it is tried, in words. */
  readonly reason: string;
  readonly notice: string | undefined;
  /** Called when its model has begun to answer. */
  readonly begun: () => void;
}

/** What a try came to. */
export interface Tried {
  readonly stop: ModelStop;
  readonly attempt: Attempt;
  /** Milliseconds in which the host says that it read the prompt. */
  readonly promptMs?: number | undefined;
  /** What the prompt had to fit into; absent where there was no model to ask. */
  readonly limits?: ModelLimits;
  /** Tokens of the prompt, as estimated. */
  readonly sent: number;
  readonly hadTools: boolean;
  /** True where the answer ended at its limit. */
  readonly wasCut: boolean;
  readonly text: string;
}

/** A request that is ready to be sent. */
interface Ready {
  readonly model: Model;
  readonly request: ModelRequest;
  readonly limits: ModelLimits;
  readonly taken: Taken | undefined;
  readonly sent: number;
  readonly paid: Paid;
  readonly begun: Attempt;
}

/** Makes the candidate's model ready, or says in a stop why it cannot be. */
async function openModel({ candidate, signal, ask }: Try): Promise<Model | ModelStop> {
  try {
    return await candidate.open(signal, ask.task.id);
  } catch (error) {
    if (signal.aborted) return { type: "stop", reason: "aborted" };
    if (!(error instanceof AppError)) throw error;
    return failedStop(error);
  }
}

function outcomeOf(stop: ModelStop): Attempt["outcome"] {
  if (stop.reason === "aborted") return "aborted";
  return stop.failure?.code ?? "ok";
}

/** Ends work with its caller's signal, or after so many milliseconds; `expired` says that it was that. */
function createLimit(clock: Clock, ms: number, signal: AbortSignal) {
  const limit = following(signal);
  const done = new AbortController();
  const state = { expired: false };
  void clock.sleep(ms, done.signal).then(() => {
    if (done.signal.aborted) return;
    state.expired = true;
    limit.abort("late");
  });
  return {
    signal: limit.signal,
    expired: () => state.expired,
    over() {
      limit.letGo();
      done.abort("over");
    },
    end: () => limit.abort("enough"),
  };
}

/** A prompt with what the last try taught. */
function asked<Prompt extends Pick<ModelRequest, "messages" | "maxTokens">>(
  prompt: Prompt,
  { longer = false, repair }: Narrowed,
): Prompt {
  const maxTokens = prompt.maxTokens * (longer ? 2 : 1);
  if (repair === undefined) return { ...prompt, maxTokens };
  const text = `That is not in the form that was asked for: ${repair.problem}\nGive the whole answer again, in that form alone.`;
  const messages = [
    ...prompt.messages,
    { role: "assistant", text: repair.said } as const,
    { role: "user", text } as const,
  ];
  return { ...prompt, messages, maxTokens };
}

/** The request as it is sent: what goes to a cloud has identifiers taken out. */
function requestOf(
  { ask, candidate, within }: Pick<Try, "ask" | "candidate" | "within">,
  limits: ModelLimits,
): { readonly request: ModelRequest; readonly taken: Taken | undefined } {
  const labels = [...new Set(ask.sources.map(({ label }) => label))];
  const request = { ...asked(ask.build(limits), within), taskId: ask.task.id, labels };
  if (candidate.trust !== "cloud") return { request, taken: undefined };
  const taken = createTaken();
  const messages = request.messages.map((message) => {
    const text = taken.take(message.text);
    if (message.role !== "assistant" || message.toolCalls === undefined) {
      return { ...message, text };
    }
    const toolCalls = message.toolCalls.map((call) => {
      return { ...call, input: taken.takeValue(call.input) };
    });
    return { ...message, text, toolCalls };
  });
  const redactions = taken.count();
  return {
    request: { ...request, messages, redactions },
    taken: redactions === 0 ? undefined : taken,
  };
}

/** An answer that reports far fewer tokens read than were sent was given to the end of the prompt only. */
function cutNotice(model: string, sent: number, { promptTokens }: TokenUsage): string | undefined {
  const isCut = promptTokens !== undefined && sent > 1000 && promptTokens < sent / 3;
  return isCut
    ? `${model} seems to have read only the end of what it was sent (${promptTokens} of about ${sent} tokens): raise its context on its host, or lower context in config/models.local.yaml.`
    : undefined;
}

/** Makes all ready for sending, or says why nothing is sent. */
async function prepare({ clock, purse }: TryDeps, one: Try): Promise<Ready | Tried> {
  const { ask, candidate, reason, queuedMs, within } = one;
  const model = await openModel(one);
  const startedAt = clock.now();
  const deployment = "stream" in model ? model.id : candidate.deployment;
  const begun: Attempt = {
    id: newId(startedAt),
    deployment,
    tier: candidate.tier,
    reason,
    outcome: "begun",
    startedAt,
    queuedMs,
    durationMs: 0,
  };
  const unsent = (stop: ModelStop, sent = 0, limits?: ModelLimits): Tried => {
    const attempt = { ...begun, outcome: outcomeOf(stop) };
    const nothing = { hadTools: false, wasCut: false, text: "" };
    return { stop, attempt, sent, ...nothing, ...(limits === undefined ? {} : { limits }) };
  };
  if (!("stream" in model)) return unsent(model);
  // Nothing is reserved for what is not sent.
  if (one.signal.aborted) return unsent({ type: "stop", reason: "aborted" });
  const { below = Number.POSITIVE_INFINITY, contextTokens, tools } = within;
  const withheld = candidate.trust === "cloud" ? one.withheld : [];
  const limits = {
    ...model.limits,
    withheld,
    ...(contextTokens === undefined ? {} : { contextTokens }),
    ...(tools === undefined ? {} : { tools }),
  };
  const { request, taken } = requestOf(one, limits);
  const sent = estimatePrompt(request);
  if (sent >= below) {
    return unsent(failedStop(new AppError("model.context-overflow", { model: model.id })), sent);
  }
  const promptTokens = candidate.trust === "cloud" ? estimatePrompt(request, mostTokens) : sent;
  const order = { ask, candidate, begun, promptTokens, maxTokens: request.maxTokens };
  const paid = await purse.open(order);
  if ("failure" in paid) return unsent(failedStop(paid.failure), sent);
  return { model, request, limits, taken, sent, paid, begun };
}

/** The attempt as it went, with what is told of its cost. */
async function settled({ begun, paid, sent }: Ready, heard: Heard & { readonly ms: number }) {
  const { usage, stop, firstTokenMs, ms } = heard;
  const answerTokens = Math.ceil(heard.length / 3.6);
  const { tokens, events } = await paid.settle({ usage, stop, promptTokens: sent, answerTokens });
  const first = firstTokenMs === undefined ? {} : { firstTokenMs: Math.round(firstTokenMs) };
  const durationMs = Math.round(ms);
  const attempt: Attempt = { ...begun, outcome: outcomeOf(stop), durationMs, ...first, ...tokens };
  // The step that stores the others comes after all that is tried for it.
  if (attempt.outcome !== "ok") await paid.free(attempt);
  return { attempt, events };
}

function lateStop(model: string, mostMs: number): ModelStop {
  return failedStop(new AppError("model.timeout", { model, seconds: Math.round(mostMs / 1000) }));
}

/** Asks one model once, and says what it says; `chosen` first, `attempt` last. */
export async function tryOnce(deps: TryDeps, one: Try): Promise<Tried> {
  const { reason, notice, voice } = one;
  const ready = await prepare(deps, one);
  if ("stop" in ready) {
    voice.say({ type: "attempt", attempt: ready.attempt });
    return ready;
  }
  const { model, request, limits, taken, sent, begun } = ready;
  const { deployment, tier } = begun;
  const noticed = notice === undefined ? {} : { notice };
  voice.say({ type: "chosen", deployment, tier, reason, ...noticed });
  const { clock } = deps;
  const from = clock.elapsed();
  const mostMs = deps.totalMs(one.candidate.host);
  const limit = createLimit(clock, mostMs, one.signal);
  let heard: Heard;
  try {
    const schema = request.answerSchema;
    const { begun: alive } = one;
    const at = { clock, model: model.id, taken, schema, end: limit.end, begun: alive };
    const hearing = listen(model.stream(request, limit.signal), at);
    await voice.hand(hearing.events);
    heard = hearing.heard();
  } finally {
    limit.over();
  }
  const stop = limit.expired() ? lateStop(model.id, mostMs) : heard.stop;
  const ms = clock.elapsed() - from;
  const { attempt, events } = await settled(ready, { ...heard, stop, ms });
  const cut = stop.failure === undefined ? cutNotice(model.id, sent, heard.usage) : undefined;
  if (cut !== undefined) voice.say({ type: "notice", text: cut });
  for (const event of events) voice.say(event);
  voice.say({ type: "attempt", attempt });
  const hadTools = request.tools.length > 0;
  const { promptMs, wasCut, text } = heard;
  return { stop, attempt, promptMs, limits, sent, hadTools, wasCut, text };
}
