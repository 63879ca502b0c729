import { describe, expect, test } from "vitest";

import { AppError } from "../../src/core/errors.ts";
import { ok, passUntil, runPoller, unreachable, written } from "../fakes/telegram/polled.ts";

describe("the poller", () => {
  test("confirms a batch only when it is stored, and with the highest number in it", async () => {
    const stored = Promise.withResolvers<undefined>();
    const { wire, held } = runPoller({ accept: () => stored.promise });
    wire.answer(written(12, 11));
    await expect.poll(() => wire.polls.length).toBe(1);
    stored.resolve(undefined);
    await held(2);
    expect(wire.polls.map(({ offset }) => offset)).toEqual([0, 13]);
  });

  test("does not confirm what could not be stored, and fetches it again", async () => {
    const state = { full: true };
    const { wire, clock, warned, poller } = runPoller({
      accept: () =>
        state.full ? Promise.reject(new AppError("store.full", { folder: "/data" })) : Promise.resolve(),
    });
    wire.answers.push(written(11), written(11));
    await expect.poll(() => warned).toHaveLength(1);
    expect(poller.state()).toMatchObject({ lastPollAt: clock.now() });
    expect(poller.state().problem).toContain("The disk that holds /data is full");
    state.full = false;
    await passUntil(clock, 1000, () => wire.polls.length === 3);
    expect(wire.polls.map(({ offset }) => offset)).toEqual([0, 0, 12]);
    expect(poller.state().problem).toBeUndefined();
    expect(wire.state.clients).toBe(1);
  });

  test("asks without a number once all is confirmed: after a quiet week Telegram begins at a random one", async () => {
    const { wire, seen, held } = runPoller();
    wire.answers.push(written(9000), ok([]), written(5));
    await held(4);
    expect(wire.polls.map(({ offset }) => offset)).toEqual([0, 9001, 0, 6]);
    expect(seen).toEqual(["9000", "5"]);
  });

  test("leaves out what has no number", async () => {
    const { wire, seen, held } = runPoller();
    wire.answers.push(ok([null, { update_id: "x" }, { update_id: 3 }]));
    await held(2);
    expect(seen).toEqual(["3"]);
  });

  test("takes ten thousand messages batch after batch, each stored before the next is asked for", async () => {
    const { wire, seen, held } = runPoller();
    const ids = Array.from({ length: 10_000 }, (_, at) => at + 1);
    for (let at = 0; at < ids.length; at += 100) {
      wire.answers.push(written(...ids.slice(at, at + 100)));
    }
    await held(101);
    expect(seen).toEqual(ids.map(String));
    expect(wire.polls.map(({ offset }) => offset)).toEqual(
      wire.polls.map((_, at) => (at === 0 ? 0 : at * 100 + 1)),
    );
  });

  test("tells who the bot is, once", async () => {
    const found: unknown[] = [];
    const { wire, held } = runPoller({ onMe: (me) => void found.push(me) });
    wire.answers.push(ok([]));
    await held(2);
    expect(found).toEqual([{ id: 4242, username: "heron_bot", readsGroups: false }]);
  });
});

describe("after an outage", () => {
  const hour = 60 * 60_000;

  test("the batches that were kept come with the time away, and those after them without", async () => {
    const before = Date.UTC(2026, 10, 14, 7);
    const heard: number[] = [];
    const { wire, clock, away, held } = runPoller({
      heard: (_, at) => Promise.resolve(heard.push(at) === 1 ? before : at - 1),
    });
    const ids = Array.from({ length: 100 }, (_, at) => at + 1);
    wire.answers.push(written(...ids), written(101), written(102));
    await held(4);
    const gone = { from: before, to: clock.now(), keptMs: 24 * hour };
    expect(away).toEqual([{ ...gone, more: true }, { ...gone, more: false }, undefined]);
    expect(heard).toEqual([clock.now()]);
  });

  test("within one process the last poll counts, and what is heard is noted every half minute", async () => {
    const heard: number[] = [];
    const { wire, clock, away, held } = runPoller({
      heard: (_, at) => Promise.resolve(heard.push(at) === 1 ? undefined : at - 1),
    });
    const begun = clock.now();
    wire.answers.push(ok([]), ok([]));
    await held(3);
    wire.answers.push(...Array.from({ length: 12 }, () => unreachable("no network")));
    clock.pass(30_000);
    wire.answer(unreachable("no network"));
    await passUntil(clock, 30_000, () => wire.isHeld());
    const back = clock.now();
    wire.answer(written(1));
    await held(wire.polls.length + 1);
    expect(away).toEqual([{ from: begun, to: back, keptMs: 24 * hour, more: false }]);
    expect(heard).toEqual([begun, back]);
  });

  test("a short pause, or one in which nobody wrote, is not told", async () => {
    const { wire, clock, away, held } = runPoller({
      heard: () => Promise.resolve(Date.UTC(2026, 10, 14, 7, 55)),
    });
    wire.answers.push(written(1));
    await held(2);
    expect(away).toEqual([undefined]);
    clock.pass(39_000);
    wire.answer(ok([]));
    await held(3);
    wire.answer(written(2));
    await held(4);
    expect(away).toEqual([undefined, undefined]);
  });

  test("a batch that could not be stored keeps the time away", async () => {
    const state = { full: true };
    const away: unknown[] = [];
    const { wire, clock, held } = runPoller({
      heard: () => Promise.resolve(Date.UTC(2026, 10, 14, 6)),
      accept(_, _updates, gone) {
        if (state.full) return Promise.reject(new AppError("store.full", { folder: "/data" }));
        away.push(gone);
        return Promise.resolve();
      },
    });
    wire.answers.push(written(1), written(1));
    await expect.poll(() => wire.polls.length).toBe(1);
    state.full = false;
    await passUntil(clock, 1000, () => wire.isHeld());
    await held(3);
    expect(away).toMatchObject([{ from: Date.UTC(2026, 10, 14, 6), more: false }]);
  });
});
