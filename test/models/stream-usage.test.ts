import { readFileSync } from "node:fs";
import path from "node:path";

import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";

import type { TokenUsage } from "../../src/core/model.ts";
import { ask, eventsOf } from "../contract/ask.ts";
import { openServer } from "../fakes/open-server.ts";

import { modelOf } from "./services.ts";

// Recorded streams (their first lines say of what); what each server says of the same answer in one piece is derived here.
const recorded = (name: string): string =>
  readFileSync(path.join(import.meta.dirname, "recorded", name), "utf8");

const counts = z.int().optional();
const saidSchema = z.object({
  prompt_eval_count: counts,
  eval_count: counts,
  usage: z
    .object({
      prompt_tokens: counts,
      completion_tokens: counts,
      input_tokens: counts,
      output_tokens: counts,
    })
    .optional(),
});

/** The counts that an answer in one piece states: the last that its stream says of each. */
function inOnePiece(stream: string): TokenUsage {
  const said: { promptTokens?: number; answerTokens?: number } = {};
  for (const line of stream.split("\n")) {
    const json = /^(?:data: )?(\{.*\})$/.exec(line)?.[1];
    if (json === undefined) continue;
    const { usage = {}, ...own } = saidSchema.parse(JSON.parse(json));
    const prompt = own.prompt_eval_count ?? usage.prompt_tokens ?? usage.input_tokens;
    const answer = own.eval_count ?? usage.completion_tokens ?? usage.output_tokens;
    if (prompt !== undefined) said.promptTokens = prompt;
    if (answer !== undefined) said.answerTokens = answer;
  }
  return said;
}

const streams = [
  ["ollama", "end.ndjson"],
  ["ollama", "length.ndjson"],
  ["ollama", "schema.ndjson"],
  ["anthropic", "anthropic-end.sse"],
  ["anthropic", "anthropic-length.sse"],
  ["openai", "openai-end.sse"],
  ["openai", "openai-length.sse"],
  ["openai", "openai-no-usage.sse"],
  ["openai", "openai-schema.sse"],
] as const;

test.each(streams)(
  "a recorded stream states the tokens of its answer in one piece, however it is cut (%s %s)",
  async (kind, name) => {
    const stream = recorded(name);
    const bytes = Buffer.from(stream);
    const cuts: { now: readonly number[] } = { now: [] };
    const server = await openServer((request, response) => {
      if (request.url === "/api/show") {
        response.end(recorded("show.json"));
        return;
      }
      const type = kind === "ollama" ? "application/x-ndjson" : "text/event-stream";
      response.writeHead(200, { "content-type": type });
      const at = [0, ...cuts.now, bytes.length];
      for (const [i, end] of at.slice(1).entries()) response.write(bytes.subarray(at[i], end));
      response.end();
    });
    const model = await modelOf(
      { kind, url: kind === "openai" ? `${server.url}/v1` : server.url },
      "m",
    );
    const place = fc.integer({ min: 0, max: bytes.length });
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(place, { maxLength: 30 }), async (places) => {
          cuts.now = places.toSorted((a, b) => a - b);
          const events = await eventsOf(model, ask("hello"));
          const usages = events.flatMap((event) => {
            if (event.type !== "usage") return [];
            const { promptMs: _, ...tokens } = event;
            return [tokens];
          });
          const wanted = inOnePiece(stream);
          expect(usages).toEqual(
            Object.keys(wanted).length === 0 ? [] : [{ type: "usage", ...wanted }],
          );
        }),
        { numRuns: 25 },
      );
    } finally {
      server.close();
    }
  },
);
