import { describe, expect, test } from "vitest";

import type { Model, ModelEvent, ModelRequest } from "../../src/core/model.ts";

/** A plain request. */
export function ask(text: string, own: Partial<ModelRequest> = {}): ModelRequest {
  const messages = [{ role: "user", text } as const];
  return { taskId: null, messages, tools: [], maxTokens: 40, temperature: 0, ...own };
}

/** A tool as models are told of it. */
export const nowSpec = {
  name: "now",
  description: "The current time.",
  schema: { type: "object", properties: { zone: { type: "string" } }, additionalProperties: false },
} as const;

const never = new AbortController().signal;

/** All events of a request. */
export async function eventsOf(
  model: Model,
  request: ModelRequest,
  signal: AbortSignal = never,
): Promise<ModelEvent[]> {
  return Array.fromAsync(model.stream(request, signal));
}

/** The answer's text, without thinking. */
export function textOf(events: readonly ModelEvent[]): string {
  return events.map((event) => (event.type === "text" ? event.text : "")).join("");
}

/** What a model of the suite can do. */
export interface ModelSubject {
  /** Answers in words; the request may hold any text. */
  readonly model: Model;
  /** A request whose answer is long enough to be stopped in its middle. */
  readonly long: ModelRequest;
}

/** What every model must do. */
export function modelContract(name: string, open: () => Promise<ModelSubject>): void {
  describe(`${name} keeps the contract of a model`, () => {
    test("text comes in order, usage at most once, and exactly one stop, last", async () => {
      const { model } = await open();
      const events = await eventsOf(model, ask("hello"));
      expect(textOf(events)).not.toBe("");
      expect(events.filter((event) => event.type === "usage").length).toBeLessThanOrEqual(1);
      expect(events.filter((event) => event.type === "stop")).toEqual([events.at(-1)]);
      expect(["end", "length"]).toContain(stopOf(events)?.reason);
    });

    test("an abort in the middle of an answer ends it, and the next request is answered", async () => {
      const { model, long } = await open();
      const abort = new AbortController();
      const events: ModelEvent[] = [];
      for await (const event of model.stream(long, abort.signal)) {
        events.push(event);
        if (event.type === "text") abort.abort();
      }
      expect(stopOf(events)).toEqual({ type: "stop", reason: "aborted" });
      expect(textOf(await eventsOf(model, ask("hello")))).not.toBe("");
    });

    test("an abort before the start gives nothing but a stop", async () => {
      const { model } = await open();
      const events = await eventsOf(model, ask("hello"), AbortSignal.abort());
      expect(events).toEqual([{ type: "stop", reason: "aborted" }]);
    });

    test("a consumer that stops iterating leaves the model ready for the next", async () => {
      const { model, long } = await open();
      for await (const event of model.stream(long, never)) if (event.type === "text") break;
      expect(textOf(await eventsOf(model, ask("hello")))).not.toBe("");
    });

    test("two requests at once are both answered", async () => {
      const { model } = await open();
      const answers = await Promise.all([
        eventsOf(model, ask("hello")),
        eventsOf(model, ask("hi")),
      ]);
      expect(answers.map((events) => stopOf(events)?.failure)).toEqual([undefined, undefined]);
    });
  });
}

/** The last event, if it is a stop. */
export function stopOf(events: readonly ModelEvent[]) {
  const event = events.at(-1);
  return event?.type === "stop" ? event : undefined;
}
