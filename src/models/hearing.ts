import type { Clock } from "#core/clock.ts";
import { AppError } from "#core/errors.ts";
import type { ModelEvent, ModelStop, TokenUsage } from "#core/model.ts";

import type { RoutedEvent } from "#core/router.ts";

import { failedStop } from "./answering.ts";
import type { Taken } from "./routing/identifiers.ts";
import { createRepeatGuard } from "./routing/repeats.ts";

/** What has been heard of an answer. */
export interface Heard {
  readonly stop: ModelStop;
  readonly usage: TokenUsage;
  /** Milliseconds until the first token; undefined where none came. */
  readonly firstTokenMs: number | undefined;
  /** Characters of text and thinking. */
  readonly length: number;
}

/** What listening works with. */
export interface HearingDeps {
  readonly clock: Clock;
  /** The model's name in failures. */
  readonly model: string;
  /** Puts back what was taken out of the prompt; absent where nothing was. */
  readonly taken: Taken | undefined;
  /** Ends the model's work. */
  readonly end: () => void;
}

function failed(code: "model.repeats" | "model.empty", model: string): ModelStop {
  return failedStop(new AppError(code, { model }));
}

/** Counts what is heard, and notices a model that says one thing for ever. */
function createEar({ clock, end }: HearingDeps) {
  const guard = createRepeatGuard();
  const from = clock.elapsed();
  return {
    usage: {} as TokenUsage,
    firstTokenMs: undefined as number | undefined,
    length: 0,
    saidText: false,
    calls: 0,
    repeats: false,
    hear(event: ModelEvent): void {
      if (event.type === "usage") {
        const { type: _, ...tokens } = event;
        this.usage = tokens;
        return;
      }
      this.firstTokenMs ??= clock.elapsed() - from;
      if (event.type === "toolCall") this.calls += 1;
      if (event.type !== "text" && event.type !== "thinking") return;
      this.length += event.text.length;
      this.saidText ||= event.type === "text" && event.text.trim() !== "";
      if (this.repeats || !guard.push(event.text)) return;
      this.repeats = true;
      end();
    },
  };
}

/** An event with what was taken out of the prompt put back; text that may end within a placeholder is held back. */
function createRestoring(taken: Taken | undefined) {
  const text = taken?.stream();
  return {
    *pass(event: ModelEvent): Generator<ModelEvent> {
      if (taken === undefined || text === undefined) {
        yield event;
        return;
      }
      const said = event.type === "text" ? text.push(event.text) : text.end();
      if (said !== "") yield { type: "text", text: said };
      if (event.type === "toolCall") {
        yield {
          type: "toolCall",
          call: { ...event.call, input: taken.restoreValue(event.call.input) },
        };
      } else if (event.type !== "text") yield event;
    },
    rest: (): string => text?.end() ?? "",
  };
}

/** An end without a word and without a call is no answer, and one that was ended for its repetition is none either. */
function judged(stop: ModelStop, ear: ReturnType<typeof createEar>, model: string): ModelStop {
  if (ear.repeats) return failed("model.repeats", model);
  const isNothing = stop.reason === "end" && ear.calls === 0 && !ear.saidText;
  return isNothing ? failed("model.empty", model) : stop;
}

/** A model's events but its stop, and what was counted when they are over. */
export interface Hearing {
  readonly events: AsyncIterable<ModelEvent>;
  /** Throws before the stop has come. */
  readonly heard: () => Heard;
}

/**
 * A model's events on their way to the caller, who goes on with the work behind them when they are over: on the way through that
 * work each token would take more time than all else that is done for it.
 */
export interface Passage {
  readonly type: "passage";
  readonly events: AsyncIterable<ModelEvent>;
}

/** What is said within the router. */
export type Said = RoutedEvent | Passage;

/** Listens to a model. */
export function listen(events: AsyncIterable<ModelEvent>, deps: HearingDeps): Hearing {
  const ear = createEar(deps);
  const restoring = createRestoring(deps.taken);
  const state: { heard: Heard | undefined } = { heard: undefined };

  async function* pass(): AsyncGenerator<ModelEvent> {
    for await (const event of events) {
      if (event.type === "stop") {
        const text = restoring.rest();
        if (text !== "") yield { type: "text", text };
        const { usage, firstTokenMs, length } = ear;
        state.heard = { stop: judged(event, ear, deps.model), usage, firstTokenMs, length };
        return;
      }
      ear.hear(event);
      if (deps.taken === undefined) yield event;
      else for (const whole of restoring.pass(event)) yield whole;
    }
  }

  return {
    events: pass(),
    heard() {
      if (state.heard === undefined) throw new Error("A model's stream ended without a stop.");
      return state.heard;
    },
  };
}
