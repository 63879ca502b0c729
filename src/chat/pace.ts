import type { Manners } from "#core/chat.ts";
import type { Clock } from "#core/clock.ts";

/** How long a chat that was told to slow down is sent to at most once a second. */
const carefulMs = 60_000;
const carefulEveryMs = 1000;
/** Chats that are remembered; one that is forgotten counts as idle. */
const most = 2000;

interface Bucket {
  /** Messages that may be sent at once. */
  left: number;
  at: number;
  carefulUntil: number;
}

/** Spaces the messages of each chat; the first to an idle chat never waits. */
export interface Pace {
  /** Milliseconds to wait before the next message of this chat, which is then counted. */
  take(chatId: string, manners: Manners): number;
  /** The platform asked for fewer. */
  slowDown(chatId: string): void;
}

/** A pace of token buckets, one a chat. */
export function createPace(clock: Clock): Pace {
  const buckets = new Map<string, Bucket>();

  function bucketOf(chatId: string, burst: number): Bucket {
    const known = buckets.get(chatId);
    if (known !== undefined) return known;
    if (buckets.size >= most) buckets.clear();
    const made = { left: burst, at: clock.elapsed(), carefulUntil: 0 };
    buckets.set(chatId, made);
    return made;
  }

  return {
    take(chatId, { burst, everyMs }) {
      const bucket = bucketOf(chatId, burst);
      const now = clock.elapsed();
      const careful = now < bucket.carefulUntil;
      const every = careful ? Math.max(everyMs, carefulEveryMs) : everyMs;
      const atOnce = careful ? 1 : burst;
      if (every === 0) return 0;
      const gained = (now - bucket.at) / every;
      bucket.left = Math.min(atOnce, bucket.left + gained) - 1;
      bucket.at = now;
      return bucket.left >= 0 ? 0 : Math.ceil(-bucket.left * every);
    },
    slowDown(chatId) {
      const bucket = bucketOf(chatId, 0);
      bucket.carefulUntil = clock.elapsed() + carefulMs;
      bucket.left = 0;
    },
  };
}
