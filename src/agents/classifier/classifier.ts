import path from "node:path";

import type { Clock } from "#core/clock.ts";
import { lazily } from "#core/lazy.ts";
import type { Log } from "#core/log.ts";
import type { Spawn } from "#core/process.ts";

import { type ExampleSources, keyOf } from "./examples.ts";
import { abstained, type Classification, classifyWith, type Model } from "./model.ts";
import { readModel } from "./read-model.ts";
import { type RunningTraining, startTraining } from "./training.ts";
import { formatVersion } from "./write-model.ts";

/** What the classifier is made from. */
export interface ClassifierPorts {
  /** The folder of its cache. */
  readonly folder: string;
  /** The program's version: another one may have other phrasings. */
  readonly version: string;
  /** Asked at every `prepare`, for what holds then. */
  readonly sources: () => Promise<ExampleSources>;
  readonly spawn: Spawn;
  /** Milliseconds that the first training waits, so that the first answers have the machine; null for a process that trains nothing. */
  readonly trainsAfterMs: number | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** Tells from a text's words which agent it is for, and abstains where it is not sure. */
export interface Classifier {
  /**
   * Sees to it that there is a model of what holds now: at the start, and when examples or the owner's corrections have changed, for
   * which nothing is waited for. Reads a file where it fits, else trains for seconds in a process of its own; resolves when that is over, with true where there is such a
   * model. Until then the one before is asked. Never rejects: a training that fails is logged, and the classifier abstains.
   */
  readonly prepare: () => Promise<boolean>;
  /** What the words say; abstains without votes until a model is there. Never rejects. */
  readonly classify: (text: string) => Promise<Classification>;
  /** Ends a training that runs. */
  readonly close: () => Promise<void>;
}

/** The classifier's cache within its folder. */
export const cacheName = "classifier.bin";

type Load = () => Promise<Model | undefined>;

const noModel: Load = () => Promise.resolve(undefined);

/** The model that holds now, found or trained. */
function createKeeper(ports: ClassifierPorts) {
  const { folder, version, sources, spawn, clock, log } = ports;
  const file = path.join(folder, cacheName);
  const state = { load: noModel };
  const closing = new AbortController();
  const hurry = new AbortController();
  const running = new Set<RunningTraining>();
  const fromFile = (key: string): Load => lazily(() => readModel(file, key));

  async function train(from: ExampleSources, key: string, afterMs: number): Promise<boolean> {
    await clock.sleep(afterMs, hurry.signal);
    if (closing.signal.aborted) return false;
    const begun = clock.elapsed();
    const training = startTraining(spawn, { sources: from, file, key });
    running.add(training);
    const written = await training.done.finally(() => running.delete(training));
    if (!written) return false;
    log.info("The classifier was trained.", {
      seconds: Math.round((clock.elapsed() - begun) / 100) / 10,
    });
    state.load = fromFile(key);
    return true;
  }

  async function refresh(): Promise<boolean> {
    try {
      const from = await sources();
      const key = await keyOf(from, `${formatVersion} ${version}`);
      const load = fromFile(key);
      const fits = (await load()) !== undefined;
      if (fits) state.load = load;
      const { trainsAfterMs: afterMs } = ports;
      return fits || (afterMs !== null && (await train(from, key, afterMs)));
    } catch (error) {
      state.load = noModel;
      log.bug(error);
      return false;
    }
  }

  async function stop(): Promise<void> {
    closing.abort();
    hurry.abort();
    for (const training of running) training.stop();
    await Promise.allSettled([...running].map(({ done }) => done));
  }

  return { state, refresh, hurry: () => hurry.abort(), stop };
}

/** Makes a classifier; nothing is read or trained before it is asked to. */
export function createClassifier(ports: ClassifierPorts): Classifier {
  const keeper = createKeeper(ports);
  const queue: { last: Promise<boolean> | undefined } = { last: undefined };

  function prepare(): Promise<boolean> {
    // One after the other: the later one sees what holds then.
    if (queue.last !== undefined) keeper.hurry();
    queue.last = (queue.last ?? Promise.resolve(false)).then(keeper.refresh);
    return queue.last;
  }

  return {
    prepare,
    async classify(text) {
      const { load } = keeper.state;
      const model = await load();
      if (model !== undefined) return classifyWith(model, text);
      // The file has been damaged since it was written.
      if (load !== noModel && load === keeper.state.load) {
        keeper.state.load = noModel;
        void prepare();
      }
      return abstained;
    },
    async close() {
      await keeper.stop();
      await queue.last;
    },
  };
}
