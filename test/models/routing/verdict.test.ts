import { describe, expect, test } from "vitest";

import { AppError, type ErrorCode } from "../../../src/core/errors.ts";
import type { ModelStop } from "../../../src/core/model.ts";
import { isTrouble, verdictOf, waitMs } from "../../../src/models/routing/verdict.ts";

function failed(code: ErrorCode, own: Partial<ModelStop> = {}, problem = "so"): ModelStop {
  const { failure } = new AppError(code, { model: "m", host: "h", problem });
  return { type: "stop", reason: "error", failure, ...own };
}

function verdict(stop: ModelStop, tries = 1, hadTools = false, wasCut = false) {
  return verdictOf(stop, { tries, hadTools, wasCut });
}

const passing = ["model.rate-limit", "model.failed", "model.reset", "model.truncated"] as const;

describe("what follows a stop", () => {
  test.each(["end", "toolCalls", "length", "aborted"] as const)(
    "%s is the end of the request",
    (reason) => {
      expect(verdict({ type: "stop", reason })).toBe("end");
    },
  );

  test.each(passing)("%s is tried again, three times in all, and then elsewhere", (code) => {
    const verdicts = [1, 2, 3, 4].map((tries) => verdict(failed(code), tries));
    expect(verdicts).toEqual(["again", "again", "next", "next"]);
  });

  test.each([
    "model.unavailable",
    "model.missing",
    "model.timeout",
    "model.protocol",
    "model.crashed",
    "model.damaged",
    "model.memory",
    "model.no-key",
    "model.wrong-key",
    "model.no-credit",
    "model.address",
    "model.repeats",
    "model.over-budget",
    "model.no-price",
    "model.refused",
    "door.refused",
    "door.no-host",
    "door.not-home",
    "door.not-public",
    "engine.missing",
  ] as const)("%s is tried elsewhere at once", (code) => {
    expect(verdict(failed(code))).toBe("next");
  });

  test.each(["model.refusal", "model.bad-request", "bug", "store.full"] as const)(
    "%s would be the same elsewhere, so it is told",
    (code) => {
      expect(verdict(failed(code))).toBe("end");
    },
  );

  test("an empty answer is asked for once more, and a host with too much to do is asked later", () => {
    expect([1, 2].map((tries) => verdict(failed("model.empty"), tries))).toEqual(["again", "next"]);
    expect(verdict(failed("model.busy"))).toBe("later");
  });

  test("an answer in the wrong form is mended, and one that was cut gets more room", () => {
    expect(verdict(failed("model.invalid"))).toBe("repair");
    expect(verdict(failed("model.invalid"), 1, false, true)).toBe("longer");
  });

  test("a prompt that was too long is made smaller", () => {
    expect(verdict(failed("model.context-overflow"))).toBe("smaller");
  });

  test.each([
    ["registry.ollama.ai/library/m does not support tools", true, "withoutTools"],
    ["Function calling is not enabled for this model", true, "withoutTools"],
    ["does not support tools", false, "end"],
    ["messages must not be empty", true, "end"],
  ])("a refused request (%s; it had tools: %s) leads to %s", (problem, hadTools, next) => {
    expect(verdict(failed("model.bad-request", {}, problem), 1, hadTools)).toBe(next);
  });

  test("who asks for a longer wait than a person would take is not waited for", () => {
    expect(verdict(failed("model.rate-limit", { retryMs: 10_000 }))).toBe("again");
    expect(verdict(failed("model.rate-limit", { retryMs: 10_001 }))).toBe("next");
  });
});

describe("the wait before the same deployment is tried again", () => {
  test("doubles, up to eight seconds", () => {
    const waits = [1, 2, 3, 4, 5, 6, 7].map((tries) => waitMs(failed("model.failed"), tries));
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 8000, 8000]);
  });

  test("is nothing for an old connection that the server had ended, the first time", () => {
    expect([1, 2].map((tries) => waitMs(failed("model.reset"), tries))).toEqual([0, 1000]);
  });

  test("is never shorter than what the service asked for", () => {
    const asked = [0, 400, 3000, 10_000].map((retryMs) =>
      waitMs(failed("model.rate-limit", { retryMs }), 1),
    );
    expect(asked).toEqual([500, 500, 3000, 10_000]);
    expect(waitMs(failed("model.reset", { retryMs: 700 }), 1)).toBe(700);
  });
});

describe("what leaves a deployment alone for a while", () => {
  test.each([
    "model.unavailable",
    "model.timeout",
    "model.rate-limit",
    "model.no-credit",
    "model.wrong-key",
    "model.truncated",
  ] as const)("%s does", (code) => {
    expect(isTrouble(code, "interactive")).toBe(true);
    expect(isTrouble(code, "background")).toBe(code !== "model.timeout");
  });

  test.each([
    "model.empty",
    "model.repeats",
    "model.over-budget",
    "model.no-price",
    "model.context-overflow",
    "model.bad-request",
    "model.refusal",
    "bug",
  ] as const)("%s does not, since another request may well be answered", (code) => {
    expect(isTrouble(code, "interactive")).toBe(false);
  });
});
