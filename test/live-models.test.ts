import { setImmediate } from "node:timers/promises";

import { describe, expect, onTestFinished, test } from "vitest";

import { AppError } from "../src/core/errors.ts";
import type { Router } from "../src/core/router.ts";
import { type MadeModels, openLiveModels } from "../src/live-models.ts";
import { createSources } from "../src/models/sources.ts";
import { modelsFileSchema } from "../src/models/model-rows.ts";
import { createFakeClock } from "./fakes/clock.ts";
import { openDoor } from "./fakes/receipts.ts";
import { createSecret } from "../src/core/secret.ts";
import { emptyFolder } from "./fakes/folder.ts";
import { askWith } from "./fakes/router.ts";

/** Models whose router says its own name. */
async function named(name: string, closed: string[]): Promise<MadeModels> {
  const home = await emptyFolder("live-models");
  const { door } = openDoor();
  const sources = createSources({
    settings: modelsFileSchema.parse({
      hub: "https://hub.invalid",
      tiers: {
        "local-fast": [],
        "local-smart": [],
        "cloud-smart": [],
      },
    }),
    home,
    state: home,
    door,
    spawn: () => {
      throw new Error("nothing is started here");
    },
    clock: createFakeClock(),
    environment: {},
    person: { notice() {}, progress() {} },
    readData: () => Promise.resolve({}),
    secrets: (key) => createSecret(key, "key"),
  });
  const router: Router = {
    async *stream() {
      yield { type: "text", text: name };
      yield { type: "stop", reason: "end" };
    },
    warm: () => Promise.resolve("nothing"),
    explain: () => Promise.resolve([]),
  };
  const close = (): void => {
    closed.push(name);
    sources.close();
  };
  return { sources: { ...sources, close }, router };
}

describe("settings that change while the program runs", () => {
  async function setUp() {
    const clock = createFakeClock();
    const state = { settings: "first", said: [] as string[], closed: [] as string[] };
    const live = await openLiveModels({
      make: () =>
        state.settings === "wrong"
          ? Promise.reject(
              new AppError("config.invalid", {
                file: "config/models.local.yaml:3",
                problem: "no.",
              }),
            )
          : named(state.settings, state.closed),
      fingerprint: () => Promise.resolve(state.settings),
      say: (notice) => state.said.push(notice),
      clock,
    });
    const ending = new AbortController();
    onTestFinished(() => ending.abort());
    void live.follow(ending.signal);
    const pass = async (ms: number): Promise<void> => {
      for (let turns = 0; turns < 10; turns += 1) await setImmediate();
      clock.pass(ms);
      for (let turns = 0; turns < 10; turns += 1) await setImmediate();
    };
    await pass(0);
    return { live, state, pass };
  }

  const never = new AbortController().signal;
  async function nameOf(router: Router): Promise<string> {
    const ask = { build: () => ({ messages: [], tools: [], maxTokens: 1 }) };
    const events = await Array.fromAsync(router.stream({ ...askWith(), ...ask }, never));
    return events.flatMap((event) => (event.type === "text" ? [event.text] : [])).join("");
  }

  test("hold from then on, and what ran before ends under the earlier ones", async () => {
    const { live, state, pass } = await setUp();
    expect(await nameOf(live.router)).toBe("first");
    state.settings = "second";
    await pass(2000);
    await expect.poll(() => nameOf(live.router)).toBe("second");
    expect(state.closed).toEqual([]);
    expect(state.said).toEqual(["The settings of the models have changed, and hold from now on."]);
    await pass(30 * 60_000);
    await expect.poll(() => state.closed).toEqual(["first"]);
    live.close();
    expect(state.closed).toEqual(["first", "second"]);
  });

  test("and are wrong keep the last good ones, and say so with file and line", async () => {
    const { live, state, pass } = await setUp();
    state.settings = "wrong";
    await pass(2000);
    expect(await nameOf(live.router)).toBe("first");
    expect(state.said).toEqual(["config/models.local.yaml:3: no. The settings before that go on."]);
    await pass(2000);
    expect(state.said).toHaveLength(1);
    state.settings = "third";
    await pass(2000);
    await expect.poll(() => nameOf(live.router)).toBe("third");
  });
});
