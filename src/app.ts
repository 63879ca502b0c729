import { systemClock } from "#core/clock.ts";
import type { Receipt } from "#core/http.ts";
import type { Person } from "#core/person.ts";
import type { Router } from "#core/router.ts";
import type { Runner } from "#core/runner.ts";
import { createSecret } from "#core/secret.ts";
import type { Store } from "#core/store.ts";

import type { Services } from "./cli/services.ts";
import type { Config } from "./config.ts";

/** A value made when it is first asked for, once. */
interface Lazy<Value> {
  (): Promise<Value>;
  /** The value; undefined when nobody asked for it, or when it could not be made. */
  made(): Promise<Value | undefined>;
}

function lazily<Value>(make: () => Promise<Value>): Lazy<Value> {
  const state: { value?: Promise<Value> } = {};
  return Object.assign(() => (state.value ??= make()), {
    made: async () => state.value?.catch(() => undefined),
  });
}

async function makeRunner(
  { config, person }: { readonly config: Config; readonly person: Person },
  store: Store,
  router: Router,
): Promise<Runner> {
  const [{ createRunner }, { createNowTool }, { createRecallHistoryTool }] = await Promise.all([
    import("./agents/runner.ts"),
    import("./tools/now.ts"),
    import("./tools/recall-history.ts"),
  ]);
  const clock = systemClock;
  const tools = [createNowTool(clock), createRecallHistoryTool(store)];
  const onBug = (error: unknown, taskId: string): void => person.bug(error, taskId);
  return createRunner({ store, router, tools, clock, onBug }, await config.agents());
}

function createParts(config: Config, person: Person) {
  const { folders, environment } = config;
  const clock = systemClock;

  const store = lazily(async () => {
    const { openStore } = await import("./store/open-store.ts");
    return openStore({ folder: folders.state, clock });
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

  const sources = lazily(async () => {
    const [{ createSources }, { createSpawn }, { modelsFileSchema }] = await Promise.all([
      import("./models/sources.ts"),
      import("./sandbox/spawn.ts"),
      import("./models/model-rows.ts"),
    ]);
    return createSources({
      ...folders,
      settings: await config.settings("models", modelsFileSchema),
      environment,
      door: await door(),
      spawn: createSpawn(),
      clock,
      person,
      readData: (file) => config.data(file),
      secrets: (name) => {
        const value = environment[name];
        return value === undefined || value === "" ? undefined : createSecret(name, value);
      },
    });
  });

  const router = lazily(async () => {
    const { createRouter } = await import("./models/router.ts");
    const made = await sources();
    return createRouter({ settings: made.settings, sources: made, clock });
  });

  const runner = lazily(async () => makeRunner({ config, person }, await store(), await router()));

  return { store, door, sources, router, runner };
}

/** Makes the parts of the program, wires them and ends them in order. Each is imported and made when it is first asked for. */
export function createApp(config: Config, person: Person): Services {
  const { store, door, sources, router, runner } = createParts(config, person);
  return {
    home: config.folders.home,
    store,
    router,
    runner,
    async models() {
      const { createModelCommands } = await import("./models/commands.ts");
      return createModelCommands(await sources(), await router(), person);
    },
    async doctor() {
      const { examine } = await import("./doctor.ts");
      return examine({ config, store, sources, router });
    },
    async close() {
      (await sources.made())?.close();
      await (await door.made())?.close();
      await (await store.made())?.close();
    },
  };
}
