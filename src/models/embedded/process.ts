import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

import { AppError, type ErrorCode } from "#core/errors.ts";
import type { ModelRequest } from "#core/model.ts";
import type { Child, Spawn } from "#core/process.ts";

import { type Report, reportSchema } from "./protocol.ts";
import { createMailbox, type Mailbox, valuesOf } from "#core/mailbox.ts";

/** What is asked of a running engine. */
export type Question =
  | { readonly do: "answer"; readonly request: ModelRequest }
  | { readonly do: "count"; readonly texts: readonly string[] };

/** A report about a request, or that the process is gone. */
export type Answer =
  | Exclude<Report, { say: "ready" }>
  | { readonly say: "died"; readonly problem: string };

/** A process with a loaded model. */
export interface EngineProcess {
  /** Reports about one request until its last; `stop` asks for an early end. */
  ask(question: Question): {
    readonly answers: AsyncIterable<Answer>;
    readonly stop: () => void;
  };
  readonly alive: () => boolean;
  kill(): void;
}

/** What a process is started with. */
export interface EngineOptions {
  /** How people name the model. */
  readonly name: string;
  readonly file: string;
  readonly contextTokens: number;
  readonly spawn: Spawn;
  /** The child's whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The file of the child's program; default the one beside this. */
  readonly program?: string;
}

function failure(options: EngineOptions, code: ErrorCode, problem: string): AppError {
  const details = { model: options.name, problem };
  return new AppError(code, details);
}

function startChild({ spawn, env, program }: EngineOptions): Child {
  const file = program ?? fileURLToPath(new URL("child.ts", import.meta.url));
  return spawn({ command: process.execPath, args: [file], env, messages: true });
}

/** Where a process's reports go: to whoever waits for loading, or to the request of their id. */
function createPost(child: Child) {
  const boxes = new Map<number, Mailbox<Answer>>();
  const loading = Promise.withResolvers<Report | { say: "died"; problem: string }>();
  const state = { dead: false };
  child.onMessage((message) => {
    const report = reportSchema.safeParse(message).data;
    if (report === undefined) return child.kill("SIGKILL");
    if (!("id" in report) || report.id === undefined) loading.resolve(report);
    else boxes.get(report.id)?.put(report);
  });
  void child.exited.then(({ code, signal, error }) => {
    state.dead = true;
    const problem = error ?? (signal === null ? `exit code ${code}` : `signal ${signal}`);
    const died = { say: "died", problem } as const;
    loading.resolve(died);
    for (const box of boxes.values()) box.put(died);
  });
  return { boxes, loaded: loading.promise, state };
}

const lastWords: ReadonlySet<Answer["say"]> = new Set(["end", "failed", "counted", "died"]);

async function* untilLast(box: Mailbox<Answer>, done: () => void): AsyncGenerator<Answer> {
  try {
    for await (const answer of valuesOf(box)) {
      yield answer;
      if (lastWords.has(answer.say)) return;
    }
  } finally {
    done();
  }
}

/** Starts a process and loads the model in it; rejects with `engine.missing`, `model.damaged`, `model.memory` or `model.crashed`. */
export async function startEngine(
  options: EngineOptions,
  signal: AbortSignal,
): Promise<EngineProcess> {
  const child = startChild(options);
  const post = createPost(child);
  const counter = { last: 0 };
  const { file, contextTokens } = options;
  child.send({ do: "load", file, contextTokens, threads: availableParallelism() });
  const kill = (): void => child.kill("SIGKILL");
  signal.addEventListener("abort", kill, { once: true });
  const loaded = await post.loaded;
  signal.removeEventListener("abort", kill);
  if (loaded.say !== "ready") {
    kill();
    if (loaded.say === "failed") throw failure(options, loaded.code, loaded.problem);
    const problem = loaded.say === "died" ? loaded.problem : "it did not load";
    throw failure(options, "model.crashed", problem);
  }
  return {
    alive: () => !post.state.dead,
    kill,
    ask(question) {
      counter.last += 1;
      const id = counter.last;
      const box = createMailbox<Answer>();
      post.boxes.set(id, box);
      if (post.state.dead) box.put({ say: "died", problem: "it had ended" });
      child.send({ ...question, id });
      return {
        answers: untilLast(box, () => post.boxes.delete(id)),
        stop: () => child.send({ do: "stop", id }),
      };
    },
  };
}
