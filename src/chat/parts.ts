import type { ChatPlatform, NewPart, Saying } from "#core/chat.ts";
import type { Task } from "#core/task.ts";

/** The platforms by name. */
export type Platforms = ReadonlyMap<string, ChatPlatform>;

/** The name of the platform in a chat's id. */
export function platformOf(chatId: string): string {
  return chatId.slice(0, chatId.indexOf(":"));
}

/** What a person reads of an ended task: the answer, what there was of it when it was stopped, or why there is none. */
function wordsOf({ state, output, failure }: Task): string {
  if (state === "done") return output ?? "";
  const said = state === "cancelled" ? "Stopped." : (failure?.sentence ?? "");
  return output === null ? said : `${output}\n\n${said}`;
}

/** The visible messages of a saying, each a row for the outbox. */
export function partsFor(
  platform: ChatPlatform,
  saying: Saying,
  to: Pick<NewPart, "chatId" | "taskId" | "replyTo">,
): NewPart[] {
  return platform.render(saying).map(({ body }, part) => ({ ...to, part, body }));
}

/** Makes the parts of ended tasks; none for a chat of no platform. */
export function createPartsOf(
  platforms: Platforms,
): (ended: Task, notice?: string) => readonly NewPart[] {
  return (ended, notice = "") => {
    const platform = platforms.get(platformOf(ended.chatId));
    if (platform === undefined) return [];
    const { chatId, id: taskId, replyTo } = ended;
    const footer = notice === "" ? {} : { footer: notice };
    const saying: Saying = { type: "answer", markdown: wordsOf(ended), ...footer };
    return partsFor(platform, saying, { chatId, taskId, replyTo });
  };
}
