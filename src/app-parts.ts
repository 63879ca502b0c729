import type { Clock } from "#core/clock.ts";
import type { ChatStore } from "#core/chat-store.ts";
import { lazily } from "#core/lazy.ts";
import type { Spending } from "#core/ledger.ts";
import { owner } from "#core/person.ts";
import type { Router } from "#core/router.ts";
import type { Runner } from "#core/runner.ts";
import type { BotSettings } from "#core/settings.ts";
import type { Store } from "#core/store.ts";
import { machineTimeZone } from "#core/time.ts";
import type { Tool } from "#core/tool.ts";

import type { Classifier } from "./agents/classifier/classifier.ts";
import type { Config } from "./config.ts";
import { createFaces, type Faces } from "./faces.ts";
import { makeClassifier, makeModels } from "./model-parts.ts";
import type { ModelSources } from "./models/sources.ts";
import { clockOf, type Options } from "./options.ts";
import type { ConnectedPlatform } from "./privacy-desk.ts";
import { createStorage, type Storage } from "./storage-parts.ts";

/** No month is longer, whatever its time zone does with the clock. */
const longestMonthMs = 32 * 86_400_000;

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

async function makeRunner(
  options: Options,
  storage: Storage,
  { router, faces, classifier, idle }: RunnerParts,
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
  // Beside all else: until it is ready it abstains.
  void classifier.prepare();
  if (options.kind === "service") {
    const { workWhenIdle } = await import("./agents/idle-work.ts");
    void workWhenIdle({ store, router, agents, tools, clock, log }, idle);
  }
  const { classify, prepare: learn } = classifier;
  const deps = { store, router, tools, clock, log, speech, classify, learn, ...more };
  return logBudgets(createRunner(deps, agents), log);
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
    const [ledger, clock] = [await store(), clockOf(options)];
    const lately = { name: "", capUsd: 0, since: clock.now() - longestMonthMs, of: {} };
    const [spent = 0] = await ledger.spent([lately]);
    // Most owners spend nothing: no settings are read and no time zone is looked up to tell them so.
    if (spent === 0) return [];
    const timeZone = (await ledger.person(owner)).timeZone ?? machineTimeZone();
    const { spendingOf } = await import("./spending.ts");
    const { budgets } = await settings();
    return spendingOf({ budgets, ledger, clock, timeZone });
  };

  return { privacy, spending };
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
  const desk = createOwnersDesk(options, storage, {
    sources,
    connected: () => faces.connected(),
  });
  const faces = createFaces({
    ...storage,
    config,
    clock,
    isService: kind === "service",
    settings: () => botSettings(config),
    runner,
    ...desk,
    onDeaf: () => options.onShutdown?.("deaf"),
    seams: options.seams,
  });

  const stopIdle = (): void => idle.abort();
  const made = { clock, models, sources, router, classifier, runner, stopIdle };
  return { ...storage, ...made, ...desk, ...faces };
}

/** The parts of the program. */
export type Parts = ReturnType<typeof createParts>;
