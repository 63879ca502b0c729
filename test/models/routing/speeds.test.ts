import { describe, expect, test } from "vitest";

import type { Attempt } from "../../../src/core/route.ts";
import { createSpeeds } from "../../../src/models/routing/speeds.ts";

function attempt(own: Partial<Attempt> = {}): Attempt {
  return {
    id: "1",
    deployment: "a",
    tier: "local-fast",
    reason: "",
    outcome: "ok",
    startedAt: 0,
    queuedMs: 0,
    firstTokenMs: 1000,
    durationMs: 3000,
    promptTokens: 400,
    answerTokens: 100,
    ...own,
  };
}

describe("the speed of a deployment", () => {
  test("is not known until it has answered, and then only its own", () => {
    const speeds = createSpeeds();
    expect([speeds.of("a"), speeds.workMs("a", false)]).toEqual([{}, undefined]);
    speeds.observe(attempt());
    expect(speeds.of("a")).toEqual({
      promptRate: 400,
      answerRate: 50,
      promptTokens: 400,
      answerTokens: 100,
    });
    expect(speeds.of("b")).toEqual({});
  });

  test("is not read off what failed, was aborted or has not ended", () => {
    const speeds = createSpeeds();
    for (const outcome of ["model.timeout", "aborted", "begun"] as const) {
      speeds.observe(attempt({ outcome }));
    }
    expect(speeds.of("a")).toEqual({});
  });

  test("says how long a usual request takes, less where most of its prompt is known there", () => {
    const speeds = createSpeeds();
    speeds.observe(attempt());
    expect(speeds.workMs("a", false)).toBeCloseTo(3000);
    expect(speeds.workMs("a", true)).toBeCloseTo(2200);
  });

  test("counts the tokens that had to be read, and not those of a cache", () => {
    const speeds = createSpeeds();
    speeds.observe(attempt({ cachedTokens: 300 }));
    expect(speeds.of("a")).toMatchObject({ promptRate: 100, promptTokens: 400 });
  });

  test("is not taken for higher where the beginning of a prompt was known and is counted all the same", () => {
    const speeds = createSpeeds();
    speeds.observe(attempt());
    speeds.observe(attempt({ firstTokenMs: 100 }), { hadBegun: true });
    expect(speeds.of("a").promptRate).toBe(400);
    speeds.observe(attempt({ firstTokenMs: 2000 }), { hadBegun: true });
    expect(speeds.of("a").promptRate).toBeCloseTo(340);
    speeds.observe(attempt({ firstTokenMs: 500, cachedTokens: 0 }), { hadBegun: true });
    expect(speeds.of("a").promptRate).toBeCloseTo(478);
  });

  test("is what the host says, which counts neither loading nor waiting", () => {
    const speeds = createSpeeds();
    speeds.observe(attempt({ firstTokenMs: 9000 }), { promptMs: 1000 });
    expect(speeds.of("a").promptRate).toBe(400);
  });

  test("follows a change, the newest counting most", () => {
    const speeds = createSpeeds();
    speeds.observe(attempt());
    speeds.observe(attempt({ firstTokenMs: 500, durationMs: 1500 }));
    expect(speeds.of("a").promptRate).toBeCloseTo(400 + 0.3 * 400);
    expect(speeds.of("a").answerRate).toBeCloseTo(50 + 0.3 * 50);
    for (let i = 0; i < 20; i += 1)
      speeds.observe(attempt({ firstTokenMs: 500, durationMs: 1500 }));
    expect(speeds.of("a").promptRate).toBeCloseTo(800, 0);
  });

  test.each([
    ["a prompt of few new tokens", { promptTokens: 403, cachedTokens: 400 }, "promptRate"],
    ["an answer of few tokens", { answerTokens: 3 }, "answerRate"],
    ["an answer that came at once", { durationMs: 1000 }, "answerRate"],
    ["no first token", { firstTokenMs: undefined }, "promptRate"],
  ])("is not told by %s", (_, own, key) => {
    const speeds = createSpeeds();
    const { firstTokenMs, ...rest } = { ...attempt(), ...own };
    speeds.observe(firstTokenMs === undefined ? rest : { ...rest, firstTokenMs });
    expect(speeds.of("a")).not.toHaveProperty(key);
    expect(speeds.of("a")).toHaveProperty("promptTokens");
  });

  test("stays unknown while no rate is, whatever was counted", () => {
    const speeds = createSpeeds();
    const { firstTokenMs: _, ...unmeasured } = attempt();
    speeds.observe(unmeasured);
    expect(speeds.workMs("a", false)).toBeUndefined();
  });
});
