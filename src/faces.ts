import path from "node:path";

import type { ChatPlatform } from "#core/chat.ts";
import { terminalPlatform } from "#core/chat.ts";
import type { Clock } from "#core/clock.ts";
import type { Door } from "#core/http.ts";
import { lazily } from "#core/lazy.ts";
import type { Log } from "#core/log.ts";
import type { Spending } from "#core/ledger.ts";
import type { PrivacyDesk } from "#core/privacy.ts";
import type { Runner } from "#core/runner.ts";
import { createSecret, type Secret } from "#core/secret.ts";
import type { BotSettings } from "#core/settings.ts";

import type { Attachments } from "./chat/attachments.ts";
import type { Config } from "./config.ts";
import type { Seams } from "./seams.ts";
import type { ConnectedPlatform } from "./privacy-desk.ts";
import type { SqliteStore } from "./store/open-store.ts";

/** What the faces are made of. */
export interface FaceDeps {
  readonly config: Config;
  readonly clock: Clock;
  /** True where the connected chat services are answered. */
  readonly isService: boolean;
  readonly settings: () => Promise<BotSettings>;
  readonly door: () => Promise<Door>;
  readonly log: () => Promise<Log>;
  readonly store: () => Promise<SqliteStore>;
  readonly runner: () => Promise<Runner>;
  readonly privacy: () => Promise<PrivacyDesk>;
  /** What was spent of every cap. */
  readonly spending: () => Promise<readonly Spending[]>;
  /** Nothing is heard any more, and only a new process may help. */
  readonly onDeaf: () => void;
  readonly seams: Seams | undefined;
}

/** The name of Telegram's token. */
const botToken = "TELEGRAM_BOT_TOKEN";

/** The platforms, and the files that come in over them. */
function createPlatforms(deps: FaceDeps) {
  const { config, clock, settings, seams } = deps;
  const given: { token: Secret | undefined } = { token: undefined };
  /** Grows as the platforms are made. */
  const made = new Map<string, ChatPlatform>();

  const terminal = lazily(async () => {
    const { createTerminal } = await import("./service/terminal.ts");
    const face = createTerminal(clock);
    made.set(face.platform.name, face.platform);
    return face;
  });

  const files = lazily(async () => {
    const { openFileStore } = await import("./store/file-store.ts");
    // After the store: its lock makes this process the only one that touches the files.
    await deps.store();
    return openFileStore(path.join(config.folders.state, "files"));
  });

  const bots = lazily(async () => {
    const token = given.token ?? (deps.isService ? config.secrets(botToken) : undefined);
    if (token === undefined) return undefined;
    const { createBots } = await import("./bots.ts");
    const [door, log, store] = [await deps.door(), await deps.log(), await deps.store()];
    const rest = { settings: await settings(), files: await files(), onDeaf: deps.onDeaf, seams };
    const face = createBots({ token, door, clock, log, store, ...rest });
    made.set(face.platform.name, face.platform);
    return face;
  });

  const attachments = lazily(async () => {
    const { createAttachments } = await import("./chat/attachments.ts");
    const rest = { store: await deps.store(), log: await deps.log(), files: await files() };
    const mostBytes = (await settings()).files.most_megabytes * 1_000_000;
    return createAttachments({ ...rest, clock, platforms: made, mostBytes });
  });

  async function platforms(): Promise<ReadonlyMap<string, ChatPlatform>> {
    await Promise.all([terminal(), bots()]);
    return made;
  }

  return { given, terminal, bots, attachments, platforms };
}

/** Where people talk with the agent: the terminal in every process, Telegram in a service that has its token. */
export function createFaces(deps: FaceDeps) {
  const { config, clock, settings } = deps;
  const { given, terminal, bots, attachments, platforms } = createPlatforms(deps);

  const people = lazily(async () => {
    const { createPeople } = await import("./chat/people.ts");
    const { telegram } = await settings();
    return createPeople({ store: await deps.store(), clock, platforms: { telegram } });
  });

  const chats = lazily(async () => {
    const { createChats } = await import("./chat/chats.ts");
    const made = createChats({
      clock,
      store: await deps.store(),
      log: await deps.log(),
      platforms: await platforms(),
      runner: await deps.runner(),
      people: await people(),
      privacy: await deps.privacy(),
      spending: deps.spending,
      attachments: await attachments(),
      agents: (await config.agents()).map(({ name }) => name),
    });
    await made.start(terminalPlatform);
    return made;
  });

  return {
    people,
    terminal,
    bots,
    chats,
    platforms,
    /** The chat services that the owner connected, heard by this process or not. */
    async connected(): Promise<ConnectedPlatform[]> {
      const token = given.token ?? config.secrets(botToken);
      const { api_root: url } = (await settings()).telegram;
      return token === undefined ? [] : [{ name: "telegram", url }];
    },
    /** Makes the files of a task ready for its model; undefined where no files come in. */
    prepare: async (): Promise<Attachments["prepare"] | undefined> =>
      (await bots()) === undefined ? undefined : (await attachments()).prepare,
    /** Takes and answers what people write to the bots, with this token where one is given. */
    async startBots(token?: string): Promise<void> {
      if (token !== undefined) given.token = createSecret(botToken, token);
      const made = await bots();
      await made?.start(async () => ({ people: await people(), chats: await chats() }));
    },
    /** Takes nothing new; what is under way is sent, or kept for the next start after so many milliseconds. */
    async stopChats(graceMs: number): Promise<void> {
      await (await bots.made())?.stop();
      await (await chats.made())?.stop(graceMs);
    },
  };
}

/** Where people talk with the agent. */
export type Faces = ReturnType<typeof createFaces>;
