import { type Clock, systemClock } from "../../src/core/clock.ts";
import type { Model } from "../../src/core/model.ts";
import { createOllamaModel } from "../../src/models/clients/ollama.ts";
import { openDoor } from "../fakes/receipts.ts";

/** A model of the Ollama at an address, over a door of its own. */
export function openAt(
  url: string,
  model: string,
  clock: Clock = systemClock,
  firstTokenMs = 5000,
) {
  const { door, receipts } = openDoor([{ purpose: "model", origin: url, linksOut: false }]);
  const made = createOllamaModel({
    id: `ollama/${model}`,
    url,
    model,
    limits: {
      contextTokens: 2048,
      promptBudget: 2000,
      tools: true,
      bare: false,
      maxAnswerTokens: 100,
    },
    fetchFor: ({ taskId }) => door.open({ purpose: "model", taskId }),
    passedOn: (response) => door.passedOn(response),
    clock,
    keepAlive: () => "5m",
    loadsAhead: () => true,
    runner: {},
    firstTokenMs,
    loadMs: Math.max(5000, firstTokenMs),
    idleMs: 1000,
  });
  return { model: made, door, receipts };
}

export const modelAt = (...where: Parameters<typeof openAt>): Model => openAt(...where).model;
