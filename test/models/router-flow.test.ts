import { setImmediate as turn } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import type { ModelLimits } from "../../src/core/model.ts";
import type { RouteAsk } from "../../src/core/router.ts";
import { createFakeClock, createHurriedClock } from "../fakes/clock.ts";
import {
  answerOf,
  createFleet,
  endOf,
  here,
  ok,
  one,
  outcomesOf,
  type Reply,
  sentenceOf,
  two,
} from "../fakes/fleet.ts";
import { askWith } from "../fakes/router.ts";

function hurried(settings: object, replies: Readonly<Record<string, readonly Reply[]>>) {
  return createFleet({ clock: createHurriedClock(), settings, replies });
}

describe("a service that asks to wait", () => {
  test("is waited for as long as it says, and then answers", async () => {
    const first: Reply[] = [{ fails: "model.rate-limit", retryMs: 3000 }, ok];
    const { run, asked } = hurried(two, { first });
    const events = await run();
    expect([outcomesOf(events), answerOf(events), endOf(events)]).toEqual([
      ["first: model.rate-limit", "first: ok"],
      "Well.",
      "end",
    ]);
    expect((asked[1]?.at ?? 0) - (asked[0]?.at ?? 0)).toBe(3000);
  });

  test("for longer than a person would take is not waited for, and left alone for that long", async () => {
    const clock = createFakeClock();
    const first: Reply[] = [{ fails: "model.rate-limit", retryMs: 60_000 }, ok];
    const { run } = createFleet({ clock, settings: two, replies: { first } });
    expect(outcomesOf(await run())).toEqual(["first: model.rate-limit", "second: ok"]);
    clock.pass(59_000);
    expect(outcomesOf(await run())).toEqual(["second: ok"]);
    clock.pass(1000);
    expect(outcomesOf(await run())).toEqual(["first: ok"]);
  });

  test("for a year is left alone for ten minutes", async () => {
    const clock = createFakeClock();
    const first: Reply[] = [{ fails: "model.rate-limit", retryMs: 365 * 86_400_000 }, ok];
    const { run } = createFleet({ clock, settings: two, replies: { first } });
    await run();
    clock.pass(600_000);
    expect(outcomesOf(await run())).toEqual(["first: ok"]);
  });

  test("for ever, without saying how long, is asked three times in a second and a half", async () => {
    const { run, asked } = hurried(two, { first: [{ fails: "model.rate-limit" }] });
    const events = await run();
    expect(outcomesOf(events).filter((outcome) => outcome.startsWith("first"))).toHaveLength(3);
    const times = asked.map(({ at }) => at - (asked[0]?.at ?? 0));
    expect(times).toEqual([0, 500, 1500, 1500]);
    expect(endOf(events)).toBe("end");
    await run();
    expect(asked.filter(({ deployment }) => deployment === "first")).toHaveLength(3);
  });

  test("is not asked again at all once it was left alone and fails its trial", async () => {
    const clock = createHurriedClock();
    const { run, asked } = createFleet({
      clock,
      settings: one,
      replies: { first: [{ fails: "model.rate-limit" }] },
    });
    await run();
    await clock.sleep(2000);
    expect(endOf(await run())).toBe("model.rate-limit");
    expect(asked).toHaveLength(4);
  });
});

describe("a deployment that fails", () => {
  test("is left alone after its first failed connection, also where there is nothing else", async () => {
    const clock = createFakeClock();
    const { run, asked } = createFleet({
      clock,
      settings: one,
      replies: { first: [{ fails: "model.unavailable", problem: "it is off" }, ok] },
    });
    expect(endOf(await run())).toBe("model.unavailable");
    const events = await run();
    expect([endOf(events), asked.length]).toEqual(["model.resting", 1]);
    expect(sentenceOf(events)).toMatch(
      /^first failed a moment ago and is tried again in 2 s: .*off/,
    );
    clock.pass(2000);
    expect([endOf(await run()), endOf(await run())]).toEqual(["end", "end"]);
  });

  test("is tried by one request when its rest is over, while the others go elsewhere", async () => {
    const clock = createFakeClock();
    const first: Reply[] = [{ fails: "model.unavailable" }, { hangs: true }, ok];
    const { run, asked } = createFleet({ clock, settings: two, replies: { first } });
    await run();
    clock.pass(2000);
    const stop = new AbortController();
    const trial = run({}, stop.signal);
    await expect
      .poll(() => asked.filter(({ deployment }) => deployment === "first").length)
      .toBe(2);
    expect(outcomesOf(await run())).toEqual(["second: ok"]);
    stop.abort();
    expect(endOf(await trial)).toBe("aborted");
    expect(outcomesOf(await run())).toEqual(["first: ok"]);
  });

  test("is tried by others, too, from its first word on", async () => {
    const clock = createFakeClock();
    const first: Reply[] = [{ fails: "model.unavailable" }, { text: ["Slow"], hangs: true }, ok];
    const { run, asked } = createFleet({ clock, settings: two, replies: { first } });
    await run();
    clock.pass(2000);
    const stop = new AbortController();
    const trial = run({}, stop.signal);
    await expect
      .poll(() => asked.filter(({ deployment }) => deployment === "first").length)
      .toBe(2);
    await turn();
    expect(outcomesOf(await run())).toEqual(["first: ok"]);
    stop.abort();
    expect(endOf(await trial)).toBe("aborted");
  });

  test("is not kept off for ever when who tried it stops listening", async () => {
    const clock = createFakeClock();
    const { router, run, asked } = createFleet({
      clock,
      settings: one,
      replies: { first: [{ fails: "model.unavailable" }, { text: ["a", "b"], hangs: true }, ok] },
    });
    await run();
    clock.pass(2000);
    for await (const event of router.stream(askWith(), new AbortController().signal)) {
      if (event.type === "text") break;
    }
    expect(asked).toHaveLength(2);
    expect(outcomesOf(await run())).toEqual(["first: ok"]);
  });

  test("is not kept off for ever when the prompt for its trial could not be made", async () => {
    const clock = createFakeClock();
    const first: Reply[] = [{ fails: "model.unavailable" }, ok];
    const { run } = createFleet({ clock, settings: one, replies: { first } });
    await run();
    clock.pass(2000);
    const build = (): never => {
      throw new Error("a bug in the prompt");
    };
    await expect(run({ build })).rejects.toThrow("a bug in the prompt");
    expect(outcomesOf(await run())).toEqual(["first: ok"]);
  });

  test("for its spent limit is off until the month turns, and it is said", async () => {
    const clock = createFakeClock(Date.parse("2026-11-25T12:00:00Z"));
    const first: Reply[] = [{ fails: "model.no-credit" }, ok];
    const { run } = createFleet({ clock, settings: two, replies: { first } });
    const events = await run();
    expect(outcomesOf(events)).toEqual(["first: model.no-credit", "second: ok"]);
    expect(
      events.find((event) => event.type === "chosen" && event.deployment === "second"),
    ).toMatchObject({
      notice: expect.stringMatching(/credit or spend limit is used up.*second is tried instead\.$/),
    });
    clock.pass(Date.parse("2026-11-30T23:59:59Z") - clock.now());
    expect(outcomesOf(await run())).toEqual(["second: ok"]);
    clock.pass(1000);
    expect(outcomesOf(await run())).toEqual(["first: ok"]);
  });

  test.each([
    ["an empty answer twice", { text: ["", " \n"] }, "model.empty", 2],
    ["thinking without an answer twice", { text: [] }, "model.empty", 2],
    ["one thing for ever", { text: Array.from({ length: 900 }, () => "no ") }, "model.repeats", 1],
  ] as const)(
    "by %s leaves the request to the next tier, and is asked the next time",
    async (_, reply, code, times) => {
      const tiers = { "local-fast": ["first"], "local-smart": ["second"] };
      const { run, asked } = hurried(
        { ...two, tiers },
        { first: [...Array.from({ length: times }, () => reply), ok] },
      );
      const events = await run();
      expect([outcomesOf(events), answerOf(events)]).toEqual([
        [...Array.from({ length: times }, () => `first: ${code}`), "second: ok"],
        "I am second.",
      ]);
      expect(asked[0]?.signal.aborted).toBe(code === "model.repeats");
      expect(outcomesOf(await run())).toEqual(["first: ok"]);
    },
  );

  test("three times in a row is told with all that was tried, and why", async () => {
    const replies = {
      first: [{ fails: "model.failed" }],
      second: [{ fails: "model.timeout" }],
    } as const;
    const { run } = hurried(two, replies);
    const events = await run();
    expect(endOf(events)).toBe("model.timeout");
    const chosen = events.filter((event) => event.type === "chosen");
    expect(chosen.map(({ notice }) => notice)).toEqual([
      undefined,
      undefined,
      undefined,
      expect.stringMatching(/^first failed .* second is tried instead\.$/),
    ]);
    expect(chosen.at(-1)?.reason).toBe(
      "listed in local-fast; before it first: model.failed, first: model.failed, first: model.failed",
    );
  });
});

describe("a prompt that is too long", () => {
  const sized = {
    hosts: { a: here, b: here, c: here },
    deployments: {
      small: { host: "a", model: "m", context: 4000 },
      same: { host: "b", model: "m", context: 4000 },
      large: { host: "c", model: "m", context: 32_000 },
    },
    tiers: { "local-fast": ["small", "same", "large"] },
  };
  const tooLong: Reply[] = [{ fails: "model.context-overflow" }];
  const filling: Pick<RouteAsk, "build"> = {
    build: ({ contextTokens }: ModelLimits) => ({
      messages: [{ role: "user", text: "x".repeat(contextTokens) }],
      tools: [],
      maxTokens: 9,
    }),
  };

  test("is made smaller once, never sent again as it was, and then goes to larger contexts only", async () => {
    const { run, asked } = hurried(sized, { small: tooLong });
    const events = await run(filling);
    const sizes = asked.map(({ deployment, request }) => [
      deployment,
      request.messages[0]?.text.length,
    ]);
    expect(sizes).toEqual([
      ["small", 4000],
      ["small", 2400],
      ["large", 32_000],
    ]);
    expect(endOf(events)).toBe("end");
  });

  test("that cannot be made smaller is not sent to the same model again", async () => {
    const { run, asked } = hurried(sized, { small: tooLong });
    const build = () => ({
      messages: [{ role: "user" as const, text: "x".repeat(9000) }],
      tools: [],
      maxTokens: 9,
    });
    expect(endOf(await run({ build }))).toBe("end");
    expect(asked.map(({ deployment }) => deployment)).toEqual(["small", "large"]);
  });

  test("for every context is told, and keeps nobody from its models", async () => {
    const replies = { small: [...tooLong, ...tooLong, ok], large: tooLong };
    const { run } = hurried(sized, replies);
    const events = await run(filling);
    expect(endOf(events)).toBe("model.context-overflow");
    expect(sentenceOf(events)).toMatch(/too long.*--new/);
    expect(outcomesOf(await run(filling))).toEqual(["small: ok"]);
  });
});

describe("a model that refuses tools", () => {
  const tool = { name: "now", description: "", schema: {}, gives: "instructions" } as const;
  const build: RouteAsk["build"] = ({ tools }) => ({
    messages: [{ role: "user", text: "hi" }],
    tools: tools ? [tool] : [],
    maxTokens: 9,
  });
  const refuses: Reply = { fails: "model.bad-request", problem: "m does not support tools" };

  test("is asked without them, also the next time", async () => {
    const { run, asked } = hurried(one, { first: [refuses, ok] });
    expect(outcomesOf(await run({ build }))).toEqual(["first: model.bad-request", "first: ok"]);
    expect(outcomesOf(await run({ build }))).toEqual(["first: ok"]);
    expect(asked.map(({ request }) => request.tools.length)).toEqual([1, 0, 0]);
  });

  test("for another reason is not asked without them", async () => {
    const { run, asked } = hurried(two, {
      first: [{ fails: "model.bad-request", problem: "the messages are out of order" }],
    });
    expect([endOf(await run({ build })), asked.length]).toEqual(["model.bad-request", 1]);
  });
});
