import type { ChatPlatform } from "../../src/core/chat.ts";

/** A platform that sends nothing and keeps what is whispered, as "address: line". */
export function createFakePlatform(): ChatPlatform & { readonly whispers: string[] } {
  const whispers: string[] = [];
  const sent = { ok: true, messageId: "1" } as const;
  const done = (): Promise<void> => Promise.resolve();
  return {
    whispers,
    name: "telegram",
    render: () => [{ body: "{}" }],
    simpler: () => undefined,
    place: () => Promise.resolve(sent),
    edit: () => Promise.resolve(sent),
    manners: () => ({ live: "edit", liveEveryMs: 1000, burst: 1, everyMs: 1000 }),
    typing: done,
    receipt: done,
    acknowledge: done,
    whisper(address, line) {
      whispers.push(`${address}: ${line}`);
      return done();
    },
  };
}
