import { setImmediate } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import { AppError } from "../../src/core/errors.ts";
import type { RoutedEvent } from "../../src/core/router.ts";
import { createFakeClock } from "../fakes/clock.ts";
import { createFleet, here, endOf, ok, one, outcomesOf, type Reply, two } from "../fakes/fleet.ts";
import { askWith } from "../fakes/router.ts";

describe("a deployment that fails", () => {
  test("late for what nobody waits for is not left alone by a person, and unreachable it is", async () => {
    const first: Reply[] = [{ fails: "model.timeout" }, { fails: "model.unavailable" }, ok];
    const { run } = createFleet({ clock: createFakeClock(), settings: two, replies: { first } });
    const background = { priority: "background" } as const;
    expect(outcomesOf(await run(background))).toEqual(["first: model.timeout", "second: ok"]);
    expect(outcomesOf(await run(background))).toEqual(["first: model.unavailable", "second: ok"]);
    expect(outcomesOf(await run())).toEqual(["second: ok"]);
  });

  test("is not kept from a person by what nobody waits for and tries it", async () => {
    const clock = createFakeClock();
    const first: Reply[] = [{ fails: "model.unavailable" }, { hangs: true }, ok];
    const { run, asked } = createFleet({ clock, settings: one, replies: { first } });
    await run();
    clock.pass(2000);
    const stop = new AbortController();
    const trial = run({ priority: "background" }, stop.signal);
    await expect.poll(() => asked).toHaveLength(2);
    expect(outcomesOf(await run())).toEqual(["first: ok"]);
    stop.abort();
    expect(endOf(await trial)).toBe("aborted");
  });

  test.each([
    ["model.unavailable", ["second: ok"]],
    ["model.timeout", ["first: ok"]],
  ] as const)("as it is made ready in idle time, by %s", async (code, outcomes) => {
    const failure = new AppError(code, { model: "first", host: "a", problem: "off", seconds: 1 });
    const opens = [Promise.reject(failure), Promise.resolve(), Promise.resolve()];
    opens[0]?.catch(() => undefined);
    const opening = () => opens.shift() ?? Promise.resolve();
    const { run, router } = createFleet({ clock: createFakeClock(), settings: two, opening });
    const never = new AbortController().signal;
    expect(await router.warm(askWith({ priority: "background" }), never)).toBe("nothing");
    expect(outcomesOf(await run())).toEqual(outcomes);
  });
});

/** What is said of why somebody else answers. */
const noticesOf = (events: readonly RoutedEvent[]): string[] =>
  events.flatMap((event) => (event.type === "chosen" ? (event.notice ?? []) : []));

test("who had too much to do and answers a moment later is nobody else", async () => {
  const clock = createFakeClock();
  const replies = { first: [{ fails: "model.busy" } as const, ok] };
  const request = createFleet({ clock, settings: one, replies }).run();
  await expect.poll(() => clock.next()).toBe(700);
  clock.pass(700);
  const events = await request;
  expect([outcomesOf(events), noticesOf(events)]).toEqual([["first: model.busy", "first: ok"], []]);
});

test.each([1, 3])(
  "who has nowhere else to go waits for what another request tries just now, at %d slots",
  async (max_parallel) => {
    const clock = createFakeClock();
    const ready = Promise.withResolvers<void>();
    const opens = [Promise.resolve(), ready.promise];
    const fleet = createFleet({
      clock,
      settings: { ...one, hosts: { a: { ...here, max_parallel } } },
      replies: { first: [{ fails: "model.unavailable" }, ok] },
      opening: () => opens.shift() ?? Promise.resolve(),
    });
    await fleet.run();
    clock.pass(2000);
    const trial = fleet.run();
    await expect.poll(() => opens).toEqual([]);
    const all = [trial, fleet.run(), fleet.run()];
    await expect.poll(() => clock.next()).toBe(700);
    clock.pass(700);
    // All that follows from that has happened then.
    await setImmediate();
    ready.resolve();
    const told = await Promise.all(all);
    const answered = ["first: ok"];
    expect(told.map(outcomesOf)).toEqual([answered, answered, answered]);
    expect(told.flatMap(noticesOf)).toEqual([]);
  },
);

test("who waits for another request's try is told when that fails, and is gone when it is stopped", async () => {
  const clock = createFakeClock();
  const ready = Promise.withResolvers<void>();
  const opens = [Promise.resolve(), ready.promise];
  const fleet = createFleet({
    clock,
    settings: { ...one, hosts: { a: { ...here, max_parallel: 3 } } },
    replies: { first: [{ fails: "model.unavailable" }] },
    opening: () => opens.shift() ?? Promise.resolve(),
  });
  await fleet.run();
  clock.pass(2000);
  const trial = fleet.run();
  await expect.poll(() => opens).toEqual([]);
  const stop = new AbortController();
  const stopped = fleet.run({}, stop.signal);
  const waiting = fleet.run();
  await expect.poll(() => clock.next()).toBe(700);
  clock.pass(700);
  await setImmediate();
  stop.abort();
  expect(endOf(await stopped)).toBe("aborted");
  ready.resolve();
  const ends = [await trial, await waiting].map(endOf);
  expect([ends, fleet.asked.length]).toEqual([["model.unavailable", "model.resting"], 2]);
});

test("who is listed in two tiers and was tried by another request is asked once at a time", async () => {
  const clock = createFakeClock();
  const ready = Promise.withResolvers<void>();
  const opens = [Promise.resolve(), ready.promise];
  const first: Reply[] = [{ fails: "model.unavailable" }, ok, { fails: "model.busy" }, ok];
  const fleet = createFleet({
    clock,
    settings: { ...one, tiers: { "local-fast": ["first"], "local-smart": ["first"] } },
    replies: { first },
    opening: () => opens.shift() ?? Promise.resolve(),
  });
  await fleet.run();
  clock.pass(2000);
  const trial = fleet.run();
  await expect.poll(() => opens).toEqual([]);
  const waiting = fleet.run();
  await expect.poll(() => clock.next()).toBe(700);
  ready.resolve();
  await trial;
  clock.pass(700);
  await expect.poll(() => clock.next()).toBe(1400);
  clock.pass(1400);
  expect(outcomesOf(await waiting)).toEqual(["first: model.busy", "first: ok"]);
});
