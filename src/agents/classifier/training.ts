import { fileURLToPath } from "node:url";

import type { Spawn } from "#core/process.ts";

import type { ExampleSources } from "./examples.ts";

/** What a training is about. */
export interface Training {
  readonly sources: ExampleSources;
  /** Where the model is written, with the key it is written for. */
  readonly file: string;
  readonly key: string;
}

/** A training in a process of its own, whose memory is given back with it. */
export interface RunningTraining {
  /** Resolves when the process has ended: true when the file is written, false when it was stopped; rejects with its failure. */
  readonly done: Promise<boolean>;
  stop(): void;
}

const mostMegabytes = 256;

/** Starts a training. */
export function startTraining(spawn: Spawn, training: Training): RunningTraining {
  const file = fileURLToPath(new URL("train-child.ts", import.meta.url));
  const args = [`--max-old-space-size=${mostMegabytes}`, file];
  const child = spawn({ command: process.execPath, args, env: {}, messages: true });
  const state = { stopped: false, said: "" };
  child.onOutput((stream, text) => {
    if (stream === "stderr") state.said += text;
  });
  const { sources, ...rest } = training;
  const agents = sources.agents.map(({ name, examples }) => ({ name, examples }));
  child.send({ ...rest, sources: { ...sources, agents } });

  async function end(): Promise<boolean> {
    const { code, error } = await child.exited;
    if (state.stopped) return false;
    if (code === 0) return true;
    throw new Error(`the training ended with ${error ?? code}: ${state.said.slice(0, 500)}`);
  }

  return {
    done: end(),
    stop() {
      state.stopped = true;
      child.kill("SIGKILL");
    },
  };
}
