import type { Task } from "../../src/core/task.ts";

/** A task that was answered, with any part changed. */
export function makeTask(own: Partial<Task> = {}): Task {
  return {
    id: "01M86MDKGTFGP2C4",
    chatId: "terminal:main",
    personId: "owner",
    conversation: 1,
    state: "done",
    agent: "assistant",
    chosenBy: "default",
    tier: null,
    input: "hi",
    output: "Whole.",
    failure: null,
    createdAt: 0,
    finishedAt: 1,
    localOnly: false,
    replyTo: null,
    avoid: null,
    ...own,
  };
}
