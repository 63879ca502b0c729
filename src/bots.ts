import { createPoller } from "../bots/telegram/poller.ts";
import { checkShape, identify } from "../bots/telegram/identity.ts";
import { createTelegramPlatform } from "../bots/telegram/platform.ts";
import { createApi } from "../bots/telegram/api.ts";
import type { ChatPlatform } from "#core/chat.ts";
import type { ChatStore } from "#core/chat-store.ts";
import type { Clock } from "#core/clock.ts";
import type { Door } from "#core/http.ts";
import type { Log } from "#core/log.ts";
import type { People } from "#core/people.ts";
import type { BotAccount } from "#core/operations.ts";
import type { QuestionStore } from "#core/question-store.ts";
import type { Runner } from "#core/runner.ts";
import type { Redactor } from "#core/redact.ts";
import { createSecret, type Secret } from "#core/secret.ts";
import type { BotSettings } from "#core/settings.ts";
import type { Store } from "#core/store.ts";

import { createChats } from "./chat/chats.ts";
import type { Accept, Seams } from "./seams.ts";

/** What the bots are made of. */
export interface BotDeps {
  readonly settings: BotSettings;
  /** Telegram's token. */
  readonly token: Secret;
  readonly door: Door;
  readonly clock: Clock;
  readonly log: Log;
  readonly seams?: Seams | undefined;
}

/** What the bots work with. */
export interface BotWork {
  readonly store: ChatStore & QuestionStore & Store;
  readonly people: People;
  readonly runner: Runner;
  readonly agents: readonly string[];
}

/** The chat services that the owner connected. */
export interface Bots {
  readonly platforms: ReadonlyMap<string, ChatPlatform>;
  /** Goes on with what an earlier process left, and takes what people write. */
  readonly start: (work: BotWork) => Promise<void>;
  /** Takes nothing new; what is under way is sent, or kept for the next start after so many milliseconds. */
  readonly stop: (graceMs: number) => Promise<void>;
}

/** Asks Telegram whose token this is, through the door; from now on it is a secret. */
export async function checkTelegram(
  text: string,
  {
    settings,
    door,
    redactor,
  }: Pick<BotDeps, "settings" | "door"> & { readonly redactor: Redactor },
): Promise<BotAccount> {
  const token = createSecret("TELEGRAM_BOT_TOKEN", text);
  redactor.add(token);
  checkShape(text);
  const root = settings.telegram.api_root;
  const { origin } = new URL(root);
  door.allow({ purpose: "chat", origin, linksOut: false, platform: true });
  const fetch = door.open({ purpose: "chat", taskId: null });
  return identify(createApi(token, { root, fetch }));
}

/** The bots over their parts; nothing is sent or fetched before they are started. */
export function createBots(deps: BotDeps): Bots {
  const { settings, token, door, clock, log, seams } = deps;
  const root = settings.telegram.api_root;
  const { origin } = new URL(root);
  door.allow({ purpose: "chat", origin, linksOut: false, platform: true });
  const fetch = door.open({ purpose: "chat", taskId: null });
  const telegram = createTelegramPlatform(createApi(token, { root, fetch }));
  const made = seams?.platform?.(telegram) ?? telegram;
  const { receipts } = settings.telegram;
  const platform = receipts ? made : { ...made, receipt: () => Promise.resolve() };
  const platforms = new Map([[platform.name, platform]]);
  const ends: ((graceMs: number) => Promise<void>)[] = [];
  return {
    platforms,
    async start({ store, people, runner, agents }) {
      const chats = createChats({ store, runner, agents, people, platforms, clock, log });
      await chats.start();
      const accept: Accept = async (account, updates) =>
        chats.accept({ platform: platform.name, account }, await people.screen(updates));
      const poller = createPoller({
        makeApi: (ended) => createApi(token, { root, fetch, ended }),
        accept: seams?.accept?.(accept) ?? accept,
        clock,
        log,
      });
      const polling = poller.run();
      ends.push(async (graceMs) => {
        poller.stop();
        await polling;
        await chats.stop(graceMs);
      });
    },
    async stop(graceMs) {
      await Promise.all(ends.map((end) => end(graceMs)));
    },
  };
}
