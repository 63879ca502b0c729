import { terminalPlatform, type Update } from "#core/chat.ts";
import type { Clock } from "#core/clock.ts";
import { newId } from "#core/ids.ts";
import type { Operations } from "#core/operations.ts";

import type { Terminal } from "./terminal.ts";

/** What talking on a terminal goes through. */
export interface Talk {
  readonly terminal: Terminal;
  /** The chats of every platform, begun. */
  readonly chats: {
    accept(
      from: { readonly platform: string; readonly account: string },
      updates: readonly Update[],
    ): Promise<void>;
    open(chatId: string, seen: { readonly questions: boolean }): Promise<void>;
    quiet(chatId: string): Promise<void>;
  };
}

const from = { platform: terminalPlatform, account: "local" } as const;

function addressOf(chatId: string): string {
  return chatId.slice(chatId.indexOf(":") + 1);
}

/** Resolves when the signal aborts; never without one. */
function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve();
    else signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** The operations by which terminals talk. */
export function talking(
  clock: Clock,
  talk: () => Promise<Talk>,
): Pick<Operations, "attend" | "say"> {
  return {
    async attend({ chatId }, { signal, onEvent = () => {} } = {}) {
      const { terminal, chats } = await talk();
      if (signal?.aborted === true) return null;
      const address = addressOf(chatId);
      const questions = terminal.isAsking(address);
      onEvent({ type: "open" });
      const leave = terminal.attend(address, onEvent);
      // At once: what is sent after whoever attends has left would be taken for shown.
      signal?.addEventListener("abort", leave, { once: true });
      try {
        await chats.open(chatId, { questions });
        const quiet = chats.quiet(chatId).then(() => onEvent({ type: "caught-up" }));
        quiet.catch(() => undefined);
        await aborted(signal);
      } finally {
        leave();
      }
      return null;
    },
    async say({ chatId, words, sayId = newId(clock.now()) }) {
      const { terminal, chats } = await talk();
      const event = terminal.read(addressOf(chatId), words, sayId);
      await chats.accept(from, [{ updateId: sayId, event }]);
      await chats.quiet(chatId);
      return null;
    },
  };
}
