import type { ErrorCode } from "../../../src/core/errors.ts";
import type { ModelRequest, ModelStop, ToolCall } from "../../../src/core/model.ts";
import type { Attempt } from "../../../src/core/route.ts";
import type { RoutedEvent, Router } from "../../../src/core/router.ts";

import { askOf, noticesOf, type Wish } from "./harness.ts";

/** What a case asks; the rest is as usual. */
export interface Ask
  extends Partial<Omit<ModelRequest, "taskId" | "messages">>, Partial<Omit<Wish, "build">> {
  readonly text?: string;
  readonly messages?: ModelRequest["messages"];
  readonly signal?: AbortSignal;
  /** After so long the call hangs: it is aborted. */
  readonly patienceMs?: number;
  /** Seen with each event before the next is asked for; true leaves the answer there. */
  readonly onEvent?: (event: RoutedEvent) => Promise<boolean | void> | boolean | void;
}

/** What the caller saw of a call. */
export interface Outcome {
  readonly events: readonly RoutedEvent[];
  /** The answer: what came since the last choice. */
  readonly text: string;
  /** What was chosen last. */
  readonly deployment: string | undefined;
  readonly calls: readonly ToolCall[];
  readonly attempts: readonly Attempt[];
  readonly notices: readonly string[];
  readonly stop: ModelStop | undefined;
  readonly code: ErrorCode | undefined;
  readonly hung: boolean;
  readonly ms: number;
}

function outcomeOf(events: readonly RoutedEvent[], hung: boolean, ms: number): Outcome {
  const from = events.findLastIndex((event) => event.type === "chosen");
  const last = events.slice(from + 1);
  const begun = events[from];
  const stop = events.findLast((event) => event.type === "stop");
  return {
    events,
    hung,
    ms,
    text: last.map((event) => (event.type === "text" ? event.text : "")).join(""),
    deployment: begun?.type === "chosen" ? begun.deployment : undefined,
    calls: last.flatMap((event) => (event.type === "toolCall" ? [event.call] : [])),
    attempts: events.flatMap((event) => (event.type === "attempt" ? [event.attempt] : [])),
    notices: noticesOf(events),
    stop,
    code: stop?.failure?.code,
  };
}

/** Makes a call as the product does and gives what came of it; never rejects for a failure of the router. */
export async function call(router: Router, ask: Ask = {}): Promise<Outcome> {
  const { text = "Say it.", tier, forced, signal, patienceMs = 15_000, onEvent, ...own } = ask;
  const { messages, tools = [], maxTokens = 100, ...asked } = own;
  /** As the product does: what does not fit is left out, and who is not trusted with tools is offered none. */
  const build: Wish["build"] = (limits) => {
    const fitting = text.slice(0, Math.floor(limits.contextTokens * 3.6) - 500);
    return {
      ...asked,
      messages: messages ?? [{ role: "user", text: fitting }],
      tools: limits.tools ? tools : [],
      maxTokens,
    };
  };
  const wish = {
    build,
    ...(tier === undefined ? {} : { tier }),
    ...(forced === undefined ? {} : { forced }),
  };
  const patience = new AbortController();
  const late = { hung: false };
  const begun = performance.now();
  const events: RoutedEvent[] = [];
  const all = signal === undefined ? patience.signal : AbortSignal.any([signal, patience.signal]);
  const gaveUp = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    late.hung = true;
    patience.abort();
    // An abort must end it within a second; what does not even do that is left behind.
    setTimeout(gaveUp.resolve, 1500).unref();
  }, patienceMs);
  const read = async (): Promise<void> => {
    for await (const event of router.stream(askOf(wish), all)) {
      events.push(event);
      if ((await onEvent?.(event)) === true) break;
    }
  };
  try {
    await Promise.race([read(), gaveUp.promise]);
  } finally {
    clearTimeout(timer);
  }
  return outcomeOf(events, late.hung, performance.now() - begun);
}
