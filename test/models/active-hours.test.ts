import { expect, test } from "vitest";

import { isWithin } from "../../src/models/clients/active-hours.ts";

const at = (time: string): number => new Date(`2026-11-25T${time}:00`).getTime();

test.each([
  ["08:00", "22:00", "08:00", true],
  ["08:00", "22:00", "21:59", true],
  ["08:00", "22:00", "22:00", false],
  ["08:00", "22:00", "03:00", false],
  ["22:00", "06:30", "23:15", true],
  ["22:00", "06:30", "06:29", true],
  ["22:00", "06:30", "06:30", false],
  ["22:00", "06:30", "12:00", false],
])("from %s to %s: %s is within: %s", (from, to, time, within) => {
  expect(isWithin({ from, to }, at(time))).toBe(within);
});
