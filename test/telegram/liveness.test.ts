import { describe, expect, test } from "vitest";

import { AppError } from "../../src/core/errors.ts";
import {
  ok,
  passUntil,
  refused,
  runPoller,
  unreachable,
  written,
} from "../fakes/telegram/polled.ts";

describe("a poller that is not heard", () => {
  test("drops its connections when a poll takes longer than Telegram holds one", async () => {
    const { wire, clock, poller, held } = runPoller();
    await held(1);
    clock.pass(39_999);
    expect(wire.state).toMatchObject({ clients: 1, open: 1 });
    clock.pass(1);
    await expect.poll(() => wire.state.clients).toBe(2);
    expect(wire.state.open).toBe(1);
    expect(poller.state()).toEqual({
      lastPollAt: undefined,
      problem: "Telegram cannot be reached (no answer in time).",
    });
    clock.pass(1000);
    await held(2);
    wire.answer(ok([]));
    await held(3);
    expect(poller.state()).toEqual({ lastPollAt: clock.now(), problem: undefined });
  });

  test("counts as deaf after four minutes of silence, once, and goes on trying", async () => {
    const deaf: number[] = [];
    const { wire, clock } = runPoller({ onDeaf: () => void deaf.push(clock.now()) });
    const begun = clock.now();
    await passUntil(clock, 10_000, () => deaf.length === 1);
    expect((deaf[0] ?? 0) - begun).toBeGreaterThanOrEqual(4 * 60_000);
    expect((deaf[0] ?? 0) - begun).toBeLessThan(6 * 60_000);
    const before = wire.polls.length;
    await passUntil(clock, 10_000, () => wire.polls.length > before + 6);
    expect(deaf).toHaveLength(1);
  });

  test.each([
    ["a network that is plainly not there", unreachable("name lookup failed")],
    [
      "a network that leads Telegram's name astray",
      new AppError("door.not-public", { host: "api.telegram.org", address: "10.0.0.1" }),
    ],
    ["a second poller", refused(409, "Conflict: terminated by other getUpdates request")],
    ["a dead token", refused(401, "Unauthorized")],
    ["a Telegram with a fault of its own", refused(502, "Bad Gateway")],
  ])("does not count as deaf with %s", async (_, failure) => {
    const deaf: string[] = [];
    const { wire, clock } = runPoller({ onDeaf: () => void deaf.push("deaf") });
    wire.answers.push(...Array.from({ length: 60 }, () => failure));
    await passUntil(clock, 30_000, () => wire.polls.length === 60);
    expect(deaf).toEqual([]);
  });

  test("counts as deaf also where connections break at once, in words nobody foresaw", async () => {
    const deaf: string[] = [];
    const { wire, clock } = runPoller({ onDeaf: () => void deaf.push("deaf") });
    wire.answers.push(...Array.from({ length: 60 }, () => new TypeError("it timed out, sort of")));
    await passUntil(clock, 30_000, () => deaf.length === 1);
    expect(wire.polls.length).toBeGreaterThan(8);
  });

  test("believes a clock that jumps no more than one poll", async () => {
    const deaf: string[] = [];
    const { wire, clock, held } = runPoller({ onDeaf: () => void deaf.push("deaf") });
    await held(1);
    clock.pass(24 * 60 * 60_000);
    await expect.poll(() => wire.state.clients).toBe(2);
    clock.pass(1000);
    await held(2);
    expect(deaf).toEqual([]);
  });
});

describe("what the poller says", () => {
  test("a second poller is explained once, is waited for ever longer, and it recovers by itself", async () => {
    const { wire, clock, pauses, warned, told, poller, held } = runPoller();
    const conflict = refused(409, "Conflict: terminated by other getUpdates request");
    wire.answers.push(conflict, conflict, conflict, conflict, conflict, conflict);
    await passUntil(clock, 1000, () => wire.isHeld());
    expect(pauses).toEqual([3000, 6000, 12_000, 24_000, 30_000, 30_000]);
    expect(poller.state().problem).toContain("another program polls");
    await held(7);
    wire.answer(written(1));
    await held(8);
    expect(warned).toHaveLength(1);
    expect(told).toEqual(["Telegram is polled again"]);
    expect(poller.state().problem).toBeUndefined();
  });

  test("a webhook is explained as what it is", async () => {
    const { wire, warned } = runPoller();
    wire.answers.push(
      refused(
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook",
      ),
    );
    await expect.poll(() => warned).toEqual([expect.stringContaining("webhook")]);
  });

  test("a dead token is explained once, from the beginning, and a new answer ends it", async () => {
    const dead = refused(401, "Unauthorized");
    const { wire, clock, warned, poller } = runPoller({ me: [dead, dead] });
    await expect
      .poll(() => warned)
      .toEqual([expect.stringContaining("get a new one from @BotFather")]);
    expect(poller.state().problem).toContain("refuses the token");
    await passUntil(clock, 30_000, () => wire.isHeld());
    expect(warned).toHaveLength(1);
    expect(JSON.stringify(warned)).not.toContain("stand-in");
  });

  test("a flood is waited out as long as Telegram says", async () => {
    const { wire, clock, pauses } = runPoller();
    wire.answers.push(refused(429, "Too Many Requests: retry after 7", { retry_after: 7 }));
    await passUntil(clock, 1000, () => wire.isHeld());
    expect(pauses).toEqual([7000]);
  });
});
