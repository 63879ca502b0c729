import type { Api } from "grammy";

import type { Ghosts } from "#core/chat.ts";

import { isUnmodified, isRefused } from "./failures.ts";

/** A stray message is among the first after the last that is known. */
const mostProbes = 10;

/**
 * Looks for a message of ours that nobody knows the number of: an edit that changes nothing is answered with "not modified" for a
 * message of ours alone. Never by deleting, since a bot may delete a person's messages.
 */
export async function findGhost(
  api: Api,
  chat: number,
  { floor, known }: Ghosts,
): Promise<string | undefined> {
  const first = Number(floor) + 1;
  const ids = Array.from({ length: mostProbes + known.size }, (_, at) => String(first + at));
  for (const id of ids.filter((one) => !known.has(one)).slice(0, mostProbes)) {
    try {
      await api.raw.editMessageReplyMarkup({ chat_id: chat, message_id: Number(id) });
    } catch (error) {
      if (isUnmodified(error)) return id;
      // Without an answer, or told to wait, more questions would only be in the way.
      if (!isRefused(error)) return undefined;
    }
  }
  return undefined;
}
