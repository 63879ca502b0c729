import type { Clock } from "#core/clock.ts";
import { AppError } from "#core/errors.ts";
import { newId } from "#core/ids.ts";
import type { Model, ModelEvent, ModelLimits, ModelRequest, ModelStop } from "#core/model.ts";

import { type Answer, type EngineOptions, type EngineProcess, startEngine } from "./process.ts";

/** What an embedded model is made of. */
export interface EmbeddedOptions extends Omit<EngineOptions, "contextTokens"> {
  readonly id: string;
  readonly limits: ModelLimits;
  readonly clock: Clock;
  /** Milliseconds without a request after which the process is ended; default five minutes. */
  readonly idleMs?: number;
}

/** A model in a process of its own. */
export interface EmbeddedModel extends Model {
  /** Tokens of each text by the model's own tokenizer. */
  count(texts: readonly string[]): Promise<number[]>;
  /** Ends the process. */
  close(): void;
}

/** How long a stopped request may take before its process is ended. */
const stopMs = 900;

/** Lets one at a time through, in the order they came. */
function createTurns(): (signal: AbortSignal) => Promise<() => void> {
  const state = { last: Promise.resolve() };
  return async (signal) => {
    const before = state.last;
    const mine = Promise.withResolvers<void>();
    state.last = before.then(() => mine.promise);
    const aborted = new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
    await Promise.race([before, aborted]);
    return () => mine.resolve();
  };
}

interface KeeperState {
  engine: EngineProcess | undefined;
  users: number;
  idle: AbortController;
  /** Aborted by `close`, also while a process is starting. */
  life: AbortController;
}

/** One process, started when it is needed and ended when nobody has used it for a while. */
function createKeeper(options: EmbeddedOptions) {
  const { clock, idleMs = 300_000, limits } = options;
  const state: KeeperState = {
    engine: undefined,
    users: 0,
    idle: new AbortController(),
    life: new AbortController(),
  };

  function close(): void {
    state.idle.abort();
    state.life.abort();
    state.life = new AbortController();
    state.engine?.kill();
    state.engine = undefined;
  }

  return {
    close,
    /** Rejects when the model cannot be loaded, or when the signal aborts meanwhile. */
    async get(signal: AbortSignal): Promise<EngineProcess> {
      if (state.engine?.alive() === true) return state.engine;
      const either = AbortSignal.any([signal, state.life.signal]);
      state.engine = await startEngine({ ...options, contextTokens: limits.contextTokens }, either);
      return state.engine;
    },
    /** Somebody runs or waits: the process is not idle until as many have left as entered. */
    enter(): void {
      state.users += 1;
      state.idle.abort();
    },
    leave(): void {
      state.users -= 1;
      if (state.users > 0) return;
      const idle = new AbortController();
      state.idle = idle;
      void clock.sleep(idleMs, idle.signal).then(() => {
        if (!idle.signal.aborted) close();
      });
    },
  };
}

function toEvents(answer: Answer): ModelEvent[] {
  if (answer.say === "text" || answer.say === "thinking") {
    return [{ type: answer.say, text: answer.text }];
  }
  if (answer.say === "call") {
    const { name, input } = answer;
    return [{ type: "toolCall", call: { id: newId(Date.now()), name, input } }];
  }
  if (answer.say !== "end") return [];
  const { promptTokens, cachedTokens, answerTokens, reason } = answer;
  return [
    { type: "usage", promptTokens, cachedTokens, answerTokens },
    { type: "stop", reason },
  ];
}

function failedStop(error: AppError): ModelStop {
  return { type: "stop", reason: "error", failure: error.failure };
}

/** Asks a process to stop when the signal aborts, and ends it when it does not; call `settle` when the request is over. */
function stopOnAbort(
  clock: Clock,
  work: { readonly engine: EngineProcess; readonly stop: () => void },
  signal: AbortSignal,
): { settle(): void } {
  const settled = new AbortController();
  const onAbort = (): void => {
    work.stop();
    void clock.sleep(stopMs, settled.signal).then(() => {
      if (!settled.signal.aborted) work.engine.kill();
    });
  };
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  return {
    settle() {
      signal.removeEventListener("abort", onAbort);
      settled.abort();
    },
  };
}

type Died = Extract<Answer, { say: "died" }>;

/** One request of a running process; returns how the process died, if it did. */
async function* converse(
  options: EmbeddedOptions,
  engine: EngineProcess,
  work: { readonly request: ModelRequest; readonly signal: AbortSignal },
): AsyncGenerator<ModelEvent, Died | undefined> {
  const { request, signal } = work;
  const { answers, stop } = engine.ask({ do: "answer", request });
  const watch = stopOnAbort(options.clock, { engine, stop }, signal);
  let over = false;
  try {
    for await (const answer of answers) {
      over = answer.say === "died" || answer.say === "end" || answer.say === "failed";
      if (answer.say === "died") return answer;
      if (answer.say === "failed") {
        const { code, problem } = answer;
        const details = { model: options.name, problem };
        yield failedStop(new AppError(code, details));
      } else yield* toEvents(answer);
    }
    return undefined;
  } finally {
    // The consumer may have stopped iterating: then nobody wants the rest.
    if (!over) stop();
    watch.settle();
  }
}

async function countWith(
  engine: EngineProcess,
  texts: readonly string[],
  name: string,
): Promise<number[]> {
  for await (const said of engine.ask({ do: "count", texts }).answers) {
    if (said.say === "counted") return said.tokens;
  }
  throw new AppError("model.crashed", { model: name, problem: "it did not count" });
}

/** A model file that answers from a child process, so that neither its work nor its death is felt here. */
export function createEmbeddedModel(options: EmbeddedOptions): EmbeddedModel {
  const { id, name, limits } = options;
  const turns = createTurns();
  const keeper = createKeeper(options);

  async function* answer(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    const died: Died[] = [];
    while (died.length < 2) {
      const engine = await keeper.get(signal);
      let spoke = false;
      const events = converse(options, engine, { request, signal });
      let next = await events.next();
      for (; next.done !== true; next = await events.next()) {
        spoke = true;
        yield next.value;
      }
      if (next.value === undefined) return;
      died.push(next.value);
      if (spoke || signal.aborted) break;
    }
    const problem = died.at(-1)?.problem ?? "";
    throw new AppError("model.crashed", { model: name, problem });
  }

  async function* stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    keeper.enter();
    const release = await turns(signal);
    try {
      if (signal.aborted) yield { type: "stop", reason: "aborted" };
      else yield* answer(request, signal);
    } catch (error) {
      if (signal.aborted) yield { type: "stop", reason: "aborted" };
      else if (error instanceof AppError) yield failedStop(error);
      else throw error;
    } finally {
      release();
      keeper.leave();
    }
  }

  async function count(texts: readonly string[]): Promise<number[]> {
    const { signal } = new AbortController();
    keeper.enter();
    const release = await turns(signal);
    try {
      return await countWith(await keeper.get(signal), texts, name);
    } finally {
      release();
      keeper.leave();
    }
  }

  return { id, limits, trust: "local", stream, count, close: () => keeper.close() };
}
