import path from "node:path";

import { type Clock, systemClock } from "#core/clock.ts";
import type { ChatStore } from "#core/chat-store.ts";
import { AppError } from "#core/errors.ts";
import type { Receipt } from "#core/http.ts";
import { lazily } from "#core/lazy.ts";
import type { Spending } from "#core/ledger.ts";
import type { HolderKind, Shutdown } from "#core/operations.ts";
import { owner, type Person } from "#core/person.ts";
import type { Redactor } from "#core/redact.ts";
import type { Router } from "#core/router.ts";
import type { Runner } from "#core/runner.ts";
import type { BotSettings } from "#core/settings.ts";
import type { Store } from "#core/store.ts";
import { machineTimeZone } from "#core/time.ts";
import type { Tool } from "#core/tool.ts";

import type { Config, Folders } from "./config.ts";
import type { OwnersProxy } from "./egress/proxy.ts";
import { createFaces, type Faces } from "./faces.ts";
import type { ModelSources } from "./models/sources.ts";
import type { ConnectedPlatform } from "./privacy-desk.ts";
import type { Seams } from "./seams.ts";

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
  /** A service is asked to end: by a person, or because only a new process may help. */
  readonly onShutdown?: (why: Shutdown) => void;
  readonly seams?: Seams;
}

/** The options of a run whose settings have been read. */
export type Options = AppOptions & { readonly config: Config };

function clockOf({ seams }: AppOptions): Clock {
  return seams?.clock ?? systemClock;
}

/** The owner's own proxy; its name and password are asked for at each connection, so that they are never kept. */
async function readProxy(config: Config): Promise<OwnersProxy | undefined> {
  const { privacySettingsSchema } = await import("#core/settings.ts");
  const { proxy, proxy_login: name } = await config.settings("privacy", privacySettingsSchema);
  if (proxy === null) return undefined;
  const login = name === null ? undefined : config.secrets(name);
  if (name !== null && login === undefined) {
    const problem = `the key proxy_login: there is no secret ${name}: run agent setup --key ${name}.`;
    throw new AppError("config.invalid", { file: "config/privacy.local.yaml", problem });
  }
  return { url: proxy, login };
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
    const made = await openStore({ folder: folders.state, clock, redact: redactor.redact });
    return seams?.store?.(made) ?? made;
  });

  const door = lazily(async () => {
    const { createDoor } = await import("./egress/door.ts");
    const record = async (receipt: Receipt): Promise<void> => (await store()).putReceipt(receipt);
    const localOnly = async (taskId: string | null): Promise<boolean> =>
      (await (await store()).privacyRules(taskId)).has("local-only");
    const state = { said: false };
    const onUnrecorded = (error: unknown): void => {
      if (!state.said) person.notice(`Receipts cannot be stored: ${String(error)}`);
      state.said = true;
    };
    const proxy = await readProxy(config);
    return createDoor({ clock, record, onUnrecorded, localOnly, proxy });
  });

  return { log, store, door };
}

type Storage = ReturnType<typeof createStorage>;

async function makeTools(clock: Clock, store: ChatStore & Store): Promise<readonly Tool[]> {
  const [{ createAskPersonTool }, { createNowTool }, { createRecallHistoryTool }] =
    await Promise.all([
      import("./tools/ask-person.ts"),
      import("./tools/now.ts"),
      import("./tools/recall-history.ts"),
    ]);
  return [createNowTool(clock, store), createRecallHistoryTool(store), createAskPersonTool()];
}

async function makeRunner(
  options: Options,
  storage: Storage,
  { router, faces }: { readonly router: Router; readonly faces: Faces },
): Promise<Runner> {
  const [{ createRunner }, { createSpeech }, { logBudgets }] = await Promise.all([
    import("./agents/runner.ts"),
    import("./chat/parts.ts"),
    import("./budget-log.ts"),
  ]);
  const clock = clockOf(options);
  const [store, log] = [await storage.store(), await storage.log()];
  const tools = await makeTools(clock, store);
  const agents = await options.config.agents();
  const [platforms, prepare] = [await faces.platforms(), await faces.prepare()];
  const speech = createSpeech(platforms);
  const more = prepare === undefined ? {} : { prepare };
  const runner = createRunner({ store, router, tools, clock, log, speech, ...more }, agents);
  return logBudgets(runner, log);
}

/** The settings of config/bots.yaml. */
export async function botSettings(config: Config): Promise<BotSettings> {
  const { botSettingsSchema } = await import("#core/settings.ts");
  return config.settings("bots", botSettingsSchema);
}

/** What the owner sees of privacy and of money. */
function createOwnersDesk(
  options: Options,
  { store, door }: Storage,
  models: {
    readonly sources: () => Promise<ModelSources>;
    readonly connected: () => Promise<readonly ConnectedPlatform[]>;
  },
) {
  const settings = async (): Promise<ModelSources["settings"]> => (await models.sources()).settings;

  const privacy = lazily(async () => {
    const { createPrivacyDesk } = await import("./privacy-desk.ts");
    return createPrivacyDesk({
      store,
      door,
      models: settings,
      platforms: models.connected,
      ollamas: async () => (await models.sources()).hosts,
      async index() {
        const [{ findIndex }, { createSpawn }] = await Promise.all([
          import("./models/package-index.ts"),
          import("./sandbox/spawn.ts"),
        ]);
        return findIndex(createSpawn(), options.config.environment);
      },
    });
  });

  const spending = async (): Promise<readonly Spending[]> => {
    const { spendingOf } = await import("./spending.ts");
    const { budgets } = await settings();
    const ledger = await store();
    const timeZone = (await ledger.person(owner)).timeZone ?? machineTimeZone();
    return spendingOf({ budgets, ledger, clock: clockOf(options), timeZone });
  };

  return { privacy, spending };
}

/** The parts of the program; each is imported and made when it is first asked for. */
export function createParts(options: Options) {
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
    const { makeRouter } = await import("./models/make-router.ts");
    return makeRouter({ sources: await sources(), clock, redactor, store: storage.store });
  });

  const desk = createOwnersDesk(options, storage, {
    sources,
    connected: () => faces.connected(),
  });

  const runner = lazily(async () =>
    makeRunner(options, storage, { router: await router(), faces }),
  );
  const faces = createFaces({
    ...storage,
    config,
    clock,
    isService: options.kind === "service",
    settings: () => botSettings(config),
    runner,
    ...desk,
    onDeaf: () => options.onShutdown?.("deaf"),
    seams: options.seams,
  });

  return { ...storage, clock, sources, router, runner, ...desk, ...faces };
}

/** The parts of the program. */
export type Parts = ReturnType<typeof createParts>;
