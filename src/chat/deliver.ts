import type { ChatPlatform, Sent, Target, Unsent } from "#core/chat.ts";
import type { Chat, ChatStore, OutboxPart } from "#core/chat-store.ts";
import type { Clock } from "#core/clock.ts";
import { shortId } from "#core/ids.ts";
import type { Log } from "#core/log.ts";

import { cardParts, type Platforms } from "./parts.ts";

/** What sending works with. */
export interface SenderDeps {
  readonly store: ChatStore;
  readonly platforms: Platforms;
  readonly clock: Clock;
  readonly log: Log;
}

/** One row on its way. */
export interface Delivery {
  readonly platform: ChatPlatform;
  readonly chat: Chat;
  readonly row: OutboxPart;
  readonly target: Target;
  /** True when nothing more is to be sent in this chat. */
  readonly isLast: boolean;
}

/** How long the chat, or every chat, waits before its next try; 0 is at once. */
export interface Wait {
  readonly ms: number;
  readonly everywhere: boolean;
  /** True where the platform asked for it. */
  readonly asked?: boolean;
  /** True where nobody is there to see it: the chat is left until it is woken. */
  readonly absent?: boolean;
  /** The message that is to be seen now. */
  readonly messageId?: string;
}

const firstPauseMs = 500;
const longestPauseMs = 60_000;
/** How often a message that vanishes is placed again before the part is given up. */
const placeLimit = 3;

const atOnce: Wait = { ms: 0, everywhere: false };

function pauseAfter(attempts: number): number {
  return Math.min(firstPauseMs * 2 ** Math.min(attempts, 10), longestPauseMs);
}

/** What is done about a part that was not sent; each gives how long to wait. */
function createRemedies({ store, log }: SenderDeps) {
  async function giveUp({ row, platform, chat }: Delivery, reason: string): Promise<Wait> {
    log.warn("message not sent", { chat: chat.id, part: row.id, reason });
    await store.dead(row.id, reason);
    if (row.taskId === null) return atOnce;
    const text = `A part of this answer could not be shown here (${reason}): agent show ${shortId(row.taskId)} has all of it.`;
    const to = { chatId: row.chatId, replyTo: row.replyTo, taskId: null };
    await store.addParts(cardParts(platform, { text }, to));
    return atOnce;
  }

  return {
    async unfit(delivery: Delivery, reason: string): Promise<Wait> {
      const { platform, row } = delivery;
      const simpler = platform.simpler({ body: row.body });
      if (simpler === undefined) return giveUp(delivery, reason);
      log.info("message sent in a simpler form", { chat: row.chatId, reason });
      await store.replacePart(row.id, simpler);
      return atOnce;
    },
    async missing(delivery: Delivery, reason: string): Promise<Wait> {
      const { row } = delivery;
      // A change of a message that is gone has nothing to change.
      if (row.isChange) {
        await store.dead(row.id, reason);
        return atOnce;
      }
      if (row.attempts >= placeLimit) return giveUp(delivery, reason);
      await Promise.all([store.placed(row.id, null), store.tried(row.id)]);
      return atOnce;
    },
    async closed({ chat }: Delivery, reason: string): Promise<Wait> {
      log.warn("chat cannot be written to", { chat: chat.id, reason });
      const open = await store.openParts(chat.id);
      await Promise.all(open.map(({ id }) => store.dead(id, reason)));
      return atOnce;
    },
    async moved({ platform, chat }: Delivery, to: string): Promise<Wait> {
      await store.moveChat(platform.name, chat.address, to);
      return atOnce;
    },
    async failed({ row, chat }: Delivery, reason: string): Promise<Wait> {
      await store.tried(row.id);
      const ms = pauseAfter(row.attempts);
      log.info("message is tried again", { chat: chat.id, waitMs: ms, reason });
      return { ms, everywhere: false };
    },
  };
}

/** Platforms number messages in whole numbers that grow, some beyond what a number holds exactly. */
function isNewer(one: string, other: string): boolean {
  return one.length === other.length ? one > other : one.length > other.length;
}

/**
 * Takes a row to its end, or as far as it goes: a placeholder, its id stored, then the text by edit. An edit may be repeated and a
 * placeholder says nothing, so that no crash and no lost response shows an answer twice.
 */
export function createDeliver(deps: SenderDeps): (delivery: Delivery) => Promise<Wait> {
  const { store, clock } = deps;
  const remedies = createRemedies(deps);
  const startedAt = clock.now();
  const unsure = new Set<number>();

  async function remedy(delivery: Delivery, why: Unsent): Promise<Wait> {
    if (why.type === "later") {
      return { ms: why.waitMs, everywhere: why.everywhere, asked: true };
    }
    if (why.type === "absent") return { ...atOnce, absent: true };
    if (why.type === "moved") return remedies.moved(delivery, why.to);
    if (why.type === "unreached" || why.type === "unknown")
      return remedies.failed(delivery, why.reason);
    return remedies[why.type](delivery, why.reason);
  }

  /** The row's message: the one it has, one that an unclear try left behind, or a new placeholder. */
  async function place({ platform, row, target }: Delivery): Promise<Sent> {
    if (row.messageId !== null) return { ok: true, messageId: row.messageId };
    const { replyTo: floor } = row;
    const mayBeThere = row.createdAt < startedAt || unsure.has(row.id);
    if (floor !== null && mayBeThere && platform.findPlaced !== undefined) {
      const { ids: known, last } = await store.knownMessages(row.chatId, floor);
      // A placeholder that is older than an earlier part's message was that part's: it replies to another message.
      const from = last !== null && isNewer(last, floor) ? last : floor;
      const found = await platform.findPlaced(target, { floor: from, known });
      if (found !== undefined) return { ok: true, messageId: found };
    }
    return platform.place(target);
  }

  return async (delivery) => {
    const { platform, row, target } = delivery;
    const placed = await place(delivery);
    if (!placed.ok) {
      if (placed.why.type === "unknown") unsure.add(row.id);
      return remedy(delivery, placed.why);
    }
    unsure.delete(row.id);
    const { messageId } = placed;
    // Before its id is stored nothing of the answer may be seen: a crash would then answer twice.
    if (row.messageId === null) await store.placed(row.id, messageId);
    const edited = await platform.edit(target, messageId, { body: row.body });
    if (!edited.ok) return remedy({ ...delivery, row: { ...row, messageId } }, edited.why);
    await store.sent(row, delivery.isLast ? "soon" : "now");
    return { ...atOnce, messageId };
  };
}
