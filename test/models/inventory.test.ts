import { describe, expect, test } from "vitest";

import { AppError } from "../../src/core/errors.ts";
import type { Installed } from "../../src/models/clients/ollama-host.ts";
import { createInventory } from "../../src/models/inventory.ts";
import { createFakeClock } from "../fakes/clock.ts";

function model(name: string): Installed {
  return { name, sizeBytes: 1000, tools: true, remote: false };
}

const off = new AppError("model.unavailable", { host: "ollama", problem: "off" });

/** A host whose answers are given by hand, in the order in which it was asked. */
function open() {
  const clock = createFakeClock();
  const asked: PromiseWithResolvers<readonly Installed[]>[] = [];
  const host = {
    installed: () => {
      const answer = Promise.withResolvers<readonly Installed[]>();
      asked.push(answer);
      return answer.promise;
    },
  };
  const inventory = createInventory(host, clock);
  const names = async (): Promise<string[]> =>
    (await inventory.installed()).map(({ name }) => name);
  return { clock, asked, inventory, names };
}

describe("what a host has installed", () => {
  test("is asked for once by all who come at the same time, and then not for a while", async () => {
    const { asked, names, clock } = open();
    const both = [names(), names()];
    asked[0]?.resolve([model("a")]);
    expect(await Promise.all(both)).toEqual([["a"], ["a"]]);
    clock.pass(15_000);
    expect(await names()).toEqual(["a"]);
    expect(asked).toHaveLength(1);
  });

  test("is asked for anew when it is old, and who comes then does not wait for that", async () => {
    const { asked, names, clock } = open();
    const first = names();
    asked[0]?.resolve([model("a")]);
    await first;
    clock.pass(15_001);
    expect([await names(), await names()]).toEqual([["a"], ["a"]]);
    expect(asked).toHaveLength(2);
    asked[1]?.resolve([model("b")]);
    await expect.poll(names).toEqual(["b"]);
    expect(asked).toHaveLength(2);
  });

  test("fails as the host does, which is then left alone for a while, longer each time", async () => {
    const { asked, names, clock } = open();
    const first = names();
    asked[0]?.reject(off);
    await expect(first).rejects.toBe(off);
    await expect(names()).rejects.toBe(off);
    expect(asked).toHaveLength(1);
    clock.pass(2000);
    const second = names();
    asked[1]?.reject(off);
    await expect(second).rejects.toBe(off);
    clock.pass(2000);
    await expect(names()).rejects.toBe(off);
    expect(asked).toHaveLength(2);
    clock.pass(2000);
    const third = names();
    asked[2]?.resolve([model("a")]);
    expect(await third).toEqual(["a"]);
  });

  test("that is old and cannot be had any more is told to the next one, not to who asked beside it", async () => {
    const { asked, names, clock } = open();
    const first = names();
    asked[0]?.resolve([model("a")]);
    await first;
    clock.pass(60_000);
    expect(await names()).toEqual(["a"]);
    asked[1]?.reject(off);
    await expect.poll(() => names().catch((error: unknown) => error)).toBe(off);
    expect(asked).toHaveLength(2);
  });

  test("is asked for at once when it was changed, also while the host is left alone", async () => {
    const { asked, names, inventory } = open();
    const first = names();
    asked[0]?.resolve([model("a")]);
    await first;
    inventory.forget();
    const second = names();
    asked[1]?.reject(off);
    await expect(second).rejects.toBe(off);
    inventory.forget();
    const third = names();
    asked[2]?.resolve([model("b")]);
    expect(await third).toEqual(["b"]);
  });

  test("that was being asked for when it changed is asked for anew", async () => {
    const { asked, names, inventory } = open();
    const before = names();
    inventory.forget();
    const after = names();
    expect(asked).toHaveLength(2);
    asked[1]?.resolve([model("a"), model("b")]);
    expect(await after).toEqual(["a", "b"]);
    asked[0]?.resolve([model("a")]);
    expect(await before).toEqual(["a"]);
    expect(await names()).toEqual(["a", "b"]);
  });

  test("is left as it is by an old question that fails late", async () => {
    const { asked, names, inventory } = open();
    const before = names();
    inventory.forget();
    const after = names();
    asked[1]?.resolve([model("b")]);
    await after;
    asked[0]?.reject(off);
    await expect(before).rejects.toBe(off);
    expect(await names()).toEqual(["b"]);
  });
});
