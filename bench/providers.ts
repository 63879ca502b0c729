import { setTimeout as pause } from "node:timers/promises";

import { systemClock } from "../src/core/clock.ts";
import type { Model, ModelEvent } from "../src/core/model.ts";
import { createDoor } from "../src/egress/door.ts";
import { type ProviderCase, providerCases } from "../test/contract/provider-cases.ts";
import { type Ground, type Provider, providers } from "../test/contract/providers.ts";
import { openServer } from "../test/fakes/server.ts";
import { type BenchResult, type Figure, resultOf } from "./result.ts";

/** A case that takes longer waits for something that does not come. */
const patienceMs = 3000;

/** Loopback servers, and a door to each, that are closed together. */
function openGround(): { readonly ground: Ground; readonly close: () => Promise<void> } {
  const closing: (() => unknown)[] = [];
  const ground: Ground = {
    clock: systemClock,
    async start(listener) {
      const { origin, close } = await openServer(listener);
      closing.push(close);
      return origin;
    },
    door(origin) {
      const rules = [{ purpose: "model", origin, linksOut: false } as const];
      const record = (): Promise<void> => Promise.resolve();
      const door = createDoor({ clock: systemClock, rules, record, onUnrecorded: () => {} });
      closing.push(() => door.close());
      return door;
    },
  };
  return {
    ground,
    async close() {
      for (const end of closing) await end();
    },
  };
}

/** "pass", "not applicable" with its reason, or what went wrong. */
async function outcome(provider: Provider, one: ProviderCase): Promise<string> {
  const reason = provider.lacks[one.name];
  if (reason !== undefined) return `not applicable: ${reason}`;
  const done = new AbortController();
  const late = pause(patienceMs, "it never ends", { signal: done.signal }).catch(() => "");
  try {
    const said = await Promise.race([one.run(provider).then(() => "pass"), late]);
    return said === "pass" ? said : `FAIL: ${said}`;
  } catch (error) {
    return `FAIL: ${error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)}`;
  } finally {
    done.abort();
  }
}

/** A provider that is broken on purpose: it takes a stream that was cut for an answer, and hears no stop. */
function careless(provider: Provider): Provider {
  async function* stream(model: Model, ...[request]: Parameters<Model["stream"]>) {
    const events: AsyncIterable<ModelEvent> = model.stream(request, new AbortController().signal);
    for await (const event of events) {
      yield event.type === "stop" ? ({ type: "stop", reason: "end" } as const) : event;
    }
  }
  return {
    ...provider,
    async open(scenario, key) {
      const { model, aborted } = await provider.open(scenario, key);
      return { aborted, model: { ...model, stream: (...args) => stream(model, ...args) } };
    },
  };
}

const mustCatch = ["cancel in the middle", "stream cut", "error in the stream", "wrong key"];

async function controlFigures(provider: Provider): Promise<Figure[]> {
  const broken = careless(provider);
  const missed = [];
  for (const one of providerCases.filter(({ name }) => mustCatch.includes(name))) {
    if ((await outcome(broken, one)) === "pass") missed.push(one.name);
  }
  const value =
    missed.length === 0 ? `all ${mustCatch.length} caught` : `missed ${missed.join(", ")}`;
  const bound = { words: `all ${mustCatch.length} caught`, holds: missed.length === 0 };
  return [{ name: "negative control: a careless adapter", value, bound }];
}

/** Every case of the contract against every provider, on strict servers on loopback, with a provider broken on purpose as control. */
export async function run(): Promise<BenchResult> {
  const { ground, close } = openGround();
  try {
    const figures: Figure[] = [];
    const all = providers(ground);
    for (const provider of all) {
      for (const one of providerCases) {
        const value = await outcome(provider, one);
        const bound = { words: "pass", holds: !value.startsWith("FAIL") };
        figures.push({ name: `${provider.name}: ${one.name}`, value, bound });
      }
    }
    const [last] = all.slice(-1);
    if (last !== undefined) figures.push(...(await controlFigures(last)));
    return resultOf("providers", 0, figures);
  } finally {
    await close();
  }
}
