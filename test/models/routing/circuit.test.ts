import { describe, expect, test } from "vitest";

import { createCircuits, monthEnd } from "../../../src/models/routing/circuit.ts";
import { createFakeClock } from "../../fakes/clock.ts";

function open() {
  const clock = createFakeClock();
  return { clock, circuits: createCircuits(clock) };
}

describe("a circuit", () => {
  test("lets pass what never failed, and nobody tries anything by it", () => {
    const { circuits } = open();
    expect(circuits.resting("a")).toBeUndefined();
    expect(circuits.enter("a", true)).toBeUndefined();
    expect(circuits.resting("a")).toBeUndefined();
  });

  test("opens with the first failure, for that name only, and says why and how long", () => {
    const { circuits, clock } = open();
    circuits.failed("a", { why: "It is off." });
    clock.pass(500);
    expect(circuits.resting("a")).toEqual({ why: "It is off.", leftMs: 1500 });
    expect(circuits.resting("b")).toBeUndefined();
  });

  test("rests twice as long after each further failure, and half a minute at most", () => {
    const { circuits, clock } = open();
    const rests = Array.from({ length: 8 }, () => {
      circuits.failed("a", { why: "" });
      const leftMs = circuits.resting("a")?.leftMs ?? 0;
      clock.pass(leftMs);
      return leftMs;
    });
    expect(rests).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  });

  test("rests no longer for what was under way when it failed, and forgets no end of a month for it", () => {
    const { circuits, clock } = open();
    const until = clock.now() + 86_400_000;
    for (const trouble of [{ why: "" }, { why: "", until }, { why: "" }])
      circuits.failed("a", trouble);
    expect(circuits.resting("a")?.leftMs).toBe(86_400_000);
    clock.pass(86_400_000);
    circuits.failed("a", { why: "" });
    expect(circuits.resting("a")?.leftMs).toBe(4000);
  });

  test("rests for as long as it is asked to, and ten minutes at most", () => {
    const { circuits } = open();
    const asked = [1000, 45_000, 600_000, 86_400_000].map((retryMs, at) => {
      circuits.failed(`host ${at}`, { why: "", retryMs });
      return circuits.resting(`host ${at}`)?.leftMs;
    });
    expect(asked).toEqual([2000, 45_000, 600_000, 600_000]);
  });

  test("half opens for one: the others are kept off until that one has ended", () => {
    const { circuits, clock } = open();
    circuits.failed("a", { why: "off" });
    clock.pass(2000);
    expect(circuits.resting("a")).toBeUndefined();
    const left = circuits.enter("a", true);
    expect(circuits.resting("a")).toEqual({ why: "off", leftMs: 0 });
    left?.();
    expect(circuits.resting("a")).toBeUndefined();
  });

  test("keeps nobody off for one that tries it beside others, and only its own end lets the others in", () => {
    const { circuits, clock } = open();
    circuits.failed("a", { why: "off" });
    clock.pass(2000);
    const aside = circuits.enter("a", false);
    expect([typeof aside, circuits.resting("a")]).toEqual(["function", undefined]);
    const first = circuits.enter("a", true);
    aside?.();
    expect(circuits.resting("a")).toBeDefined();
    first?.();
    const second = circuits.enter("a", true);
    first?.();
    expect(circuits.resting("a")).toBeDefined();
    second?.();
    expect(circuits.resting("a")).toBeUndefined();
  });

  test("that fails its trial rests for longer than before", () => {
    const { circuits, clock } = open();
    circuits.failed("a", { why: "off" });
    clock.pass(2000);
    circuits.enter("a", true);
    circuits.failed("a", { why: "still off" });
    expect(circuits.resting("a")).toEqual({ why: "still off", leftMs: 4000 });
  });

  test("that is well again has forgotten its failures", () => {
    const { circuits, clock } = open();
    circuits.failed("a", { why: "" });
    circuits.failed("a", { why: "" });
    clock.pass(4000);
    circuits.enter("a", true);
    circuits.succeeded("a");
    expect([circuits.resting("a"), circuits.enter("a", true)]).toEqual([undefined, undefined]);
    circuits.failed("a", { why: "" });
    expect(circuits.resting("a")?.leftMs).toBe(2000);
  });

  test("that is shut until a moment stays shut until then by the wall clock, also when that jumps", () => {
    let jumped = 0;
    const clock = createFakeClock();
    const circuits = createCircuits({ ...clock, now: () => clock.now() + jumped });
    const until = clock.now() + 3_600_000;
    circuits.failed("a", { why: "spent", until });
    clock.pass(60_000);
    expect(circuits.resting("a")?.leftMs).toBe(3_540_000);
    jumped = 3_540_000;
    expect(circuits.resting("a")).toBeUndefined();
  });
});

test.each([
  ["2026-11-23T12:00:00Z", "2026-12-01T00:00:00Z"],
  ["2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00Z"],
  ["2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"],
  ["2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"],
])("the month of %s ends at %s", (now, end) => {
  expect(new Date(monthEnd(Date.parse(now))).toISOString()).toBe(new Date(end).toISOString());
});
