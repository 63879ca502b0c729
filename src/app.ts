import path from "node:path";

import { type Clock, systemClock } from "#core/clock.ts";
import { servedPlatforms } from "#core/chat.ts";
import { AppError } from "#core/errors.ts";
import type { Receipt } from "#core/http.ts";
import type { HolderKind, Operations } from "#core/operations.ts";
import { lazily } from "#core/lazy.ts";
import type { Person } from "#core/person.ts";
import type { Redactor } from "#core/redact.ts";
import type { Router } from "#core/router.ts";
import type { Runner } from "#core/runner.ts";
import { createSecret, type Secret } from "#core/secret.ts";
import type { BotSettings } from "#core/settings.ts";
import type { SettingsEditor } from "#core/settings-editor.ts";

import type { Bots } from "./bots.ts";
import type { Services } from "./cli/services.ts";
import { type Config, type Folders, loadConfig } from "./config.ts";
import { createAccess } from "./service/access.ts";
import { withListeners } from "./service/listeners.ts";
import { createNotifier } from "./service/notify.ts";
import type { Seams } from "./seams.ts";
import type { ControlServer } from "./service/server.ts";

/** What the program is made of, and for. */
export interface AppOptions {
  readonly folders: Folders;
  readonly person: Person;
  readonly redactor: Redactor;
  readonly version: string;
  /** What this process is, should it come to hold the data. */
  readonly kind: HolderKind;
  /** Sees every line of the log. */
  readonly echo?: (line: string) => void;
  /** A service is asked to end. */
  readonly onShutdown?: () => void;
  readonly seams?: Seams;
}

/** The options of a run whose settings have been read. */
type Options = AppOptions & { readonly config: Config };

/** How long a command's background work may go on after its answer. */
const afterworkMs = 10_000;

const botToken = "TELEGRAM_BOT_TOKEN";

function clockOf({ seams }: AppOptions): Clock {
  return seams?.clock ?? systemClock;
}

function createStorage(options: Options) {
  const { config, redactor, echo, person, seams } = options;
  const { folders } = config;
  const clock = clockOf(options);

  const log = lazily(async () => {
    const [{ createLog }, { logSettingsSchema }] = await Promise.all([
      import("./log.ts"),
      import("#core/settings.ts"),
    ]);
    const settings = await config.settings("log", logSettingsSchema);
    return createLog({
      folder: path.join(folders.state, "logs"),
      clock,
      redactor,
      keepDays: settings.keep_days,
      fileBytes: settings.file_megabytes * 1_000_000,
      onProblem: (problem) => person.notice(problem),
      ...(echo === undefined ? {} : { echo }),
    });
  });

  const store = lazily(async () => {
    const { openStore } = await import("./store/open-store.ts");
    const store = await openStore({ folder: folders.state, clock, redact: redactor.redact });
    return seams?.store?.(store) ?? store;
  });

  const door = lazily(async () => {
    const { createDoor } = await import("./egress/door.ts");
    const record = async (receipt: Receipt): Promise<void> => (await store()).putReceipt(receipt);
    const state = { said: false };
    const onUnrecorded = (error: unknown): void => {
      if (!state.said) person.notice(`Receipts cannot be stored: ${String(error)}`);
      state.said = true;
    };
    return createDoor({ clock, record, onUnrecorded });
  });

  return { log, store, door };
}

async function makeRunner(
  options: Options,
  storage: ReturnType<typeof createStorage>,
  { router, bots }: { readonly router: Router; readonly bots: Bots | undefined },
): Promise<Runner> {
  const [
    { createRunner },
    { createAskPersonTool },
    { createNowTool },
    { createRecallHistoryTool },
  ] = await Promise.all([
    import("./agents/runner.ts"),
    import("./tools/ask-person.ts"),
    import("./tools/now.ts"),
    import("./tools/recall-history.ts"),
  ]);
  const { config } = options;
  const clock = clockOf(options);
  const [store, log] = [await storage.store(), await storage.log()];
  const tools = [
    createNowTool(clock, store),
    createRecallHistoryTool(store),
    createAskPersonTool(),
  ];
  const agents = await config.agents();
  if (bots === undefined) return createRunner({ store, router, tools, clock, log }, agents);
  const { createSpeech } = await import("./chat/parts.ts");
  const speech = createSpeech(bots.platforms);
  return createRunner({ store, router, tools, clock, log, speech }, agents);
}

async function botSettings(config: Config): Promise<BotSettings> {
  const { botSettingsSchema } = await import("#core/settings.ts");
  return config.settings("bots", botSettingsSchema);
}

/** The bots of a service, or of this token; undefined where there is none. */
async function makeBots(
  options: Options,
  storage: ReturnType<typeof createStorage>,
  given: Secret | undefined,
): Promise<Bots | undefined> {
  const { config, kind, seams } = options;
  const token = given ?? (kind === "service" ? config.secrets(botToken) : undefined);
  if (token === undefined) return undefined;
  const { createBots } = await import("./bots.ts");
  const settings = await botSettings(config);
  const [door, log] = [await storage.door(), await storage.log()];
  return createBots({ settings, token, door, clock: clockOf(options), log, seams });
}

function createParts(options: Options) {
  const { config, redactor, person } = options;
  const clock = clockOf(options);
  const storage = createStorage(options);

  const sources = lazily(async () => {
    const [{ createSources }, { createSpawn }, { modelsFileSchema }] = await Promise.all([
      import("./models/sources.ts"),
      import("./sandbox/spawn.ts"),
      import("./models/model-rows.ts"),
    ]);
    return createSources({
      ...config.folders,
      settings: await config.settings("models", modelsFileSchema),
      environment: config.environment,
      door: await storage.door(),
      spawn: createSpawn(),
      clock,
      person,
      readData: (file) => config.data(file),
      secrets: config.secrets,
    });
  });

  const router = lazily(async () => {
    const [{ createRouter }, { createRedactingRouter }] = await Promise.all([
      import("./models/router.ts"),
      import("./models/redacting-router.ts"),
    ]);
    const made = await sources();
    return createRedactingRouter(
      createRouter({ settings: made.settings, sources: made, clock }),
      redactor,
    );
  });

  const people = lazily(async () => {
    const { createPeople } = await import("./chat/people.ts");
    const { telegram } = await botSettings(config);
    return createPeople({ store: await storage.store(), clock, platforms: { telegram } });
  });

  const given: { token: Secret | undefined } = { token: undefined };
  const bots = lazily(() => makeBots(options, storage, given.token));
  const runner = lazily(async () =>
    makeRunner(options, storage, { router: await router(), bots: await bots() }),
  );

  return { ...storage, sources, router, people, given, bots, runner };
}

type Parts = ReturnType<typeof createParts>;

async function localOperations(options: Options, parts: Parts): Promise<Operations> {
  const { config, version, kind, person, onShutdown } = options;
  const { sources, router, store, runner } = parts;
  const clock = clockOf(options);
  const { createLocalOperations } = await import("./service/local.ts");
  const status = {
    version,
    kind,
    pid: process.pid,
    home: config.folders.home,
    startedAt: clock.now(),
  };
  return createLocalOperations({
    clock,
    status,
    store,
    runner,
    async models() {
      const { createModelCommands } = await import("./models/commands.ts");
      return createModelCommands(await sources(), await router(), person);
    },
    async doctor() {
      const { examine } = await import("./doctor.ts");
      return examine({ config, kind, store, sources, router });
    },
    people: parts.people,
    async checkBot(token) {
      const { checkTelegram } = await import("./bots.ts");
      const [settings, door] = [await botSettings(config), await parts.door()];
      return checkTelegram(token, { settings, door, redactor: options.redactor });
    },
    ...(onShutdown === undefined ? {} : { shutdown: onShutdown }),
  });
}

/** Takes and answers what people write to the bots, if there are any. */
async function startBots(config: Config, parts: Parts): Promise<void> {
  const runner = await parts.runner();
  const [bots, store, people] = [await parts.bots(), await parts.store(), await parts.people()];
  const agents = (await config.agents()).map(({ name }) => name);
  await bots?.start({ store, people, runner, agents });
}

async function openServer(
  options: Options,
  operations: Operations,
  parts: Parts,
): Promise<ControlServer> {
  const { openControlServer } = await import("./service/server.ts");
  const { protocol } = await import("./service/messages.ts");
  const { version, kind, config } = options;
  return openControlServer({
    folder: config.folders.state,
    hello: { protocol, version, kind, pid: process.pid },
    operations,
    async onBug(error) {
      (await parts.log()).bug(error);
    },
  });
}

function isLocked(error: unknown): boolean {
  return error instanceof AppError && error.code === "store.locked";
}

/** This process's way to the data: through whoever holds them, or by taking them. */
function createWay(options: AppOptions, config: Config) {
  const { version } = options;
  const listening: { server: ControlServer | undefined } = { server: undefined };
  const person = withListeners(options.person, (said) => listening.server?.say(said));
  const parts = createParts({ ...options, config, person });
  const local = lazily(() => localOperations({ ...options, config, person }, parts));
  const access = createAccess({
    folder: config.folders.state,
    clock: clockOf(options),
    version,
    onSaid(said) {
      if ("notice" in said) options.person.notice(said.notice);
      else options.person.progress(said.progress.name, said.progress);
    },
    async own() {
      const operations = await local();
      try {
        await parts.store();
        listening.server ??= await openServer({ ...options, config }, operations, parts);
      } catch (error) {
        // Each operation that needs the store says so itself; the doctor and the models do not. A service is nothing without it.
        if (isLocked(error) || options.kind === "service") throw error;
      }
      return operations;
    },
  });

  async function close(): Promise<void> {
    access.close();
    if ((listening.server?.busy() ?? 0) > 0) {
      options.person.notice("Another request came in through this one: ending when it is done.");
    }
    await listening.server?.close();
    await (await parts.runner.made())?.stop(afterworkMs);
    (await parts.sources.made())?.close();
    await (await parts.door.made())?.close();
    await (await parts.store.made())?.close();
    (await parts.log.made())?.close();
  }

  /** Tasks are finished or parked; what else goes on for others, a download for example, is stopped. */
  async function stop(graceMs: number): Promise<void> {
    const [runner, bots] = await Promise.all([parts.runner.made(), parts.bots.made()]);
    await Promise.all([runner?.stop(graceMs), bots?.stop(graceMs)]);
    listening.server?.abort();
  }

  return { access, parts, stop, close };
}

async function openEditor(config: Config): Promise<SettingsEditor> {
  const [{ createSettingsEditor }, { modelsFileSchema }] = await Promise.all([
    import("./config-editor.ts"),
    import("./models/model-rows.ts"),
  ]);
  return createSettingsEditor(config, modelsFileSchema);
}

/** Makes the parts of the program, wires them and ends them in order. Each is imported and made when it is first asked for. */
export async function openProgram(options: AppOptions): Promise<Services> {
  const { folders, kind, redactor, version } = options;
  const { checkOpen } = await import("./store/unwritable.ts");
  // A command other than the service may only want to ask the service of whoever owns the data.
  checkOpen(folders.state, kind === "service" ? [folders.home, folders.state] : [folders.home]);
  const config = await loadConfig(folders, redactor);
  const { access, parts, stop, close } = createWay(options, config);
  const { notify, watchdogMs } = createNotifier(config.environment, async () => {
    const { createSpawn } = await import("./sandbox/spawn.ts");
    return createSpawn();
  });
  return {
    home: folders.home,
    logs: path.join(folders.state, "logs"),
    version,
    redact: redactor.redact,
    operations: access.operations,
    secrets: config.secrets,
    settings: lazily(() => openEditor(config)),
    holder: access.find,
    isOwn: access.isOwn,
    async resume(watch) {
      if (!(await access.isOwn())) return;
      await startBots(config, parts);
      const runner = await parts.runner();
      await runner.resume((task) =>
        servedPlatforms.some((name) => task.chatId.startsWith(`${name}:`)) ? undefined : watch,
      );
    },
    async serveBot(token) {
      if (!(await access.isOwn())) return false;
      parts.given.token = createSecret(botToken, token);
      await startBots(config, parts);
      return true;
    },
    stop,
    notify,
    watchdogMs,
    close,
  };
}
