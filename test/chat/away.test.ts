import { describe, expect, test } from "vitest";

import { awayWords } from "../../src/chat/away.ts";

const hour = 3_600_000;
const keptMs = 24 * hour;

function said(from: number, ms: number, zone: string | null = "Europe/Amsterdam", count = 3) {
  return awayWords({ from, to: from + ms, keptMs, more: false }, count, zone);
}

describe("what a chat hears after an outage", () => {
  const morning = Date.UTC(2026, 10, 14, 7, 5);

  test("names the times in the person's zone, the day once where it is one day", () => {
    expect(said(morning, 2 * hour)).toBe(
      "I was away from 2026-11-14 08:05 to 10:05; 3 messages caught up.",
    );
    expect(said(morning, 20 * hour)).toBe(
      "I was away from 2026-11-14 08:05 to 2026-11-15 04:05; 3 messages caught up.",
    );
    expect(said(morning, 2 * hour, "America/New_York")).toContain("2026-11-14 02:05 to 04:05");
  });

  test("counts one message as one, and midnight as zero", () => {
    expect(said(Date.UTC(2026, 10, 13, 23), hour, "Europe/Amsterdam", 1)).toBe(
      "I was away from 2026-11-14 00:00 to 01:00; 1 message caught up.",
    );
  });

  test("says what a platform no longer keeps", () => {
    const lost = "What was written more than 24 hours before I came back did not reach me.";
    expect(said(morning, 24 * hour)).not.toContain(lost);
    expect(said(morning, 7 * 24 * hour)).toContain(lost);
  });

  test("takes the machine's zone where the person has none", () => {
    expect(said(morning, hour, null)).toMatch(/^I was away from 2026-11-1\d \d\d:\d\d to /);
  });
});
