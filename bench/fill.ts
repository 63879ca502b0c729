import type { Store } from "../src/core/store.ts";

const batch = 1000;
const chats = Array.from({ length: 50 }, (_, i) => `terminal:old-${i}`);

async function addTask(store: Store, number: number): Promise<void> {
  const task = await store.createTask({
    chatId: chats[number % chats.length] ?? "",
    personId: "owner",
    agent: "assistant",
    chosenBy: "default",
    tier: null,
    input: `Earlier request ${number} about topic ${number % 97} and ${(number * 31) % 1009}`,
    newConversation: false,
  });
  const text = `An earlier answer on topic ${number % 97}`;
  const at = { seq: 1, startedAt: task.createdAt };
  await store.finishTask({
    taskId: task.id,
    state: "done",
    output: text,
    failure: null,
    sources: [],
    routes: [],
    steps: [
      {
        ...at,
        kind: "model",
        finishedAt: task.createdAt + 10,
        deployment: "scripted",
        text,
        toolCalls: [],
        stop: "end",
      },
    ],
    usage: [
      {
        ...at,
        id: `attempt-${number}`,
        taskId: task.id,
        deployment: "scripted",
        tier: "local-fast",
        reason: "a bench",
        outcome: "ok",
        queuedMs: 0,
        durationMs: 10,
        promptTokens: 100,
        answerTokens: 10,
        costUsd: 0,
      },
    ],
  });
}

/** Stores so many ended tasks, each with a step and its usage, spread over fifty chats. */
export async function fill(store: Store, count: number): Promise<void> {
  const platform = "terminal";
  await Promise.all(chats.map((id) => store.ensureChat({ id, platform, personId: "owner" })));
  for (let done = 0; done < count; done += batch) {
    await Promise.all(Array.from({ length: batch }, (_, i) => addTask(store, done + i)));
  }
}
