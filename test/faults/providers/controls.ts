import { never } from "../../contract/ask.ts";
import type { RoutedEvent, Router } from "../../../src/core/router.ts";
import type { Profile } from "../../fakes/providers/failover.ts";

import { runFault, type Score, type Scored } from "./failover.ts";
import { failoverFaults } from "./failover-faults.ts";
import { runCase, type Verdict } from "./fault-case.ts";
import type { Breaks } from "./harness.ts";
import { matrix } from "./matrix.ts";

/** A router with one promise broken, and the rows that ought to notice. */
interface Control {
  readonly name: string;
  readonly breaks: Breaks;
  readonly rows: readonly number[];
  /** Faults of Failover Bench that ought to notice as well. */
  readonly faults: readonly string[];
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
  { name: "retries nothing", breaks: retriesNothing, rows: [1, 3, 6, 12, 15], faults: ["S04"] },
  {
    name: "takes a cut stream for a whole answer",
    breaks: cutIsWhole,
    rows: [5, 6, 7],
    faults: ["S08"],
  },
  { name: "hammers on 429", breaks: hammers, rows: [12, 13], faults: ["S02"] },
  { name: "reads all before it gives any", breaks: readsAhead, rows: [29, 30], faults: [] },
  {
    name: "never goes back to a deployment that failed",
    breaks: staysAway,
    rows: [37],
    faults: [],
  },
  {
    name: "goes on when its consumer has left",
    breaks: ignoresItsConsumer,
    rows: [29],
    faults: [],
  },
];

/** A control and what found it out. */
export interface Caught {
  readonly name: string;
  /** Rows that the product passes and the broken router fails, and faults that it scores worse in. */
  readonly by: readonly string[];
}

/** What the product itself came to. */
export interface Real {
  readonly verdicts: readonly Verdict[];
  readonly scored: readonly Scored[];
}

const order: readonly Score[] = ["pass", "partial", "safe", "fail"];

/** The faults in which a broken router scores worse than the product. */
async function worseFaults(
  { breaks, faults }: Control,
  scored: readonly Scored[],
  profile: Profile,
): Promise<string[]> {
  const played = failoverFaults.filter(({ id }) => faults.includes(id));
  const results = await Promise.all(played.map((fault) => runFault(fault, profile, breaks)));
  return results.flatMap(({ id, score }) => {
    const real = scored.find((one) => one.id === id);
    const isWorse = real !== undefined && order.indexOf(score) > order.indexOf(real.score);
    return isWorse ? [id] : [];
  });
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

/** Runs every broken router on its rows and faults. A row that the product itself fails proves nothing and is left out. */
export async function runControls(
  real: Real,
  how: { readonly seed: number; readonly profile: Profile },
): Promise<Caught[]> {
  const passed = new Set(real.verdicts.filter((one) => one.passed).map(({ row }) => row));
  const caught: Caught[] = [];
  for (const control of controls) {
    const { name, rows } = control;
    const proving = rows.filter((row) => passed.has(row));
    const found = await runControl(name, proving, how.seed);
    const worse = await worseFaults(control, real.scored, how.profile);
    caught.push({ name, by: [...found.map(({ row }) => `row ${row}`), ...worse] });
  }
  return caught;
}
