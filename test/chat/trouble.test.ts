import { expect, test } from "vitest";

import { AppError } from "../../src/core/errors.ts";
import type { SqliteStore } from "../../src/store/open-store.ts";

import { openHouse } from "./house.ts";

const script = {
  scenes: [
    { when: "never", replies: [{ text: "This takes an hour.", piece: 5, delay: 60_000 }] },
    { replies: [{ text: "You said: {words}" }] },
  ],
};

const names = ["takeMessage", "startTask", "finishTask", "placed", "sent", "addParts"] as const;

/** A store that takes nothing the first time that each of these is asked. */
function onceFull(store: SqliteStore): SqliteStore {
  const failed = new Set<unknown>();
  return new Proxy(store, {
    get(target, name, receiver) {
      const found: unknown = Reflect.get(target, name, receiver);
      if (failed.has(name) || !names.some((one) => one === name)) return found;
      failed.add(name);
      return () => Promise.reject(new AppError("store.full", { folder: "here" }));
    },
  });
}

test("what a full disk could not take is taken when there is room, in order and once", async () => {
  const house = await openHouse(script, { between: onceFull });
  await house.write("one");
  await house.write("/help");
  await house.write("two");
  await expect
    .poll(() => house.platform.texts("here").filter((text) => text !== "…"))
    .toHaveLength(3);
  const answers = house.platform.texts("here").filter((text) => text.startsWith("You said"));
  expect(answers).toEqual(["You said: one", "You said: two"]);
  expect(await house.store.unhandled("fake")).toEqual([]);
  expect(house.bugs).toEqual([]);
});

test("/stop is done only when it has taken effect", async () => {
  const gate = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const between = (store: SqliteStore): SqliteStore => ({
    ...store,
    async finishTask(end) {
      reached.resolve();
      await gate.promise;
      return store.finishTask(end);
    },
  });
  const house = await openHouse(script, { between });
  await house.write("never");
  await expect.poll(() => house.requests).toHaveLength(1);
  await house.write("/stop");
  await reached.promise;
  // Whatever was to be stored by now is.
  for (let i = 0; i < 3; i += 1) await house.store.newConversation("fake:here");
  // A crash now leaves the command to the next start.
  expect(await house.store.unhandled("fake")).toMatchObject([{ event: { text: "/stop" } }]);
  gate.resolve();
  await expect.poll(() => house.platform.texts("here")).toEqual(["Stopped."]);
  await expect.poll(() => house.store.unhandled("fake")).toEqual([]);
});
