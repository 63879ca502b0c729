import type { Clock } from "#core/clock.ts";
import { budgetText } from "#core/cost.ts";
import { AppError } from "#core/errors.ts";
import type { ModelStop, ToolCall } from "#core/model.ts";
import type { Attempt, Chosen, Route } from "#core/route.ts";
import type { RouteAsk, RoutedEvent, Router } from "#core/router.ts";
import type { ModelStep, RouteRow, Step, Task, TaskEvent, UsageRow } from "#core/task.ts";

/** What a model call came to, whatever it was made for. */
export interface Called {
  readonly step: Step & ModelStep;
  readonly usage: readonly Attempt[];
  readonly routes: readonly Route[];
  readonly stop: ModelStop;
  /** Lines that the person must see with the answer. */
  readonly notices: readonly string[];
}

/** What a model call of a task came to. */
export interface ModelCall extends Called {
  readonly usage: readonly UsageRow[];
  readonly routes: readonly RouteRow[];
}

/** What is asked for a task. */
export type TaskAsk = RouteAsk & { readonly task: Pick<Task, "id"> };

/** Gathers a router's events into one step. */
function createGathering() {
  let text = "";
  let deployment = "";
  let toolCalls: ToolCall[] = [];
  let stop: ModelStop = { type: "stop", reason: "end" };
  const attempts: Attempt[] = [];
  const routes: Route[] = [];
  return {
    attempts,
    routes,
    notices: new Set<string>(),
    begin({ deployment: id, notice }: Chosen): void {
      if (notice !== undefined) this.notices.add(notice);
      deployment = id;
      text = "";
      toolCalls = [];
    },
    addText(piece: string): void {
      text += piece;
    },
    addCall(call: ToolCall): void {
      toolCalls.push(call);
    },
    end(event: ModelStop): void {
      stop = event;
    },
    result: () => ({ text, deployment, toolCalls, stop }),
  };
}

type Gathering = ReturnType<typeof createGathering>;

/** The events that a person watching sees. */
const shown: ReadonlySet<RoutedEvent["type"]> = new Set([
  "chosen",
  "text",
  "wait",
  "loading",
  "budget",
]);

function isShown(event: RoutedEvent): event is RoutedEvent & TaskEvent {
  return shown.has(event.type);
}

/** Takes up one event of a router. */
function take(gathering: Gathering, event: RoutedEvent): void {
  if (event.type === "chosen") gathering.begin(event);
  else if (event.type === "text") gathering.addText(event.text);
  else if (event.type === "toolCall") gathering.addCall(event.call);
  else if (event.type === "attempt") gathering.attempts.push(event.attempt);
  else if (event.type === "route") gathering.routes.push(event.route);
  else if (event.type === "notice") gathering.notices.add(event.text);
  else if (event.type === "budget") gathering.notices.add(budgetText(event));
  else if (event.type === "stop") gathering.end(event);
}

/** Makes one model call and says what it sees: yields `wait`, `chosen`, `text`, `budget` and `cut`, returns the finished step. */
export async function* askModel(
  deps: { readonly router: Router; readonly clock: Clock },
  ask: RouteAsk,
  signal: AbortSignal,
): AsyncGenerator<TaskEvent, Called> {
  const { router, clock } = deps;
  const startedAt = clock.now();
  const begun = clock.elapsed();
  const gathering = createGathering();
  for await (const event of router.stream(ask, signal)) {
    take(gathering, event);
    if (isShown(event)) yield event;
  }
  const { text, deployment, toolCalls, stop } = gathering.result();
  if (stop.reason === "length") yield { type: "cut" };
  return {
    step: {
      kind: "model",
      seq: ask.seq,
      startedAt,
      // The clock may be set in the middle; what a step took counts against its task's limit.
      finishedAt: startedAt + Math.round(clock.elapsed() - begun),
      deployment,
      text,
      toolCalls,
      stop: stop.reason,
    },
    usage: gathering.attempts,
    routes: gathering.routes,
    stop,
    notices: [...gathering.notices],
  };
}

/** What a call took, as the rows of a task's step. */
export function rowsOf(
  { usage, routes }: Pick<Called, "usage" | "routes">,
  of: Pick<UsageRow, "taskId" | "seq">,
): Pick<ModelCall, "usage" | "routes"> {
  return {
    usage: usage.map((attempt) => ({ ...attempt, ...of })),
    routes: routes.map((route) => ({ ...route, ...of })),
  };
}

/** Makes one model call for a step of a task, and says what it sees as `askModel` does. */
export async function* callModel(
  deps: { readonly router: Router; readonly clock: Clock },
  ask: TaskAsk,
  signal: AbortSignal,
): AsyncGenerator<TaskEvent, ModelCall> {
  const call = yield* askModel(deps, ask, signal);
  return { ...call, ...rowsOf(call, { taskId: ask.task.id, seq: ask.seq }) };
}

/** The failure of a call that gave neither words nor tool calls. */
export function emptyAnswer(call: ModelCall): AppError | undefined {
  const nothing = call.step.text.trim() === "" && call.step.toolCalls.length === 0;
  return nothing ? new AppError("task.empty", { model: call.step.deployment }) : undefined;
}
