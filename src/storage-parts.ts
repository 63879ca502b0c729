import path from "node:path";

import { AppError } from "#core/errors.ts";
import type { Receipt } from "#core/http.ts";
import { lazily } from "#core/lazy.ts";

import type { Config } from "./config.ts";
import type { OwnersProxy } from "./egress/proxy.ts";
import { clockOf, type Options } from "./options.ts";

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

/** The log, the store and the door out; each is made when it is first asked for. */
export function createStorage(options: Options) {
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

/** The log, the store and the door out. */
export type Storage = ReturnType<typeof createStorage>;
