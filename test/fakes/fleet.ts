import type { Clock } from "../../src/core/clock.ts";
import { AppError, type ErrorCode } from "../../src/core/errors.ts";
import type {
  Model,
  ModelEvent,
  ModelRequest,
  ModelStop,
  TokenUsage,
  ToolCall,
} from "../../src/core/model.ts";
import type { PrivacyRule } from "../../src/core/privacy.ts";
import type { Attempt } from "../../src/core/route.ts";
import type { RouteAsk, RoutedEvent, Router } from "../../src/core/router.ts";
import { modelSettingsSchema } from "../../src/core/settings.ts";
import type { Purse } from "../../src/models/purse.ts";
import { createRouter } from "../../src/models/router.ts";

import { askWith, freePurse, sourcesWith } from "./router.ts";

/** What a model of a fleet does when it is asked. */
export interface Reply {
  /** Pieces of its answer. */
  readonly text?: readonly string[];
  readonly calls?: readonly ToolCall[];
  readonly usage?: TokenUsage;
  readonly fails?: ErrorCode;
  /** What its service said of the failure. */
  readonly problem?: string;
  readonly retryMs?: number;
  /** It says its pieces and then nothing more until it is aborted. */
  readonly hangs?: boolean;
}

/** One request as a model of a fleet received it. */
export interface Asked {
  readonly deployment: string;
  readonly request: ModelRequest;
  /** By the clock's `elapsed`. */
  readonly at: number;
  readonly signal: AbortSignal;
}

interface FleetSetup {
  readonly clock: Clock;
  /** Settings of config/models.yaml; deployments may leave out what is usual. */
  readonly settings: object;
  /** The replies of each deployment one after the other, the last for ever; a deployment that is not named answers "I am <name>.". */
  readonly replies?: Readonly<Record<string, readonly Reply[]>>;
  readonly purse?: Purse;
  readonly rules?: readonly PrivacyRule[];
  /** Deployments that never become ready. */
  readonly opening?: (deployment: string) => Promise<void>;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function stopOf(reply: Reply, model: string): ModelStop {
  const { fails, calls = [], problem = "as it was told", retryMs } = reply;
  if (fails === undefined) {
    return { type: "stop", reason: calls.length > 0 ? "toolCalls" : "end" };
  }
  const details = { model, host: model, problem, seconds: 1, key: "KEY", when: "later" };
  const { failure } = new AppError(fails, details);
  const stop = { type: "stop", reason: "error", failure } as const;
  return retryMs === undefined ? stop : { ...stop, retryMs };
}

/** The product's router over models that answer as they are told. */
export function createFleet(setup: FleetSetup): {
  readonly router: Router;
  readonly asked: Asked[];
  /** All that comes of a request. */
  readonly run: (own?: Partial<RouteAsk>, signal?: AbortSignal) => Promise<RoutedEvent[]>;
} {
  const { clock, replies = {}, purse = freePurse, rules = [], opening } = setup;
  const settings = modelSettingsSchema.parse(setup.settings);
  const asked: Asked[] = [];

  function modelOf(id: string): Model {
    async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
      const before = asked.filter(({ deployment }) => deployment === id).length;
      asked.push({ deployment: id, request, at: clock.elapsed(), signal });
      const mine = replies[id] ?? [];
      const reply = mine[before] ?? mine.at(-1) ?? { text: [`I am ${id}.`] };
      for (const text of reply.text ?? []) {
        yield { type: "text", text };
        if (signal.aborted) break;
      }
      if (reply.hangs === true) await untilAborted(signal);
      if (signal.aborted) {
        yield { type: "stop", reason: "aborted" };
        return;
      }
      for (const call of reply.calls ?? []) yield { type: "toolCall", call };
      if (reply.usage !== undefined) yield { type: "usage", ...reply.usage };
      yield stopOf(reply, id);
    }
    const contextTokens = settings.deployments[id]?.context ?? 8192;
    const limits = { contextTokens, promptBudget: 2000, tools: true, bare: false };
    return { id, trust: "local", limits: { ...limits, maxAnswerTokens: 100 }, stream };
  }

  const router = createRouter({
    settings,
    clock,
    purse,
    random: () => 0,
    rulesFor: () => Promise.resolve(new Set(rules)),
    sources: sourcesWith({
      async open(id) {
        await opening?.(id);
        return modelOf(id);
      },
    }),
  });
  const never = new AbortController().signal;
  const run = (own: Partial<RouteAsk> = {}, signal = never): Promise<RoutedEvent[]> =>
    Array.fromAsync(router.stream(askWith(own), signal));
  return { router, asked, run };
}

/** The attempts of a request. */
export function attemptsOf(events: readonly RoutedEvent[]): Attempt[] {
  return events.flatMap((event) => (event.type === "attempt" ? [event.attempt] : []));
}

/** Which deployment was tried with which outcome, in their order. */
export function outcomesOf(events: readonly RoutedEvent[]): string[] {
  return attemptsOf(events).map(({ deployment, outcome }) => `${deployment}: ${outcome}`);
}

/** The answer: the text of the last try. */
export function answerOf(events: readonly RoutedEvent[]): string {
  const last = events.slice(events.findLastIndex((event) => event.type === "chosen"));
  return last.map((event) => (event.type === "text" ? event.text : "")).join("");
}

/** How the request ended: the stop's reason, or the code of its failure. */
export function endOf(events: readonly RoutedEvent[]): string {
  const stops = events.filter((event) => event.type === "stop");
  const last = events.at(-1);
  if (stops.length !== 1 || last?.type !== "stop") return "not exactly one stop, at the end";
  return last.failure?.code ?? last.reason;
}

/** The sentence that a person reads at the end. */
export function sentenceOf(events: readonly RoutedEvent[]): string {
  const last = events.at(-1);
  return last?.type === "stop" ? (last.failure?.sentence ?? "") : "";
}

/** A host of scripted models. */
export const here = { kind: "scripted", script: "-" };

/** Two deployments on two hosts: `first` goes before `second`. */
export const two = {
  hosts: { a: here, b: here },
  deployments: { first: { host: "a", model: "m" }, second: { host: "b", model: "m" } },
  tiers: { "local-fast": ["first", "second"] },
};

/** The first of them alone. */
export const one = { ...two, tiers: { "local-fast": ["first"] } };

/** An answer. */
export const ok: Reply = { text: ["Well."] };
