import type { Away } from "#core/chat.ts";
import type { Received } from "#core/chat-store.ts";

import { awayWords } from "./away.ts";
import { cardParts } from "./parts.ts";
import type { ChatsDeps } from "./replies.ts";
import type { Sender } from "./sender.ts";

/** Counts what was caught up after an outage, and tells each chat of it once, before its answers. */
export function createCaughtUp({ store, people, platforms }: ChatsDeps, sender: Sender) {
  const counts = new Map<string, { readonly received: Received; messages: number }>();

  async function tell(away: Away, { event }: Received, messages: number): Promise<void> {
    if (event.type !== "message") return;
    const standing = await people.authorise(event.from, event.place);
    const platform = platforms.get(event.place.platform);
    if (standing.role === "stranger" || platform === undefined) return;
    const { timeZone } = await store.person(standing.personId);
    const { id: chatId } = await store.chatAt(event.place, standing.personId);
    const text = awayWords(away, messages, timeZone);
    await store.addParts(cardParts(platform, { text }, { chatId, taskId: null, replyTo: null }));
    sender.wake(chatId);
  }

  return {
    /** A batch that was kept for us has been stored. */
    async add(fresh: readonly Received[], away: Away): Promise<void> {
      for (const received of fresh) {
        const { event } = received;
        if (event.type !== "message" || !event.addressed) continue;
        const { platform, address } = event.place;
        const known = counts.get(`${platform}:${address}`);
        if (known === undefined) counts.set(`${platform}:${address}`, { received, messages: 1 });
        else known.messages += 1;
      }
      if (away.more) return;
      const all = [...counts.values()];
      counts.clear();
      for (const { received, messages } of all) await tell(away, received, messages);
    },
  };
}
