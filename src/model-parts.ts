import path from "node:path";

import type { Classifier } from "./agents/classifier/classifier.ts";
import type { Config } from "./config.ts";
import type { MadeModels } from "./live-models.ts";
import { clockOf, type Options } from "./options.ts";
import type { Storage } from "./storage-parts.ts";

/** The schema of config/models.yaml with what its settings must say together. */
export async function modelsSchema(config: Config) {
  const [{ createModelsConfigSchema }, { createSpawn }] = await Promise.all([
    import("./models/settings-rules.ts"),
    import("./sandbox/spawn.ts"),
  ]);
  return createModelsConfigSchema({
    spawn: createSpawn(),
    environment: config.environment,
    agents: async () => (await config.agents()).map(({ name }) => name),
  });
}

/** The models of the settings as they are now. */
export async function makeModels(options: Options, storage: Storage): Promise<MadeModels> {
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

/** The first answers have the machine. */
const trainsAfterMs = 15_000;

/** The classifier of messages; only a process that lives for long trains one. */
export async function makeClassifier(options: Options, storage: Storage): Promise<Classifier> {
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
    trainsAfterMs: kind === "service" || kind === "chat" ? trainsAfterMs : null,
    clock: clockOf(options),
    log: await storage.log(),
    async sources() {
      const gold = await (await storage.store()).goldLabels();
      const phrasings = path.join(root, "config", "phrasings");
      return { agents: await config.agents(), phrasings, gold };
    },
  });
}
