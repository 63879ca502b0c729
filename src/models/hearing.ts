import type { Clock } from "#core/clock.ts";
import { AppError } from "#core/errors.ts";
import { newId } from "#core/ids.ts";
import type { ModelEvent, ModelRequest, ModelStop, TokenUsage, ToolCall } from "#core/model.ts";

import { failedStop } from "./clients/answering.ts";
import { textMismatch } from "./clients/json-schema.ts";
import type { Taken } from "./routing/identifiers.ts";
import { createRepeatGuard } from "./routing/repeats.ts";

/** What has been heard of an answer. */
export interface Heard {
  readonly stop: ModelStop;
  readonly usage: TokenUsage;
  /** Milliseconds in which the host says that it read the prompt. */
  readonly promptMs: number | undefined;
  /** Milliseconds until the first token; undefined where none came. */
  readonly firstTokenMs: number | undefined;
  /** Characters of text and thinking. */
  readonly length: number;
  readonly text: string;
  /** True where the answer ended at its limit. */
  readonly wasCut: boolean;
}

/** What listening works with. */
export interface HearingDeps {
  readonly clock: Clock;
  /** The model's name in failures. */
  readonly model: string;
  /** Puts back what was taken out of the prompt; absent where nothing was. */
  readonly taken: Taken | undefined;
  /** What the answer must satisfy; absent where any words will do. */
  readonly schema: ModelRequest["answerSchema"];
  /** Ends the model's work. */
  readonly end: () => void;
  /** Called at its first sign of life. */
  readonly begun: () => void;
}

function failed(
  code: "model.repeats" | "model.empty" | "model.invalid",
  model: string,
  problem = "",
): ModelStop {
  return failedStop(new AppError(code, { model, problem }));
}

/** Counts what is heard, and notices a model that says one thing for ever. */
function createEar({ clock, end, begun }: HearingDeps) {
  const guard = createRepeatGuard();
  const from = clock.elapsed();
  return {
    usage: {} as TokenUsage,
    promptMs: undefined as number | undefined,
    firstTokenMs: undefined as number | undefined,
    length: 0,
    text: "",
    calls: 0,
    repeats: false,
    hear(event: ModelEvent): void {
      if (event.type === "loading") return;
      if (event.type === "usage") {
        const { type: _, promptMs, ...tokens } = event;
        this.usage = tokens;
        this.promptMs = promptMs;
        return;
      }
      if (this.firstTokenMs === undefined) {
        this.firstTokenMs = clock.elapsed() - from;
        begun();
      }
      if (event.type === "toolCall") this.calls += 1;
      if (event.type !== "text" && event.type !== "thinking") return;
      this.length += event.text.length;
      if (event.type === "text") this.text += event.text;
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

/** What came is no answer where it has no word and no call, says one thing for ever, or lacks the form that was asked for. */
function judged(
  stop: ModelStop,
  { repeats, calls, text }: Pick<ReturnType<typeof createEar>, "repeats" | "calls" | "text">,
  { model, schema }: HearingDeps,
): ModelStop {
  if (repeats) return failed("model.repeats", model);
  if (stop.reason !== "end" && stop.reason !== "length") return stop;
  const isCut = stop.reason === "length";
  if (calls === 0 && text.trim() === "") {
    return isCut ? failed("model.invalid", model, "it was cut") : failed("model.empty", model);
  }
  const problem = schema === undefined ? undefined : textMismatch(text, schema);
  if (problem === undefined) return stop;
  return failed("model.invalid", model, isCut ? "it was cut" : problem);
}

/** Calls get ids that are there and differ, whatever the model wrote. */
function createIds() {
  const seen = new Set<string>();
  return (call: ToolCall): ToolCall => {
    const id = call.id === "" || seen.has(call.id) ? newId(Date.now()) : call.id;
    seen.add(id);
    return { ...call, id };
  };
}

/** A model's events but its stop, and what was counted when they are over. */
export interface Hearing {
  readonly events: AsyncIterable<ModelEvent>;
  /** What was heard until now: who leaves before the stop has come has stopped the model. */
  readonly heard: () => Heard;
}

/** Listens to a model. */
export function listen(events: AsyncIterable<ModelEvent>, deps: HearingDeps): Hearing {
  const ear = createEar(deps);
  const restoring = createRestoring(deps.taken);
  const named = createIds();
  const state: { stop: ModelStop; wasCut: boolean } = {
    stop: { type: "stop", reason: "aborted" },
    wasCut: false,
  };

  async function* pass(): AsyncGenerator<ModelEvent> {
    for await (const event of events) {
      if (event.type === "stop") {
        const rest = restoring.rest();
        if (rest !== "") yield { type: "text", text: rest };
        state.wasCut = event.reason === "length";
        state.stop = judged(event, ear, deps);
        return;
      }
      ear.hear(event);
      const whole = event.type === "toolCall" ? { ...event, call: named(event.call) } : event;
      if (deps.taken === undefined) yield whole;
      else for (const piece of restoring.pass(whole)) yield piece;
    }
    throw new Error("A model's stream ended without a stop.");
  }

  return {
    events: pass(),
    heard() {
      const { usage, promptMs, firstTokenMs, length, text } = ear;
      return { ...state, usage, promptMs, firstTokenMs, length, text };
    },
  };
}
