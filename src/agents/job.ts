import type { Agent } from "#core/agent.ts";
import type { TaskFiles } from "#core/attachments.ts";
import type { ChatStore } from "#core/chat-store.ts";
import type { ToolCall, ToolSpec } from "#core/model.ts";
import type { PersonSettings } from "#core/person.ts";
import type { Store } from "#core/store.ts";
import type { ChoiceStage, Step, Summary, Task, Turn, UsageRow } from "#core/task.ts";
import type { Tool } from "#core/tool.ts";
import { allSources, type Source, sourceOf } from "#core/trust.ts";

/** Most turns of a conversation that are looked at for a prompt. */
const turnLimit = 100;

/** A task with its agent, and what has been done for it so far. */
export interface Job {
  readonly task: Task;
  readonly agent: Agent;
  readonly tools: readonly Tool[];
  readonly specs: readonly ToolSpec[];
  readonly turns: readonly Turn[];
  readonly summary: Summary | undefined;
  readonly person: PersonSettings;
  /** True in a group. */
  readonly isShared: boolean;
  /** True where what was said before may hold the words of others. */
  readonly holdsOthers: boolean;
  readonly steps: Step[];
  readonly usage: UsageRow[];
  readonly notices: { readonly once: Set<string>; readonly always: Set<string> };
  files: TaskFiles;
  /** Turns that did not fit the last prompt, oldest first. */
  left: readonly Turn[];
}

/** What comes next for a task. */
export type Move =
  | { readonly do: "model" }
  | { readonly do: "tools"; readonly calls: readonly ToolCall[] }
  | { readonly do: "end"; readonly answer: string };

/**
 * What comes next, read off the steps alone: the same for a new task, one under way and one resumed after a crash. What a person
 * says goes before tool calls that are still to be made: the model decides anew.
 */
export function nextMove(steps: readonly Step[]): Move {
  if (steps.at(-1)?.kind === "person") return { do: "model" };
  const at = steps.findLastIndex((step) => step.kind === "model");
  const last = steps[at];
  if (last?.kind !== "model") return { do: "model" };
  const done = new Set(steps.slice(at).map((step) => (step.kind === "tool" ? step.callId : "")));
  const calls = last.toolCalls.filter((call) => !done.has(call.id));
  if (calls.length > 0) return { do: "tools", calls };
  return last.toolCalls.length > 0 ? { do: "model" } : { do: "end", answer: last.text };
}

/** Where all that a job's prompt may hold comes from. */
export function sourcesOf({ turns, summary, steps, files }: Job): Source[] {
  const fetched = steps.flatMap((step) =>
    step.kind === "tool" ? [sourceOf(step.origin), ...(step.sources ?? [])] : [],
  );
  const own = [sourceOf("instructions"), sourceOf("words")];
  const read = files.words === "" ? [] : [sourceOf("files")];
  const said = turns.map(({ sources }) => sources);
  return allSources(own, ...said, summary?.sources ?? [], read, fetched);
}

interface JobDeps {
  readonly store: Store & Pick<ChatStore, "chat">;
  readonly tools: readonly Tool[];
  /** The tools as a model is told of them. */
  readonly specs: readonly ToolSpec[];
}

/** What a job is offered by its agent. */
function toolsOf({ tools, specs }: Pick<JobDeps, "tools" | "specs">, agent: Agent) {
  return {
    tools: tools.filter(({ name }) => agent.tools.includes(name)),
    specs: specs.filter(({ name }) => agent.tools.includes(name)),
  };
}

/** The same job for another agent. */
export function handTo(
  deps: JobDeps,
  job: Job,
  { agent, chosenBy }: { readonly agent: Agent; readonly chosenBy: ChoiceStage },
): Job {
  const task = { ...job.task, agent: agent.name, chosenBy };
  return { ...job, task, agent, ...toolsOf(deps, agent) };
}

/** What has been done for a task, and what was said before it. */
export async function openJob(deps: JobDeps, task: Task, agent: Agent): Promise<Job> {
  const { store } = deps;
  const [steps, usage, summary, before, person, chat] = await Promise.all([
    store.steps(task.id),
    store.usage(task.id),
    store.summaryFor(task),
    store.turnsBefore(task, turnLimit),
    store.person(task.personId),
    store.chat(task.chatId),
  ]);
  const isShared = chat?.kind === "group";
  const covered = summary?.toMessage ?? 0;
  const turns = before.filter((turn) => turn.messageId > covered);
  return {
    task,
    agent,
    ...toolsOf(deps, agent),
    turns,
    summary,
    person,
    isShared,
    // Looked at after the turns were, so that none of them is missed.
    holdsOthers: isShared && (await store.holdsOthers(task)),
    steps,
    usage,
    notices: { once: new Set(), always: new Set() },
    files: { words: "", notice: "" },
    left: [],
  };
}
