import type { ChatPlatform, IncomingMessage, Place, Sender } from "#core/chat.ts";
import type { Clock } from "#core/clock.ts";
import { owner } from "#core/person.ts";
import type { PeopleStore } from "#core/people.ts";

import { codeMs, codeTries, type Pairing } from "./pairing.ts";

/** An account in one word, such as telegram:99. */
export function accountKey({
  platform,
  accountId,
}: Pick<Sender, "platform" | "accountId">): string {
  return `${platform}:${accountId}`;
}

/** So many accounts are remembered; beyond that the memory begins afresh. */
const remembered = 1000;

/** So many strangers at once are shown a code for the owner's terminal: more would make a mistyped one likely to fit. */
const claimLimit = 10;

/** Remembers what happened to a key, and counts it within the last ten minutes. */
export function createRecent(clock: Clock) {
  const times = new Map<string, readonly number[]>();
  const recent = (key: string): readonly number[] => {
    const since = clock.now() - codeMs;
    return (times.get(key) ?? []).filter((at) => at > since);
  };
  return {
    count: (key: string): number => recent(key).length,
    ever: (key: string): boolean => times.has(key),
    note(key: string): void {
      const kept = [...recent(key), clock.now()];
      if (times.size >= remembered) times.clear();
      times.set(key, kept);
    },
  };
}

/** Wrong codes of accounts, and whether an account had too many. */
export function createGuesses(clock: Clock) {
  const wrong = createRecent(clock);
  return {
    isSpent: (from: Sender): boolean => wrong.count(accountKey(from)) >= codeTries,
    note: (from: Sender): void => wrong.note(accountKey(from)),
  };
}

/** Says a line to somebody; that it may be lost is no failure. */
export async function whisper(
  platform: ChatPlatform,
  { address }: Place,
  line: string,
): Promise<void> {
  await platform.whisper(address, line).catch(() => undefined);
}

const hint =
  "This agent is private. If its owner gave you a code of six digits, write it here and nothing else.";

/** Tells a stranger in a private chat how to get in, once in ten minutes; groups hear nothing. */
export function createHints(
  { store, clock }: { readonly store: Pick<PeopleStore, "openCodes">; readonly clock: Clock },
  pairing: Pairing,
) {
  const hinted = createRecent(clock);

  async function claimLine(from: Sender): Promise<string> {
    if ((await store.openCodes("claim")).length >= claimLimit) return "";
    const { platform, accountId, name } = from;
    const account = { platform, accountId, name };
    const { code } = await pairing.make({ purpose: "claim", personId: owner, account });
    return `\n\nIf the agent is yours, connect this account: run on its machine\nagent people claim ${code.replace(" ", "")}`;
  }

  return async (platform: ChatPlatform, message: IncomingMessage): Promise<void> => {
    const { place, from } = message;
    const key = accountKey(from);
    if (place.kind !== "direct" || from.kind !== "person" || hinted.count(key) > 0) return;
    hinted.note(key);
    await whisper(platform, place, `${hint}${await claimLine(from)}`);
  };
}
