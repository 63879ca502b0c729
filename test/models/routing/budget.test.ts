import fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Cap } from "../../../src/core/ledger.ts";
import { modelSettingsSchema } from "../../../src/core/settings.ts";
import { dayStart, monthStart } from "../../../src/core/time.ts";
import {
  capsFor,
  createCalendar,
  createMeters,
  reached,
} from "../../../src/models/routing/budget.ts";
import { askWith } from "../../fakes/router.ts";

const hour = 3_600_000;
const zones = [
  "UTC",
  "Europe/Amsterdam",
  "America/New_York",
  "America/Santiago",
  "America/Sao_Paulo",
  "Africa/Cairo",
  "Asia/Beirut",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Pacific/Chatham",
  "Pacific/Kiritimati",
];

/** The date, or date and time, that a zone's clock shows. */
function shown(at: number, timeZone: string, time = false): string {
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone,
    dateStyle: "short",
    ...(time ? { timeStyle: "medium" } : {}),
  });
  return format.format(at);
}

const anyMoment = fc.integer({
  min: Date.parse("2008-01-01T00:00:00Z"),
  max: Date.parse("2035-01-01T00:00:00Z"),
});

describe("a day and a month in a zone", () => {
  test.each([
    ["Europe/Amsterdam", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "forward at two"],
    ["Europe/Amsterdam", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "back at three"],
    [
      "Europe/Amsterdam",
      "2026-10-25T22:59:59Z",
      "2026-10-24T22:00:00Z",
      "the end of a day of 25 hours",
    ],
    [
      "America/Santiago",
      "2026-09-06T12:00:00Z",
      "2026-09-06T04:00:00Z",
      "no midnight: one o'clock",
    ],
    ["America/Santiago", "2026-04-05T12:00:00Z", "2026-04-05T04:00:00Z", "after a day of 25 hours"],
    ["America/Sao_Paulo", "2018-11-04T12:00:00Z", "2018-11-04T03:00:00Z", "no midnight"],
    [
      "Pacific/Apia",
      "2011-12-31T01:00:00Z",
      "2011-12-30T10:00:00Z",
      "after the day that was left out",
    ],
    [
      "Pacific/Apia",
      "2011-12-30T09:00:00Z",
      "2011-12-29T10:00:00Z",
      "before the day that was left out",
    ],
    ["Asia/Beirut", "2026-03-29T12:00:00Z", "2026-03-28T22:00:00Z", "no midnight"],
    ["Africa/Cairo", "2026-10-30T12:00:00Z", "2026-10-29T22:00:00Z", "after a day of 25 hours"],
    ["Australia/Lord_Howe", "2026-10-04T12:00:00Z", "2026-10-03T13:30:00Z", "half an hour"],
  ])("%s, %s: the day began at %s (%s)", (zone, now, start) => {
    expect(new Date(dayStart(Date.parse(now), zone)).toISOString()).toBe(
      new Date(start).toISOString(),
    );
  });

  test.each([
    ["Europe/Amsterdam", "2026-11-25T12:00:00Z", "2026-10-31T23:00:00Z"],
    ["Europe/Amsterdam", "2026-10-31T23:30:00Z", "2026-10-31T23:00:00Z"],
    ["America/New_York", "2026-11-30T12:00:00Z", "2026-11-01T04:00:00Z"],
    ["Pacific/Kiritimati", "2026-12-31T10:30:00Z", "2026-12-31T10:00:00Z"],
    ["Pacific/Apia", "2011-12-31T12:00:00Z", "2011-12-31T10:00:00Z"],
  ])("%s, %s: the month began at %s", (zone, now, start) => {
    expect(new Date(monthStart(Date.parse(now), zone)).toISOString()).toBe(
      new Date(start).toISOString(),
    );
  });

  test("the day began within the last 25 hours, on the same date, and the moment before it was another", () => {
    fc.assert(
      fc.property(anyMoment, fc.constantFrom(...zones), (now, zone) => {
        const start = dayStart(now, zone);
        expect(start).toBeLessThanOrEqual(now);
        expect(now - start).toBeLessThan(25 * hour);
        expect(shown(start, zone)).toBe(shown(now, zone));
        expect(shown(start - 1, zone)).not.toBe(shown(now, zone));
      }),
      { numRuns: 600 },
    );
  });

  test("around each change of a clock, too", () => {
    const changes = [
      ["Europe/Amsterdam", "2026-03-29T01:00:00Z"],
      ["Europe/Amsterdam", "2026-10-25T01:00:00Z"],
      ["America/Santiago", "2026-09-06T04:00:00Z"],
      ["America/Santiago", "2026-04-05T03:00:00Z"],
      ["America/Sao_Paulo", "2018-11-04T03:00:00Z"],
      ["Pacific/Apia", "2011-12-30T10:00:00Z"],
      ["Asia/Beirut", "2026-03-28T22:00:00Z"],
      ["Africa/Cairo", "2026-10-29T21:00:00Z"],
      ["Australia/Lord_Howe", "2026-10-03T15:30:00Z"],
    ] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...changes),
        fc.integer({ min: -26 * hour, max: 26 * hour }),
        ([zone, at], off) => {
          const now = Date.parse(at) + off;
          const start = dayStart(now, zone);
          expect([start <= now, now - start < 25 * hour]).toEqual([true, true]);
          expect(shown(start, zone)).toBe(shown(now, zone));
          expect(shown(start - 1, zone)).not.toBe(shown(now, zone));
        },
      ),
      { numRuns: 600 },
    );
  });

  test("a calendar that is asked again and again is right each time, wherever the clock jumps to", () => {
    const step = fc.integer({ min: -30 * hour, max: 60 * hour });
    const where = fc.constantFrom("Europe/Amsterdam", "America/Santiago", "Pacific/Apia");
    fc.assert(
      fc.property(anyMoment, fc.array(fc.tuple(step, where), { maxLength: 12 }), (from, steps) => {
        const startsOf = createCalendar();
        let now = from;
        for (const [ms, zone] of steps) {
          now += ms;
          const { day, month } = startsOf(now, zone);
          expect([day, month]).toEqual([dayStart(now, zone), monthStart(now, zone)]);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("the month began on its first day, at the beginning of that", () => {
    fc.assert(
      fc.property(anyMoment, fc.constantFrom(...zones), (now, zone) => {
        const start = monthStart(now, zone);
        expect(start).toBeLessThanOrEqual(now);
        expect(shown(start, zone)).toBe(`${shown(now, zone).slice(0, 8)}01`);
        expect(shown(start - 1, zone).slice(0, 7)).not.toBe(shown(now, zone).slice(0, 7));
      }),
      { numRuns: 400 },
    );
  });
});

describe("the caps that an attempt counts under", () => {
  const { budgets } = modelSettingsSchema.parse({
    budgets: {
      day: 1,
      month: 10,
      deployments: { sonnet: { month: 5 }, gpt: { day: 9 } },
      agents: { assistant: { day: 0.5 } },
      chats: { "terminal:main": { day: 2, month: 3 } },
    },
    tiers: {},
  });
  const moment = createCalendar()(Date.parse("2026-11-25T12:00:00Z"), "Europe/Amsterdam");
  const { task } = askWith();

  test("are all of its day and month, and those of its deployment, agent and chat", () => {
    const caps = capsFor(budgets, { deployment: "sonnet", task }, moment);
    const day = Date.parse("2026-11-24T23:00:00Z");
    const month = Date.parse("2026-10-31T23:00:00Z");
    expect(caps).toEqual([
      { name: "today", capUsd: 1, since: day, of: {} },
      { name: "this month", capUsd: 10, since: month, of: {} },
      { name: "this month for sonnet", capUsd: 5, since: month, of: { deployment: "sonnet" } },
      {
        name: "today for the agent assistant",
        capUsd: 0.5,
        since: day,
        of: { agent: "assistant" },
      },
      { name: "today for this chat", capUsd: 2, since: day, of: { chatId: "terminal:main" } },
      {
        name: "this month for this chat",
        capUsd: 3,
        since: month,
        of: { chatId: "terminal:main" },
      },
    ]);
  });

  test("are none of another's, and none where the owner took them away", () => {
    const other = { ...task, agent: "other", chatId: "terminal:other" };
    const names = capsFor(budgets, { deployment: "haiku", task: other }, moment).map(
      ({ name }) => name,
    );
    expect(names).toEqual(["today", "this month"]);
    const none = { ...budgets, day: null, month: null, deployments: {}, agents: {}, chats: {} };
    expect(capsFor(none, { deployment: "sonnet", task }, moment)).toEqual([]);
  });

  test("are a dollar a day and ten a month where the owner said nothing", () => {
    const usual = modelSettingsSchema.parse({ tiers: {} }).budgets;
    const caps = capsFor(usual, { deployment: "sonnet", task }, moment);
    expect(caps.map(({ capUsd }) => capUsd)).toEqual([1, 10]);
  });

  test("a cap of nothing is a cap", () => {
    const shut = modelSettingsSchema.parse({ budgets: { day: 0, month: null }, tiers: {} }).budgets;
    expect(capsFor(shut, { deployment: "sonnet", task }, moment)).toMatchObject([{ capUsd: 0 }]);
  });
});

test("a share is told again when a new day has begun, and not before", async () => {
  const meters = createMeters({ spent: (caps) => Promise.resolve(caps.map(() => 0)) });
  const told: number[] = [];
  for (const since of [1, 1, 2]) {
    const caps = [{ name: "today", capUsd: 1, since, of: {} }];
    const events = await meters.add(caps, meters.of(caps), 0.6);
    told.push(...events.map(({ percent }) => percent));
  }
  expect(told).toEqual([50, 100, 50]);
});

describe("the shares of a cap", () => {
  const cap = (capUsd: number, name = "today"): Cap => ({ name, capUsd, since: 0, of: {} });
  const percents = (caps: Cap[], before: number[], cost: number) =>
    reached(caps, before, cost).map(({ name, percent }) => [name, percent]);

  test("are told when they are reached, the largest only", () => {
    expect(percents([cap(1)], [0.2], 0.2)).toEqual([]);
    expect(percents([cap(1)], [0.4], 0.1)).toEqual([["today", 50]]);
    expect(percents([cap(1)], [0.4], 0.45)).toEqual([["today", 80]]);
    expect(percents([cap(1)], [0.4], 0.7)).toEqual([["today", 100]]);
    expect(percents([cap(1)], [0.5], 0.1)).toEqual([]);
    expect(percents([cap(1)], [1], 0.5)).toEqual([]);
  });

  test("are told of each cap by itself, with what is spent of it", () => {
    expect(reached([cap(1), cap(10, "this month")], [0.4, 4.9], 0.1)).toEqual([
      { type: "budget", name: "today", percent: 50, spentUsd: 0.5, capUsd: 1 },
      { type: "budget", name: "this month", percent: 50, spentUsd: 5, capUsd: 10 },
    ]);
  });

  test("are each told exactly once, or passed over by a larger one, however the money is spent", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 0.6, noNaN: true })), (costs) => {
        let spent = 0;
        const told = costs.flatMap((cost) => {
          const events = reached([cap(1)], [spent], cost);
          spent += cost;
          return events.map(({ percent }) => percent);
        });
        expect(told).toEqual([...new Set(told)].toSorted((a, b) => a - b));
        const due = [50, 80, 100].findLast((share) => spent >= share / 100);
        expect(told.at(-1)).toBe(due);
      }),
    );
  });
});
