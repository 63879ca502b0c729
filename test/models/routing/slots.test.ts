import { describe, expect, test } from "vitest";

import type { Priority } from "../../../src/core/route.ts";
import { createSlots, type Slots } from "../../../src/models/routing/slots.ts";
import { createFakeClock } from "../../fakes/clock.ts";

const never = new AbortController().signal;

/** Takes a slot and writes its name down when it has one. */
function taking(slots: Slots, begun: string[]) {
  return async (
    name: string,
    places: Readonly<Record<string, number>>,
    own: { priority?: Priority; signal?: AbortSignal; onWait?: (wait: object) => void } = {},
  ) => {
    const { priority = "interactive", signal = never, onWait = () => {} } = own;
    const wanted = Object.entries(places).map(([host, workMs]) => ({ host, workMs }));
    const slot = await slots.take({ places: wanted, priority, signal, onWait });
    begun.push(`${name} on ${slot.place.host}`);
    return slot;
  };
}

function open(parallel = 1) {
  const clock = createFakeClock();
  const slots = createSlots(clock, () => parallel);
  const begun: string[] = [];
  return { clock, slots, begun, take: taking(slots, begun) };
}

describe("slots of hosts", () => {
  test("the host that ends soonest is taken, and the next best while it is busy", async () => {
    const { take, begun } = open();
    await take("first", { slow: 200, fast: 100 });
    await take("second", { slow: 200, fast: 100 });
    expect(begun).toEqual(["first on fast", "second on slow"]);
  });

  test("who waits is taken by whichever host is free first", async () => {
    const { take, begun } = open();
    const onFast = await take("a", { fast: 100 });
    const onSlow = await take("b", { slow: 100 });
    const third = take("c", { fast: 100, slow: 100 });
    const fourth = take("d", { fast: 100, slow: 100 });
    onSlow.release();
    await third;
    onFast.release();
    await fourth;
    expect(begun.slice(2)).toEqual(["c on slow", "d on fast"]);
  });

  test("what a person waits for goes first, then what goes on, then what nobody waits for", async () => {
    const { take, begun } = open();
    const first = await take("first", { host: 100 });
    const waiting = [
      take("background", { host: 1 }, { priority: "background" }),
      take("follow-up", { host: 1 }, { priority: "followUp" }),
      take("interactive", { host: 1 }),
    ];
    first.release();
    for (const done of waiting.toReversed()) (await done).release();
    expect(begun.slice(1)).toEqual([
      "interactive on host",
      "follow-up on host",
      "background on host",
    ]);
  });

  test("what has waited long goes before what came just now", async () => {
    const { take, begun, clock } = open();
    const first = await take("first", { host: 100 });
    const old = take("old", { host: 1 }, { priority: "background" });
    clock.pass(41_000);
    const fresh = take("fresh", { host: 1 });
    first.release();
    (await old).release();
    await fresh;
    expect(begun.slice(1)).toEqual(["old on host", "fresh on host"]);
  });

  test("background work leaves one of several slots free", async () => {
    const { take, begun } = open(2);
    const background = { priority: "background" } as const;
    const first = await take("one", { host: 1 }, background);
    const second = take("two", { host: 1 }, background);
    const person = await take("person", { host: 1 });
    expect(begun).toEqual(["one on host", "person on host"]);
    first.release();
    person.release();
    await second;
    expect(begun.at(-1)).toBe("two on host");
  });

  test("background work that has waited takes the last slot, too, and is not passed by for ever", async () => {
    const { take, begun, clock } = open(2);
    await take("long", { host: 100 });
    const second = await take("second", { host: 100 });
    const old = take("old", { host: 1 }, { priority: "background" });
    clock.pass(41_000);
    const fresh = take("fresh", { host: 1 });
    second.release();
    (await old).release();
    await fresh;
    expect(begun.slice(2)).toEqual(["old on host", "fresh on host"]);
  });

  test("background work that waits beside a free slot takes it when nobody else came for it", async () => {
    const { take, begun, clock } = open(2);
    await take("long", { host: 100 });
    const old = take("old", { host: 1 }, { priority: "background" });
    for (let seconds = 0; seconds < 21; seconds += 1) {
      expect(begun).toEqual(["long on host"]);
      clock.pass(1000);
      await Promise.resolve();
    }
    await old;
    expect(begun.at(-1)).toBe("old on host");
  });

  test("who waits is told how many are before it, and for how long", async () => {
    const { take, clock } = open();
    const first = await take("first", { host: 1000 });
    clock.pass(400);
    const waits: object[] = [];
    const second = take("second", { host: 500 });
    const third = take("third", { host: 500 }, { onWait: (wait) => waits.push(wait) });
    expect(waits).toEqual([{ ahead: 1, expectedMs: 1100 }]);
    first.release();
    await second;
    expect(waits.at(-1)).toEqual({ ahead: 0, expectedMs: 500 });
    (await second).release();
    await third;
  });

  test("who stops waiting is forgotten, and takes no slot", async () => {
    const { take, slots, begun } = open();
    const first = await take("first", { host: 1 });
    const leaving = new AbortController();
    const second = take("second", { host: 1 }, { signal: leaving.signal });
    const third = take("third", { host: 1 });
    leaving.abort(new Error("gone"));
    await expect(second).rejects.toThrow("gone");
    expect(slots.load("host")).toEqual({ working: 1, waiting: 1 });
    first.release();
    first.release();
    await third;
    expect(begun).toEqual(["first on host", "third on host"]);
    expect(slots.load("host")).toEqual({ working: 1, waiting: 0 });
  });

  test("a free host that is far slower is no help, until the busy one turns out to be late", async () => {
    const { take, begun, clock } = open();
    await take("first", { fast: 1000 });
    const second = take("second", { fast: 1000, slow: 20_000 });
    expect(begun).toEqual(["first on fast"]);
    clock.pass(2000);
    for (let seconds = 0; seconds < 8; seconds += 1) {
      clock.pass(1000);
      await Promise.resolve();
    }
    await second;
    expect(begun).toEqual(["first on fast", "second on slow"]);
  });
});
