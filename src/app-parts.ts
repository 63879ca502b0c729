import path from "node:path";

import { type Clock, systemClock } from "#core/clock.ts";
import type { ChatStore } from "#core/chat-store.ts";
import type { Receipt } from "#core/http.ts";
import { lazily } from "#core/lazy.ts";
import type { HolderKind, Shutdown } from "#core/operations.ts";
import type { Person } from "#core/person.ts";
import type { Redactor } from "#core/redact.ts";
import type { Router } from "#core/router.ts";
import type { Runner } from "#core/runner.ts";
import type { BotSettings } from "#core/settings.ts";
import type { Store } from "#core/store.ts";
import type { Tool } from "#core/tool.ts";

import type { Classifier } from "./agents/classifier/classifier.ts";
import type { Config, Folders } from "./config.ts";
import type { Proxy } from "./egress/connections.ts";
import { createFaces, type Faces } from "./faces.ts";
import type { MadeModels } from "./live-models.ts";
import type { ModelSources } from "./models/sources.ts";
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

/** The proxy of the settings; its credentials are asked for when they are sent. */
async function ownProxy(config: Config): Promise<Proxy | undefined> {
  const { privacySettingsSchema } = await import("#core/settings.ts");
  const { proxy, credentials } = await config.settings("privacy", privacySettingsSchema);
  if (proxy === null) return undefined;
  const authorization = (): string | undefined => {
    const pair = config.secrets(credentials)?.reveal();
    return pair === undefined ? undefined : `Basic ${Buffer.from(pair).toString("base64")}`;
  };
  return { url: proxy, authorization };
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
    const localOnly = async (taskId: string | null): Promise<boolean> =>
      (await (await store()).privacyRules(taskId)).has("local-only");
    const record = async (receipt: Receipt): Promise<void> => (await store()).putReceipt(receipt);
    const state = { said: false };
    const onUnrecorded = (error: unknown): void => {
      if (!state.said) person.notice(`Receipts cannot be stored: ${String(error)}`);
      state.said = true;
    };
    const proxy = await ownProxy(config);
    return createDoor({ clock, record, onUnrecorded, localOnly, proxy });
  });

  return { log, store, door };
}

type Storage = ReturnType<typeof createStorage>;

interface RunnerParts {
  readonly router: Router;
  readonly faces: Faces;
  readonly classifier: Classifier;
  /** Ends what is done in idle time. */
  readonly idle: AbortSignal;
}

async function makeTools(clock: Clock, store: ChatStore & Store): Promise<readonly Tool[]> {
  const [{ createAskPersonTool }, { createNowTool }, { createRecallHistoryTool }] =
    await Promise.all([
      import("./tools/ask-person.ts"),
      import("./tools/now.ts"),
      import("./tools/recall-history.ts"),
    ]);
  return [createNowTool(clock, store), createRecallHistoryTool(store), createAskPersonTool()];
}

/** The models of the settings as they are now. */
async function makeModels(options: Options, storage: Storage): Promise<MadeModels> {
  const [{ createSources }, { makeRouter }, { createSpawn }] = await Promise.all([
    import("./models/sources.ts"),
    import("./models/make-router.ts"),
    import("./sandbox/spawn.ts"),
  ]);
  const { config, redactor, person } = options;
  const clock = clockOf(options);
  const sources = createSources({
    ...config.folders,
    settings: await config.settings("models", await modelsSchema(config)),
    environment: config.environment,
    door: await storage.door(),
    spawn: createSpawn(),
    clock,
    person,
    readData: (file) => config.data(file),
    secrets: config.secrets,
  });
  return { sources, router: makeRouter({ sources, clock, redactor, store: storage.store }) };
}

/** The classifier of messages; only a process that lives for long trains one. */
async function makeClassifier(options: Options, storage: Storage): Promise<Classifier> {
  const [{ createClassifier }, { createSpawn }] = await Promise.all([
    import("./agents/classifier/classifier.ts"),
    import("./sandbox/spawn.ts"),
  ]);
  const { config, version, kind } = options;
  const { root, state } = config.folders;
  return createClassifier({
    folder: state,
    version,
    spawn: createSpawn(),
    mayTrain: kind === "service" || kind === "chat",
    clock: clockOf(options),
    log: await storage.log(),
    async sources() {
      const gold = await (await storage.store()).goldLabels();
      const phrasings = path.join(root, "config", "phrasings");
      return { agents: await config.agents(), phrasings, gold };
    },
  });
}

async function makeRunner(
  options: Options,
  storage: Storage,
  { router, faces, classifier, idle }: RunnerParts,
): Promise<Runner> {
  const [{ createRunner }, { createSpeech }] = await Promise.all([
    import("./agents/runner.ts"),
    import("./chat/parts.ts"),
  ]);
  const clock = clockOf(options);
  const [store, log] = [await storage.store(), await storage.log()];
  const tools = await makeTools(clock, store);
  const agents = await options.config.agents();
  const [platforms, prepare] = [await faces.platforms(), await faces.prepare()];
  const speech = createSpeech(platforms);
  const more = prepare === undefined ? {} : { prepare };
  // Beside all else: until it is ready it abstains.
  void classifier.prepare();
  if (options.kind === "service") {
    const { workWhenIdle } = await import("./agents/idle-work.ts");
    void workWhenIdle({ store, router, agents, tools, clock, log }, idle);
  }
  const { classify } = classifier;
  return createRunner({ store, router, tools, clock, log, speech, classify, ...more }, agents);
}

/** The schema of config/models.yaml with what its settings must say together. */
export async function modelsSchema({ environment }: Config) {
  const [{ createModelsConfigSchema }, { createSpawn }] = await Promise.all([
    import("./models/settings-rules.ts"),
    import("./sandbox/spawn.ts"),
  ]);
  return createModelsConfigSchema({ spawn: createSpawn(), environment });
}

/** The settings of config/bots.yaml. */
export async function botSettings(config: Config): Promise<BotSettings> {
  const { botSettingsSchema } = await import("#core/settings.ts");
  return config.settings("bots", botSettingsSchema);
}

/** The parts of the program; each is imported and made when it is first asked for. */
export function createParts(options: Options) {
  const { config, kind, person } = options;
  const clock = clockOf(options);
  const storage = createStorage(options);

  const idle = new AbortController();
  const models = lazily(async () => {
    const { openLiveModels } = await import("./live-models.ts");
    const live = await openLiveModels({
      make: () => makeModels(options, storage),
      fingerprint: () => config.fingerprint("models"),
      say: (notice) => person.notice(notice),
      clock,
    });
    if (kind === "service") void live.follow(idle.signal);
    return live;
  });
  const sources = async (): Promise<ModelSources> => (await models()).sources();
  const router = async (): Promise<Router> => (await models()).router;
  const classifier = lazily(() => makeClassifier(options, storage));
  const runner = lazily(async () => {
    const parts = { router: await router(), faces, classifier: await classifier() };
    return makeRunner(options, storage, { ...parts, idle: idle.signal });
  });
  const faces = createFaces({
    ...storage,
    config,
    clock,
    isService: kind === "service",
    settings: () => botSettings(config),
    runner,
    onDeaf: () => options.onShutdown?.("deaf"),
    seams: options.seams,
  });

  const stopIdle = (): void => idle.abort();
  return { ...storage, clock, models, sources, router, classifier, runner, stopIdle, ...faces };
}

/** The parts of the program. */
export type Parts = ReturnType<typeof createParts>;
