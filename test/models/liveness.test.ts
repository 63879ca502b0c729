import { expect, test } from "vitest";

import { whileAlive } from "../../src/models/clients/liveness.ts";
import { createFakeClock } from "../fakes/clock.ts";

const answered = () => Promise.resolve("0.24.0");
const silent = () => new Promise(() => {});

/** Waits for work that never ends, on a host that is looked at like this; the looks are counted. */
function waiting(look: (at: number) => Promise<unknown>) {
  const clock = createFakeClock();
  const work = Promise.withResolvers<string>();
  const state = { looks: 0 };
  const result = whileAlive(
    { clock, look: () => look(state.looks++), gone: () => new Error("gone") },
    work.promise,
  );
  const ended: string[] = [];
  const told = result.then(
    (value) => ended.push(value),
    (error: unknown) => ended.push(String(error)),
  );
  async function pass(expected: number): Promise<void> {
    await expect.poll(() => clock.next()).toBe(expected);
    clock.pass(expected);
  }
  return { work, state, ended, told, pass, clock };
}

test("a host that says nothing twice is given up, long before a slow answer's deadline", async () => {
  const { pass, told, ended, state, clock } = waiting(silent);
  const from = clock.now();
  await pass(25_000);
  await pass(5000);
  await pass(5000);
  await told;
  expect([ended, state.looks, clock.now() - from]).toEqual([["Error: gone"], 2, 35_000]);
});

test("a host that cannot be reached any more is given up a moment later", async () => {
  const { pass, told, ended } = waiting(() => Promise.reject(new Error("no route")));
  await pass(25_000);
  await pass(5000);
  await told;
  expect(ended).toEqual(["Error: gone"]);
});

test("one that could not be reached for a moment is waited for", async () => {
  const { pass, told, ended, work, clock } = waiting((at) =>
    at === 0 ? Promise.reject(new Error("no route")) : answered(),
  );
  await pass(25_000);
  await pass(5000);
  await expect.poll(() => clock.next()).toBe(25_000);
  work.resolve("Hello.");
  await told;
  expect(ended).toEqual(["Hello."]);
});

test("one that answers is waited for, also where one answer of its was late", async () => {
  const { pass, told, ended, state, work, clock } = waiting((at) =>
    at === 1 ? silent() : answered(),
  );
  await pass(25_000);
  await pass(25_000);
  await pass(5000);
  await pass(25_000);
  await expect.poll(() => state.looks).toBe(4);
  await expect.poll(() => clock.next()).toBe(25_000);
  expect(ended).toEqual([]);
  work.resolve("Hello.");
  await told;
  expect(ended).toEqual(["Hello."]);
  expect(clock.next()).toBeUndefined();
});

test("one whose answer comes while the next one is waited for is slow, and is there", async () => {
  const late = Promise.withResolvers<string>();
  const { pass, told, ended, work, clock } = waiting((at) => (at === 0 ? late.promise : silent()));
  await pass(25_000);
  await pass(5000);
  await expect.poll(() => clock.next()).toBe(5000);
  late.resolve("0.24.0");
  await pass(25_000);
  await expect.poll(() => clock.next()).toBe(5000);
  expect(ended).toEqual([]);
  work.resolve("Hello.");
  await told;
  expect(ended).toEqual(["Hello."]);
});
