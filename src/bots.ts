import { AsyncLocalStorage } from "node:async_hooks";

import { createApi } from "../bots/telegram/api.ts";
import { createCommandMenu, explainPrivacy } from "../bots/telegram/commands.ts";
import type { Me } from "../bots/telegram/events.ts";
import { createFileFetcher } from "../bots/telegram/files.ts";
import { checkShape, identify } from "../bots/telegram/identity.ts";
import { createTelegramPlatform } from "../bots/telegram/platform.ts";
import { createPoller, type Poller } from "../bots/telegram/poller.ts";
import type { FileStore } from "#core/attachments.ts";
import type { ChatPlatform, Target } from "#core/chat.ts";
import type { ChatStore } from "#core/chat-store.ts";
import type { Clock } from "#core/clock.ts";
import { reasonOf } from "#core/errors.ts";
import type { Door, DoorUse, Fetch } from "#core/http.ts";
import type { Log } from "#core/log.ts";
import type { People } from "#core/people.ts";
import type { BotAccount, Hearing } from "#core/operations.ts";
import type { Redactor } from "#core/redact.ts";
import { createSecret, type Secret } from "#core/secret.ts";
import type { BotSettings } from "#core/settings.ts";

import type { Chats } from "./chat/chats.ts";
import type { Accept, Seams } from "./seams.ts";

/** What the bots are made of. */
export interface BotDeps {
  readonly settings: BotSettings;
  /** Telegram's token. */
  readonly token: Secret;
  readonly door: Door;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Pick<ChatStore, "heard">;
  readonly files: FileStore;
  /** Nothing is heard any more, and only a new process may help. */
  readonly onDeaf: () => void;
  readonly seams?: Seams | undefined;
}

/** What the bots work with. */
export interface BotWork {
  readonly people: People;
  readonly chats: Chats;
}

/** The chat services that the owner connected. */
export interface Bots {
  readonly platform: ChatPlatform;
  /** Goes on with what an earlier process left, and takes what people write. */
  readonly start: (work: () => Promise<BotWork>) => Promise<void>;
  /** How well Telegram is heard; undefined before the start. */
  readonly hearing: () => Hearing | undefined;
  /** Takes nothing new; resolves when all that was taken has been handed over. */
  readonly stop: () => Promise<void>;
}

/** Allows the door's way to Telegram; gives where it leads. */
function allowWay({ settings, door }: Pick<BotDeps, "settings" | "door">): string {
  const root = settings.telegram.api_root;
  const { origin } = new URL(root);
  door.allow({ purpose: "chat", origin, linksOut: false, platform: true });
  return root;
}

/** Asks Telegram whose token this is, through the door; from now on it is a secret. */
export async function checkTelegram(
  text: string,
  { redactor, ...deps }: Pick<BotDeps, "settings" | "door"> & { readonly redactor: Redactor },
): Promise<BotAccount> {
  const token = createSecret("TELEGRAM_BOT_TOKEN", text);
  redactor.add(token);
  checkShape(text);
  const fetch = deps.door.open({ purpose: "chat", taskId: null });
  return identify(createApi(token, { root: allowWay(deps), fetch }));
}

/** Sending whose receipts say for which task it was and what it carried, though a platform's client has no place for that. */
function createAttribution(door: Door) {
  type Sending = Pick<DoorUse, "taskId" | "labels">;
  const sending = new AsyncLocalStorage<Sending>();
  const overhead: Sending = { taskId: null };
  const fetch: Fetch = (url, init) =>
    door.open({ purpose: "chat", ...(sending.getStore() ?? overhead) })(url, init);

  /** Sends what holds nothing of a person, such as a placeholder. */
  const empty = <Result>({ taskId = null }: Pick<Target, "taskId">, send: () => Result): Result =>
    sending.run({ taskId }, send);
  /** Sends a part of the chat's own conversation. */
  const words = <Result>({ taskId = null }: Target, send: () => Result): Result =>
    sending.run({ taskId, labels: ["personal"] }, send);

  const attributed = (platform: ChatPlatform): ChatPlatform => {
    const { findPlaced, draft, fetchFile } = platform;
    return {
      ...platform,
      place: (to) => empty(to, () => platform.place(to)),
      edit: (to, messageId, part) => words(to, () => platform.edit(to, messageId, part)),
      ...(findPlaced && { findPlaced: (to, among) => empty(to, () => findPlaced(to, among)) }),
      ...(draft && { draft: (to, id, markdown) => words(to, () => draft(to, id, markdown)) }),
      ...(fetchFile && {
        fetchFile: (file, signal, taskId) =>
          empty({ taskId }, () => fetchFile(file, signal, taskId)),
      }),
    };
  };

  return { fetch, attributed };
}

/** Telegram as the owner's settings want it, and what is known of the bot itself. */
function connect({ settings, token, files, door, seams }: BotDeps) {
  const root = allowWay({ settings, door });
  const { fetch, attributed } = createAttribution(door);
  const api = createApi(token, { root, fetch });
  const known: { me: Me | undefined } = { me: undefined };
  const { rich, receipts } = settings.telegram;
  const uploads = createApi(token, { root, fetch, uploads: true });
  const readFile = (sha256: string): Promise<Uint8Array> => files.read(sha256);
  const fetchFile = createFileFetcher({ api, fetch, root, token });
  const telegram = createTelegramPlatform(api, { readFile, rich, uploads });
  const made = attributed({ ...telegram, fetchFile });
  const platform: ChatPlatform = {
    ...(seams?.platform?.(made) ?? made),
    ...(receipts ? {} : { receipt: () => Promise.resolve() }),
    groupHint: () => known.me && explainPrivacy(known.me),
  };
  return { api, root, platform, known };
}

type Connected = ReturnType<typeof connect>;

/** The owner's own numbers on Telegram, to whom the owner's commands are shown. */
async function ownersOf(people: People): Promise<number[]> {
  const [owner] = await people.list();
  const accounts = owner?.accounts.filter(({ platform }) => platform === "telegram") ?? [];
  return accounts.map(({ accountId }) => Number(accountId));
}

function pollFor(
  deps: BotDeps,
  { root, api, platform, known }: Connected,
  ready: Promise<BotWork>,
): Poller {
  const { token, door, clock, log, store, onDeaf, seams } = deps;
  const menu = createCommandMenu(api, log);
  const from = (account: string) => ({ platform: platform.name, account });
  const accept: Accept = async (account, updates, away) => {
    const { chats, people } = await ready;
    await chats.accept(from(account), await people.screen(updates), away);
  };
  return createPoller({
    ready,
    makeApi(ended) {
      const own = door.open({ purpose: "chat", taskId: null, ownUntil: ended });
      return createApi(token, { root, fetch: own, ended });
    },
    accept: seams?.accept?.(accept) ?? accept,
    heard: (account, at) => store.heard(from(account), at),
    onMe(me) {
      known.me = me;
      ready
        .then(async ({ chats, people }) => menu(chats.commands, await ownersOf(people)))
        .catch((error: unknown) => log.warn("no menu of commands", { reason: reasonOf(error) }));
    },
    onDeaf,
    clock,
    log,
  });
}

/** The bots over their parts; nothing is sent or fetched before they are started. */
export function createBots(deps: BotDeps): Bots {
  const connected = connect(deps);
  const { platform } = connected;
  const started: { poller: Poller | undefined; end: () => Promise<void> } = {
    poller: undefined,
    end: () => Promise.resolve(),
  };
  return {
    platform,
    hearing: () => started.poller?.state(),
    async start(work) {
      // Who the bot is, is asked while the rest is made ready.
      const ready = work().then(async (made) => {
        await made.chats.start(platform.name);
        return made;
      });
      const poller = pollFor(deps, connected, ready);
      started.poller = poller;
      const polling = poller.run();
      started.end = async () => {
        poller.stop();
        await polling;
      };
      await ready;
    },
    stop: () => started.end(),
  };
}
