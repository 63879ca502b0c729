import path from "node:path";

import { knownCost, knownTokens } from "#core/cost.ts";
import { AppError, type ErrorCode, type Failure } from "#core/errors.ts";
import { createMailbox, valuesOf } from "#core/mailbox.ts";
import { owner } from "#core/person.ts";
import type { TaskRecord } from "#core/operations.ts";
import type { Stats } from "#core/store.ts";
import type { Task, TaskEvent } from "#core/task.ts";

import { openProgram } from "./app.ts";
import { createOwnRedactor, findFolders, readVersion } from "./config.ts";

/** How an agent is opened. */
export interface AgentOptions {
  /** Where all that is the owner's lies; default AGENT_HOME, else ~/.personal-ai-agent (in a checkout: the checkout). */
  readonly home?: string;
  /** The conversation that requests belong to; lower-case letters, digits and hyphens. Default "main". */
  readonly chat?: string;
  /** Told of what a person should see, for example that a stand-in answers. */
  readonly onNotice?: (line: string) => void;
}

/** A request to the agent. */
export interface RunRequest {
  readonly input: string;
  /** fast, smart or cloud; default the agent's own. */
  readonly tier?: string;
  /** An agent's name; default the usual choice. */
  readonly agent?: string;
  /** Begins a new conversation with this request. */
  readonly newConversation?: boolean;
  /** Nothing of this request goes to a cloud, whatever was allowed. */
  readonly localOnly?: boolean;
  /** Stops the task; what was done is kept. */
  readonly signal?: AbortSignal;
}

/** The answer to a request. Tokens and cost are null where they are not known; they are never guessed. */
export interface RunResult {
  readonly taskId: string;
  readonly output: string;
  /** The deployment that answered, for example ollama-qwen3-8b. */
  readonly model: string | null;
  readonly tier: string | null;
  /** Of all model calls of the task. */
  readonly promptTokens: number | null;
  readonly answerTokens: number | null;
  /** US dollars; 0 for a model at home. */
  readonly costUsd: number | null;
}

/** A request that got no answer. `message` is one sentence with the fix. */
export class AgentError extends Error {
  readonly code: ErrorCode;
  /** The task, to be found in `history`; absent when the request was not taken. */
  readonly taskId: string | undefined;

  constructor(
    { code, sentence }: Failure,
    options: ErrorOptions & { readonly taskId?: string | undefined } = {},
  ) {
    super(sentence, options);
    this.name = "AgentError";
    this.code = code;
    this.taskId = options.taskId;
  }
}

/** An agent. Beside another process that holds the same home (a service, a chat) its requests become tasks of that one. */
export interface PersonalAgent extends AsyncDisposable {
  /** Answers one request. Rejects with an AgentError, or with the signal's reason when it was stopped. */
  run(request: RunRequest): Promise<RunResult>;
  /**
   * The same, event by event; the last one is `end`. Rejects as `run` does, but a task that ended without an answer is told by its
   * `end`. Ending the iteration stops the task.
   */
  stream(request: RunRequest): AsyncIterable<TaskEvent>;
  /** Earlier tasks, newest first. */
  history(query?: { readonly limit?: number; readonly search?: string }): Promise<Task[]>;
  /** All that is known of one task, by its id or the end of it. */
  show(taskId: string): Promise<TaskRecord>;
  /** Totals of the last days; default 30. */
  stats(query?: { readonly days?: number }): Promise<Stats>;
  /** Ends what was begun and gives the data back. */
  close(): Promise<void>;
}

export type { Stats, Task, TaskEvent, TaskRecord };

function asAgentError(error: unknown): unknown {
  return error instanceof AppError ? new AgentError(error.failure, { cause: error }) : error;
}

/** Where the program lies: the sources are in src, the package has them in dist/src. */
function programRoot(): string {
  const above = path.join(import.meta.dirname, "..");
  return path.basename(above) === "dist" ? path.join(above, "..") : above;
}

async function open(options: AgentOptions) {
  const root = programRoot();
  const notice = options.onNotice ?? (() => {});
  try {
    return await openProgram({
      folders: findFolders(root, options.home),
      redactor: createOwnRedactor(),
      version: await readVersion(root),
      kind: "program",
      person: { notice, progress: () => {} },
    });
  } catch (error) {
    throw asAgentError(error);
  }
}

function resultOf(task: TaskRecord): RunResult {
  const answered = task.usage.findLast((row) => row.outcome === "ok");
  return {
    taskId: task.id,
    output: task.output ?? "",
    model: answered?.deployment ?? null,
    tier: answered?.tier ?? null,
    promptTokens: knownTokens(task.usage, "promptTokens"),
    answerTokens: knownTokens(task.usage, "answerTokens"),
    costUsd: knownCost(task.usage),
  };
}

/** Throws for a task that ended without an answer. */
function checkEnd(task: Task, signal: AbortSignal | undefined): void {
  if (task.state === "cancelled") {
    signal?.throwIfAborted();
    throw new AgentError(new AppError("task.cancelled").failure, { taskId: task.id });
  }
  if (task.failure !== null) throw new AgentError(task.failure, { taskId: task.id });
}

/** Opens the agent of a home. */
export async function createAgent(options: AgentOptions = {}): Promise<PersonalAgent> {
  const services = await open(options);
  const { operations } = services;
  const chatId = `api:${options.chat ?? "main"}`;
  const earlier: { resumed?: Promise<void> } = {};

  async function guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw asAgentError(error);
    }
  }

  async function ask(request: RunRequest, onEvent?: (event: TaskEvent) => void): Promise<Task> {
    if (request.input.trim() === "") throw new AgentError(new AppError("usage.empty").failure);
    // What an earlier process left open goes on beside the new request; its failures are its own.
    earlier.resumed ??= services.resume({}).catch(() => undefined);
    const { input: words, tier, agent, newConversation, localOnly, signal } = request;
    const watch = { ...(onEvent === undefined ? {} : { onEvent }), ...(signal ? { signal } : {}) };
    const how = { tier, agent, newConversation, localOnly };
    return guarded(() => operations.ask({ chatId, personId: owner, words, ...how }, watch));
  }

  async function* stream(request: RunRequest): AsyncGenerator<TaskEvent> {
    const left = new AbortController();
    const signal = AbortSignal.any([left.signal, ...(request.signal ? [request.signal] : [])]);
    const events = createMailbox<TaskEvent>();
    const done = ask({ ...request, signal }, (event) => events.put(event)).finally(() =>
      events.close(),
    );
    done.catch(() => undefined);
    try {
      yield* valuesOf(events);
      await done;
    } finally {
      left.abort();
    }
  }

  return {
    stream,
    async run(request) {
      const task = await ask(request);
      checkEnd(task, request.signal);
      return resultOf(await guarded(() => operations.task({ ending: task.id })));
    },
    history: ({ limit = 20, search } = {}) =>
      guarded(() => operations.tasks({ limit, search, personId: owner })),
    show: (taskId) => guarded(() => operations.task({ ending: taskId })),
    stats: ({ days = 30 } = {}) => guarded(() => operations.stats({ days })),
    close: () => services.close(),
    [Symbol.asyncDispose]: () => services.close(),
  };
}
