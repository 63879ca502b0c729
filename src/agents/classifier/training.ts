import { Worker } from "node:worker_threads";

import type { ExampleSources } from "./examples.ts";

/** What a training is about. */
export interface Training {
  readonly sources: ExampleSources;
  /** Where the model is written, with the key it is written for. */
  readonly file: string;
  readonly key: string;
}

/** A training in a thread of its own, whose memory is given back with it. */
export interface RunningTraining {
  /** Resolves when the thread has ended: true when the file is written, false when it was stopped; rejects with its failure. */
  readonly done: Promise<boolean>;
  stop(): Promise<void>;
}

const mostMegabytes = 256;

/** Starts a training; the process lives until it is over or stopped. */
export function startTraining(training: Training): RunningTraining {
  const worker = new Worker(new URL("train-worker.ts", import.meta.url), {
    workerData: training,
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: mostMegabytes },
  });
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  worker.on("error", reject);
  worker.on("exit", (code) => resolve(code === 0));
  return {
    done: promise,
    stop: async () => {
      await worker.terminate();
    },
  };
}
