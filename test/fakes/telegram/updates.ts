import type { Clock } from "../../../src/core/clock.ts";

import { Refusal } from "./refusal.ts";
import type { Update } from "./world.ts";

/** What a bot asks for when it polls. */
export interface Poll {
  readonly offset?: number | undefined;
  readonly limit?: number | undefined;
  readonly timeout?: number | undefined;
  readonly allowed_updates?: readonly string[] | undefined;
}

/** The updates of a bot, until it has confirmed them. */
export interface Updates {
  put(update: Readonly<Record<string, unknown>>): void;
  /** Holds until there is something, its time is over or the client goes away. */
  poll(asked: Poll, gone: AbortSignal): Promise<readonly Update[]>;
  /** Those that were confirmed come once more with the next answer. */
  repeat(): void;
  /** The next answer gives the updates of different chats in another order; those of one chat keep theirs. */
  shuffle(random: () => number): void;
  /** The next update has a number of its own choice, as after a week of silence. */
  jump(to: number): void;
  /** How many wait. */
  waiting(): number;
}

/** Kinds that come only when they are named. */
const unasked = new Set(["chat_member", "message_reaction", "message_reaction_count"]);

/** Only the newest of what was confirmed comes again. */
const mostRepeated = 200;

interface Held {
  readonly wake: () => void;
  readonly refuse: (refusal: Refusal) => void;
}

function chatOf(update: Update): unknown {
  const body = Object.values(update).find((value) => typeof value === "object");
  const inner: unknown =
    body !== undefined && body !== null && "message" in body ? body.message : body;
  if (typeof inner !== "object" || inner === null || !("chat" in inner)) return undefined;
  const { chat } = inner;
  return typeof chat === "object" && chat !== null && "id" in chat ? chat.id : undefined;
}

/** The places of each chat are dealt out anew; within a chat the order stays. */
function dealt(updates: readonly Update[], random: () => number): Update[] {
  const piles = new Map<unknown, Update[]>();
  for (const update of updates) {
    const chat = chatOf(update);
    piles.set(chat, [...(piles.get(chat) ?? []), update]);
  }
  const given: Update[] = [];
  while (piles.size > 0) {
    const keys = [...piles.keys()];
    const key = keys[Math.floor(random() * keys.length)];
    const pile = piles.get(key) ?? [];
    given.push(...pile.splice(0, 1));
    if (pile.length === 0) piles.delete(key);
  }
  return given;
}

/** An empty queue. */
export function createUpdates(clock: Clock): Updates {
  let waiting: Update[] = [];
  let confirmed: Update[] = [];
  let again: Update[] = [];
  let next = 1000;
  let allowed: ReadonlySet<string> | undefined;
  let held: Held | undefined;
  let deal: (() => number) | undefined;

  function isAllowed(update: Readonly<Record<string, unknown>>): boolean {
    const [kind = ""] = Object.keys(update);
    return allowed?.has(kind) ?? !unasked.has(kind);
  }

  /** Confirms what lies before the offset. One from beyond the newest means nothing. */
  function confirm(offset: number): void {
    if (offset < 0) {
      const kept = waiting.slice(offset);
      confirmed.push(...waiting.slice(0, waiting.length - kept.length));
      waiting = kept;
    } else if (offset > 0 && offset <= next) {
      const at = waiting.findIndex(({ update_id: id }) => id >= offset);
      confirmed.push(...waiting.splice(0, at === -1 ? waiting.length : at));
    }
  }

  function take(limit: number): readonly Update[] {
    const repeated = again.splice(0, limit);
    const batch = [...repeated, ...waiting.slice(0, limit - repeated.length)];
    if (deal === undefined || batch.length < 2) return batch;
    const given = dealt(batch, deal);
    deal = undefined;
    return given;
  }

  /** Resolves when there is something, or at the end of the time. */
  function hold(seconds: number, gone: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const over = new AbortController();
      const end = (): void => {
        gone.removeEventListener("abort", end);
        over.abort();
        if (held === mine) held = undefined;
        resolve();
      };
      const refuse = (refusal: Refusal): void => {
        reject(refusal);
        end();
      };
      const mine: Held = { wake: end, refuse };
      held = mine;
      gone.addEventListener("abort", end, { once: true });
      void clock.sleep(seconds * 1000, over.signal).then(end);
    });
  }

  return {
    put(update) {
      if (!isAllowed(update)) return;
      waiting.push({ update_id: next++, ...update });
      held?.wake();
    },
    async poll(asked, gone) {
      const { offset = 0, limit = 100, timeout = 0, allowed_updates: wanted } = asked;
      if (wanted !== undefined) allowed = wanted.length === 0 ? undefined : new Set(wanted);
      held?.refuse(
        new Refusal(
          409,
          "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
        ),
      );
      confirm(offset);
      if (waiting.length + again.length === 0 && timeout > 0 && !gone.aborted) {
        await hold(timeout, gone);
      }
      return gone.aborted ? [] : take(limit);
    },
    repeat() {
      again = [...again, ...confirmed.slice(-mostRepeated)];
      confirmed = [];
      held?.wake();
    },
    shuffle: (random) => void (deal = random),
    jump: (to) => void (next = to),
    waiting: () => waiting.length,
  };
}
