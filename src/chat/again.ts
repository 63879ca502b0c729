import type { ChatStore } from "#core/chat-store.ts";
import type { TierName } from "#core/route.ts";
import type { Runner } from "#core/runner.ts";
import type { Store } from "#core/store.ts";
import type { Task } from "#core/task.ts";

import type { Work } from "./work.ts";

/** What asking again works with. */
export interface AgainDeps {
  readonly store: Store & ChatStore;
  readonly runner: Runner;
  readonly work: Work;
}

/** By whom, where and by which update a task's words are asked again. */
export interface Again {
  readonly chatId: string;
  readonly personId: string;
  readonly update: number;
  readonly agent: string;
  /** The deployment that is to be tried last. */
  readonly avoid: string | null;
  /** The tier that is asked now; absent for the one that was asked for before. */
  readonly tier?: TierName | undefined;
}

/**
 * Asks a task's words again as a new task of the same person, whose words they stay, whoever wants it; it answers the same message.
 * Rejects with `usage.unknown-agent`.
 */
export async function askAgain(
  { store, runner, work }: AgainDeps,
  task: Task,
  { chatId, personId, update, agent, avoid, tier }: Again,
): Promise<void> {
  const { input, replyTo, localOnly } = task;
  const words = { chatId, personId: task.personId, words: input, agent, localOnly };
  // Whoever asked chose it for those words; what another one presses does not choose it for them.
  const asked = personId === task.personId ? task.tier : null;
  const chosen = await runner.choose(words);
  const next = { ...chosen, input, tier: tier ?? asked, replyTo, avoid, update };
  work.begin(await store.askAgain(next, { taskId: task.id, personId }));
}
