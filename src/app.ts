import path from "node:path";

import { servedPlatforms } from "#core/chat.ts";
import { AppError } from "#core/errors.ts";
import type { Operations } from "#core/operations.ts";
import { lazily } from "#core/lazy.ts";
import type { SettingsEditor } from "#core/settings-editor.ts";

import { botSettings, createParts, type Parts } from "./app-parts.ts";
import type { Services } from "./cli/services.ts";
import { type Config, loadConfig } from "./config.ts";
import { modelsSchema } from "./model-parts.ts";
import type { AppOptions, Options } from "./options.ts";
import { createAccess } from "./service/access.ts";
import { withListeners } from "./service/listeners.ts";
import { createNotifier } from "./service/notify.ts";
import type { ControlServer } from "./service/server.ts";

/** How long a command's background work may go on after its answer. */
const afterworkMs = 10_000;

async function localOperations(options: Options, parts: Parts): Promise<Operations> {
  const { config, version, kind, person, onShutdown } = options;
  const { clock, sources, router, store, runner } = parts;
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
    privacy: parts.privacy,
    spending: parts.spending,
    talk: async () => ({ terminal: await parts.terminal(), chats: await parts.chats() }),
    async checkBot(token) {
      const { checkTelegram } = await import("./bots.ts");
      const [settings, door] = [await botSettings(config), await parts.door()];
      return checkTelegram(token, { settings, door, redactor: options.redactor });
    },
    hearing: async () => (await parts.bots.made())?.hearing(),
    ...(onShutdown === undefined ? {} : { shutdown: () => onShutdown("asked") }),
  });
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
    clock: parts.clock,
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
    parts.stopIdle();
    if ((listening.server?.busy() ?? 0) > 0) {
      options.person.notice("Another request came in through this one: ending when it is done.");
    }
    await listening.server?.close();
    const runner = await parts.runner.made();
    await Promise.all([runner?.stop(afterworkMs), parts.stopChats(afterworkMs)]);
    await (await parts.classifier.made())?.close();
    (await parts.models.made())?.close();
    await (await parts.door.made())?.close();
    await (await parts.store.made())?.close();
    (await parts.log.made())?.close();
  }

  /** Tasks are finished or parked; what else goes on for others, a download for example, is stopped. */
  async function stop(graceMs: number): Promise<void> {
    parts.stopIdle();
    const runner = await parts.runner.made();
    await Promise.all([runner?.stop(graceMs), parts.stopChats(graceMs)]);
    listening.server?.abort();
  }

  return { access, parts, stop, close };
}

async function openEditor(config: Config): Promise<SettingsEditor> {
  const { createSettingsEditor } = await import("./config-editor.ts");
  return createSettingsEditor(config, await modelsSchema(config));
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
      // A service answers what was said in any chat before; elsewhere that is done when somebody comes to the chat.
      await Promise.all([parts.startBots(), kind === "service" ? parts.chats() : undefined]);
      const runner = await parts.runner();
      await runner.resume((task) =>
        servedPlatforms.some((name) => task.chatId.startsWith(`${name}:`)) ? undefined : watch,
      );
    },
    async serveBot(token) {
      if (!(await access.isOwn())) return false;
      await parts.startBots(token);
      return true;
    },
    stop,
    notify,
    watchdogMs,
    close,
  };
}
