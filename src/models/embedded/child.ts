// The process of an embedded model: it obeys the messages of its parent and ends with it.
import { reasonOf } from "#core/errors.ts";

import { type Engine, loadEngine, OverflowError } from "./engine.ts";
import { type Order, orderSchema, type Report } from "./protocol.ts";

type Failed = Extract<Report, { say: "failed" }>;

/** What a failure to load means; the library has no codes, only classes and words. */
function loadFailure(error: unknown): Omit<Failed, "id"> {
  const problem = reasonOf(error);
  const name = error instanceof Error ? error.name : "";
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ERR_MODULE_NOT_FOUND" || name === "NoBinaryFoundError") {
    return { say: "failed", code: "engine.missing", problem };
  }
  if (name === "InsufficientMemoryError" || /memory|VRAM/i.test(problem)) {
    return { say: "failed", code: "model.memory", problem };
  }
  return { say: "failed", code: "model.damaged", problem };
}

/** What a failure to answer means. */
function answerFailure(error: unknown): Omit<Failed, "id"> {
  const code = error instanceof OverflowError ? "model.context-overflow" : "model.bad-request";
  return { say: "failed", code, problem: reasonOf(error) };
}

const nothingUsed = { promptTokens: 0, cachedTokens: 0, answerTokens: 0 } as const;

function tell(report: Report): void {
  process.send?.(JSON.stringify(report));
}

function createObedience() {
  const state: { engine: Promise<Engine> | undefined } = { engine: undefined };
  const running = new Map<number, AbortController>();

  async function load(order: Extract<Order, { do: "load" }>): Promise<void> {
    state.engine = loadEngine(order);
    await state.engine;
    tell({ say: "ready" });
  }

  async function answer({ id, request }: Extract<Order, { do: "answer" }>): Promise<void> {
    const stop = new AbortController();
    running.set(id, stop);
    try {
      const engine = await state.engine;
      await engine?.answer(request, (said) => tell({ ...said, id }), stop.signal);
    } catch (error) {
      // Stopped before its first token, the library throws in place of an answer.
      if (!stop.signal.aborted) throw error;
      tell({ say: "end", id, reason: "aborted", ...nothingUsed });
    } finally {
      running.delete(id);
    }
  }

  return async (order: Order): Promise<void> => {
    try {
      if (order.do === "load") await load(order);
      else if (order.do === "answer") await answer(order);
      else if (order.do === "stop") running.get(order.id)?.abort();
      else {
        const engine = await state.engine;
        tell({ say: "counted", id: order.id, tokens: engine?.count(order.texts) ?? [] });
      }
    } catch (error) {
      if (order.do === "load") tell(loadFailure(error));
      else tell({ ...answerFailure(error), id: order.id });
    }
  };
}

const obey = createObedience();
process.on("message", (text) => void obey(orderSchema.parse(JSON.parse(String(text)))));
process.on("disconnect", () => process.exit());
