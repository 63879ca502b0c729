import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";

import { parse } from "yaml";
import { z } from "zod";

import { systemClock } from "../../src/core/clock.ts";
import { reasonOf } from "../../src/core/errors.ts";
import { createDoor } from "../../src/egress/door.ts";
import { createModelFiles } from "../../src/models/model-files.ts";
import { modelsFileSchema } from "../../src/models/model-rows.ts";
import { createSpawn } from "../../src/sandbox/spawn.ts";

/** The starter's file, or why it cannot be had. */
export interface Starter {
  readonly file: string | undefined;
  readonly reason: string;
}

const cache = path.join(
  process.env["XDG_CACHE_HOME"] ?? path.join(homedir(), ".cache"),
  "personal-ai-agent",
  "models",
);

/** The starter in a cache outside the checkout; downloaded by the product's own way when it is not there yet. */
export async function findStarter(settingsText: string): Promise<Starter> {
  const settings = modelsFileSchema
    .omit({ hosts: true })
    .loose()
    .parse({ ...z.record(z.string(), z.unknown()).parse(parse(settingsText)), hosts: {} });
  const record = (): Promise<void> => Promise.resolve();
  const door = createDoor({
    clock: systemClock,
    record,
    onUnrecorded: () => {},
    localOnly: () => Promise.resolve(false),
  });
  const files = createModelFiles({
    folder: cache,
    rows: settings.embedded,
    hub: settings.hub,
    door,
    spawn: createSpawn(),
    clock: systemClock,
    environment: process.env,
  });
  try {
    await mkdir(cache, { recursive: true });
    const local = async () => (await files.local()).find(({ row }) => row?.starter === true)?.file;
    if ((await local()) === undefined) {
      const signal = AbortSignal.timeout(100_000);
      await files.pull("smollm2-135m", { signal, taskId: null, onProgress: () => {} });
    }
    return { file: await local(), reason: "" };
  } catch (error) {
    return { file: undefined, reason: reasonOf(error) };
  } finally {
    await door.close();
  }
}
