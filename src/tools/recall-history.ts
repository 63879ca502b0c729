import { z } from "zod";

import type { ChatStore } from "#core/chat-store.ts";
import type { Store } from "#core/store.ts";
import type { Task } from "#core/task.ts";
import type { Tool } from "#core/tool.ts";

const input = z.strictObject({
  words: z.string().min(1).max(200).describe("words that the earlier request or answer holds"),
  limit: z.int().min(1).max(10).default(5),
});

const excerptLength = 300;

function excerpt(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length <= excerptLength ? line : `${line.slice(0, excerptLength)}...`;
}

function describe(task: Task): string {
  const day = new Date(task.createdAt).toISOString().slice(0, 16).replace("T", " ");
  return `[${day} UTC] asked: ${excerpt(task.input)}\nanswered: ${excerpt(task.output ?? "(nothing)")}`;
}

/**
 * Finds the person's own earlier requests and answers by full text; in a group those of this group alone. What was asked to stay at home
 * is not found: what it is found for may go further. What is found keeps where it came from.
 */
export function createRecallHistoryTool(
  store: Pick<Store, "tasks" | "sourcesOf"> & Pick<ChatStore, "chat">,
): Tool<z.infer<typeof input>> {
  return {
    name: "recall_history",
    description: "Search the person's earlier requests and your answers, by words.",
    input,
    risk: "read",
    gives: "memories",
    run: async ({ words, limit }, { personId, chatId, taskId }) => {
      const chat = await store.chat(chatId);
      const where = chat?.kind === "group" ? { chatId } : {};
      const own = { search: words, limit, personId, ...where, except: taskId, toldIn: chatId };
      const found = await store.tasks(own);
      if (found.length === 0) return "Nothing found.";
      const sources = await store.sourcesOf(found.map(({ id }) => id));
      return { text: found.map(describe).join("\n\n"), sources };
    },
  };
}
