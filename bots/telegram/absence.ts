import type { Away } from "#core/chat.ts";
import type { Clock } from "#core/clock.ts";

/** What knowing of an absence needs. */
export interface AbsenceDeps {
  readonly clock: Clock;
  /** Notes that Telegram was heard; gives when it was heard before, in milliseconds since 1970. */
  readonly heard?: (account: string, at: number) => Promise<number | undefined>;
}

/** A pause that nobody need be told of. */
const shortMs = 5 * 60_000;
/** How often it is stored that Telegram was heard: often enough for minutes, and seldom enough for a disk. */
const noteEveryMs = 30_000;
/** Telegram keeps an update for a day. */
const keptMs = 24 * 60 * 60_000;

/** Knows for how long Telegram was not heard, in this process or before it. */
export function createAbsence({ clock, heard }: AbsenceDeps) {
  const state = {
    lastAt: undefined as number | undefined,
    notedAt: undefined as number | undefined,
    away: undefined as { readonly from: number; readonly to: number } | undefined,
  };

  /** When Telegram was heard before now. */
  async function note(account: string, now: number): Promise<number | undefined> {
    const { notedAt, lastAt } = state;
    if (notedAt !== undefined && Math.abs(now - notedAt) < noteEveryMs) return lastAt;
    const stored = await heard?.(account, now);
    state.notedAt = now;
    return lastAt ?? stored;
  }

  return {
    /** A poll was completed; gives the time away that its updates were kept for. `more` is true where it may not have had all. */
    async over(account: string, more: boolean): Promise<Away | undefined> {
      const now = clock.now();
      const before = await note(account, now);
      state.lastAt = now;
      if (before !== undefined && now - before > shortMs) state.away = { from: before, to: now };
      return state.away && { ...state.away, keptMs, more };
    },
    /** All that was kept has been stored. */
    end: () => void (state.away = undefined),
  };
}
