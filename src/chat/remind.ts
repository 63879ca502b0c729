import { platformOf, questionParts } from "./parts.ts";
import type { ChatsDeps } from "./replies.ts";

/** Draws the questions of a chat that wait for their answer once more, apart from those whose card has not been sent yet. */
export async function remind(
  { store, platforms }: Pick<ChatsDeps, "store" | "platforms">,
  chatId: string,
): Promise<void> {
  const platform = platforms.get(platformOf(chatId));
  if (platform === undefined) return;
  const unsent = (await store.openParts(chatId)).filter(({ taskId }) => taskId === null);
  for (const question of await store.openQuestions({ chatId })) {
    const task = await store.task(question.taskId);
    // A card stands beside its task's answer, as a reply to the same message.
    if (task === undefined || unsent.some(({ replyTo }) => replyTo === task.replyTo)) continue;
    await store.addParts(questionParts(platform, question, task));
  }
}
