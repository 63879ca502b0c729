import { never } from "../../contract/ask.ts";
import type { RoutedEvent, Router } from "../../../src/core/router.ts";

import { runCase, type Verdict } from "./fault-case.ts";
import type { Breaks } from "./harness.ts";
import { matrix } from "./matrix.ts";

/** A router with one promise broken, and the rows that ought to notice. */
interface Control {
  readonly name: string;
  readonly breaks: Breaks;
  readonly rows: readonly number[];
}

/** A router of which only `stream` is another. */
function streaming(router: Router, stream: Router["stream"]): Router {
  return { ...router, stream };
}

/** The first deployment's own events, as a router gives them, and nobody else's. */
const retriesNothing: Breaks = ({ router, open }) =>
  streaming(router, async function* (ask, signal) {
    const model = await open("primary");
    yield { type: "chosen", deployment: "primary", tier: ask.tier, reason: "the only one" };
    yield* model.stream({ ...ask.build(model.limits), taskId: null }, signal);
  });

const cutIsWhole: Breaks = ({ router }) =>
  streaming(router, async function* (ask, signal) {
    for await (const event of router.stream(ask, signal)) {
      const isCut = event.type === "stop" && event.failure?.code === "model.truncated";
      yield isCut ? { type: "stop", reason: "end" } : event;
    }
  });

const hammerings = 40;

const hammers: Breaks = ({ router, open }) =>
  streaming(router, async function* (ask, signal) {
    let last: RoutedEvent | undefined;
    for (let i = 0; i < hammerings; i += 1) {
      const model = await open("primary");
      const request = { ...ask.build(model.limits), taskId: null };
      const events = await Array.fromAsync(model.stream(request, signal));
      last = events.at(-1);
      if (last?.type !== "stop" || last.failure?.code !== "model.rate-limit") break;
    }
    if (last !== undefined) yield last;
  });

const readsAhead: Breaks = ({ router }) =>
  streaming(router, async function* (ask, signal) {
    yield* await Array.fromAsync(router.stream(ask, signal));
  });

const staysAway: Breaks = ({ router, open }) => {
  const state = { failed: false };
  return streaming(router, async function* (ask, signal) {
    if (!state.failed) {
      for await (const event of router.stream(ask, signal)) {
        state.failed ||= event.type === "attempt" && event.attempt.outcome !== "ok";
        yield event;
      }
      return;
    }
    const model = await open("backup");
    yield { type: "chosen", deployment: "backup", tier: ask.tier, reason: "the other failed" };
    yield* model.stream({ ...ask.build(model.limits), taskId: null }, signal);
  });
};

const ignoresItsConsumer: Breaks = ({ router }) =>
  streaming(router, async function* (ask) {
    const events = router.stream(ask, never)[Symbol.asyncIterator]();
    // Never returned: what nobody reads any more goes on.
    for (let next = await events.next(); next.done !== true; next = await events.next()) {
      yield next.value;
    }
  });

const controls: readonly Control[] = [
  { name: "retries nothing", breaks: retriesNothing, rows: [1, 3, 6, 12, 15] },
  { name: "takes a cut stream for a whole answer", breaks: cutIsWhole, rows: [5, 6, 7] },
  { name: "hammers on 429", breaks: hammers, rows: [12, 13] },
  { name: "reads all before it gives any", breaks: readsAhead, rows: [29, 30] },
  { name: "never goes back to a deployment that failed", breaks: staysAway, rows: [37] },
  { name: "goes on when its consumer has left", breaks: ignoresItsConsumer, rows: [29] },
];

/** A control and the rows that found it out. */
export interface Caught {
  readonly name: string;
  /** Rows that the product passes and the broken router fails, with what they say. */
  readonly by: readonly Verdict[];
}

/** Runs a broken router on these rows; gives those that found it out. */
export async function runControl(
  name: string,
  rows: readonly number[],
  seed: number,
): Promise<Verdict[]> {
  const control = controls.find((one) => one.name === name);
  if (control === undefined) throw new Error(`There is no broken router that ${name}.`);
  const verdicts: Verdict[] = [];
  for (const fault of matrix.filter(({ row }) => rows.includes(row))) {
    verdicts.push(await runCase(fault, { seed, breaks: control.breaks }));
  }
  return verdicts.filter(({ passed }) => !passed);
}

/** Runs every broken router on its rows. A row that the product itself fails proves nothing and is left out. */
export async function runControls(real: readonly Verdict[], seed: number): Promise<Caught[]> {
  const passed = new Set(real.filter((verdict) => verdict.passed).map(({ row }) => row));
  const caught: Caught[] = [];
  for (const { name, rows } of controls) {
    const proving = rows.filter((row) => passed.has(row));
    caught.push({ name, by: await runControl(name, proving, seed) });
  }
  return caught;
}
