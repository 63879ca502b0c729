import { readFileSync } from "node:fs";
import path from "node:path";

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";

import type { TokenUsage } from "../../../src/core/model.ts";
import {
  laterCounts,
  usageOf as anthropicUsage,
} from "../../../src/models/clients/anthropic-wire.ts";
import { usageOf as openaiUsage } from "../../../src/models/clients/openai-wire.ts";
import { costOf, type Price } from "../../../src/models/routing/prices.ts";
import { ask, eventsOf } from "../../contract/ask.ts";
import { startServer } from "../../fakes/server.ts";
import { modelOf } from "../services.ts";

type Kind = "anthropic" | "openai";

const recorded = (name: string): string =>
  readFileSync(path.join(import.meta.dirname, "../recorded", `${name}.sse`), "utf8");

const counts = z.record(z.string(), z.unknown());
const anthropicEvent = z.object({
  message: z.object({ usage: counts }).optional(),
  usage: counts.optional(),
});
const openaiEvent = z.object({ usage: counts.nullish() });

function dataOf(stream: string): unknown[] {
  return stream
    .split("\n")
    .filter((line) => line.startsWith("data: {"))
    .map((line): unknown => JSON.parse(line.slice(6)));
}

/** The `usage` object that the same answer has where it is not streamed: that of its end, over that of its beginning. */
function wholeUsage(kind: Kind, stream: string): Record<string, unknown> {
  const reports = dataOf(stream).flatMap((data) => {
    if (kind === "openai") return openaiEvent.parse(data).usage ?? [];
    const { message, usage } = anthropicEvent.parse(data);
    const said = Object.entries(message?.usage ?? usage ?? {}).filter(([, one]) => one !== null);
    return Object.fromEntries(said);
  });
  return Object.assign({}, ...reports);
}

function normalised(kind: Kind, usage: Record<string, unknown>): TokenUsage {
  const reported = z
    .record(z.string(), z.number())
    .parse(
      Object.fromEntries(Object.entries(usage).filter(([, count]) => typeof count === "number")),
    );
  if (kind === "anthropic") return anthropicUsage(laterCounts({}, reported));
  const details = z.object({ prompt_tokens_details: z.object({ cached_tokens: z.number() }) });
  return openaiUsage({ ...reported, ...details.safeParse(usage).data });
}

/** The recorded stream with other counts in it, reported as the service does: at the beginning and, cumulative, at the end. */
function withCounts(
  kind: Kind,
  stream: string,
  { prompt, answer, cached, written }: Counted,
): string {
  const openai = {
    prompt_tokens: prompt + cached,
    completion_tokens: answer,
    prompt_tokens_details: { cached_tokens: cached },
  };
  const begin = {
    input_tokens: prompt,
    output_tokens: 1,
    cache_read_input_tokens: cached,
    cache_creation_input_tokens: written,
  };
  const end = { output_tokens: answer, cache_read_input_tokens: null };
  return stream
    .split("\n")
    .map((line) => {
      const text = JSON.stringify(
        kind === "openai" ? openai : line.includes("message_start") ? begin : end,
      );
      return line.replace(/"usage":\{[^}]*\}/, () => `"usage":${text}`);
    })
    .join("\n");
}

interface Counted {
  readonly prompt: number;
  readonly answer: number;
  readonly cached: number;
  readonly written: number;
}

/** A model whose server says what is set, and the usage that it reports. */
async function streaming(kind: Kind) {
  const state = { body: "" };
  const url = await startServer((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(state.body);
  });
  const model = await modelOf({ kind, url: `${url}/v1` }, "smollm2:135m");
  return async (body: string): Promise<TokenUsage | undefined> => {
    state.body = body;
    const events = await eventsOf(model, ask("hello"));
    return events.find((event) => event.type === "usage");
  };
}

const rate = fc.float({ min: 0, max: 100, noNaN: true }).map((base) => {
  return { base, tiers: [{ start: 1000, price: base * 2 }] };
});
const anyPrice: fc.Arbitrary<Price> = fc.record({
  input: rate,
  output: rate,
  cacheRead: rate,
  cacheWrite: rate,
  source: fc.constant("table" as const),
});
const count = fc.nat(3000);

describe.each([
  ["anthropic", "anthropic-end"],
  ["anthropic", "anthropic-length"],
  ["openai", "openai-end"],
  ["openai", "openai-length"],
  ["openai", "openai-schema"],
] as const)("the cost of an answer that is streamed (%s: %s)", (kind, name) => {
  const stream = recorded(name);

  test("is the cost of the same answer in one piece", async () => {
    const usage = await (await streaming(kind))(stream);
    const whole = normalised(kind, wholeUsage(kind, stream));
    expect(whole.answerTokens).toBeGreaterThan(0);
    fc.assert(
      fc.property(anyPrice, (price) => {
        expect(costOf(price, usage ?? {})).toBe(costOf(price, whole));
      }),
    );
  });

  test("is that whatever was counted, what a cache had or was given included", async () => {
    const usageOf = await streaming(kind);
    const anyCount = fc.record({ prompt: count, answer: count, cached: count, written: count });
    await fc.assert(
      fc.asyncProperty(anyCount, anyPrice, async (counted, price) => {
        const body = withCounts(kind, stream, counted);
        const { prompt, answer, cached } = counted;
        const written = kind === "anthropic" ? counted.written : 0;
        const expected = costOf(price, {
          promptTokens: prompt + cached + written,
          answerTokens: answer,
          cachedTokens: cached,
          cacheWrittenTokens: written,
        });
        const streamed = (await usageOf(body)) ?? {};
        expect(costOf(price, streamed)).toBeCloseTo(expected, 9);
        const whole = normalised(kind, wholeUsage(kind, body));
        expect(costOf(price, whole)).toBe(costOf(price, streamed));
      }),
      { numRuns: 25 },
    );
  });
});

test("an answer whose stream reports no counts has none, and so no cost of nothing", async () => {
  const usage = await (await streaming("openai"))(recorded("openai-no-usage"));
  expect(usage).toBeUndefined();
});
