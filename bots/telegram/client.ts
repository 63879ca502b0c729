import type { Api } from "grammy";

import type { Clock } from "#core/clock.ts";
import { AppError } from "#core/errors.ts";

/** A held poll is answered after 30 seconds; a call that takes longer has lost its answer on the way. */
export const longestCallMs = 40_000;

/** A client that is thrown away with its connections where it may be that these are dead. */
export function createClient(makeApi: (ended: AbortSignal) => Api, ending: AbortSignal) {
  const make = () => {
    const own = new AbortController();
    return { own, api: makeApi(AbortSignal.any([own.signal, ending])) };
  };
  const state = { client: make() };
  return {
    api: () => state.client.api,
    /** Ends every call that is under way. */
    renew(): void {
      state.client.own.abort();
      state.client = make();
    },
  };
}

/** What a call gives; rejects after the longest time that one may take, whatever the client and its connections do. */
export async function within<Result>(clock: Clock, call: () => Promise<Result>): Promise<Result> {
  const answered = new AbortController();
  const late = clock.sleep(longestCallMs, answered.signal).then(() => {
    throw new AppError("door.unreachable", { host: "Telegram", problem: "no answer in time" });
  });
  // It rejects also when nobody waits for it any more.
  late.catch(() => undefined);
  try {
    return await Promise.race([call(), late]);
  } finally {
    answered.abort();
  }
}
