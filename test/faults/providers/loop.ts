import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { z } from "zod";

import { createRunner } from "../../../src/agents/runner.ts";
import { systemClock } from "../../../src/core/clock.ts";
import type { Router } from "../../../src/core/router.ts";
import type { Task } from "../../../src/core/task.ts";
import type { Tool } from "../../../src/core/tool.ts";
import { openStore } from "../../../src/store/open-store.ts";
import { makeAgent } from "../../fakes/agents.ts";
import { createFakeLog } from "../../fakes/log.ts";

import type { World } from "./stage.ts";

const input = z.strictObject({ zone: z.string() });

const now: Tool<z.infer<typeof input>> = {
  name: "now",
  gives: "instructions",
  description: "The current time.",
  input,
  risk: "read",
  run: ({ zone }) => Promise.resolve(`noon in ${zone}`),
};

/** Works one task with the product's loop over a router and gives how it ended. */
export async function runTask(world: World, router: Router): Promise<Task> {
  const folder = await mkdtemp(path.join(tmpdir(), "providers-task-"));
  const store = await openStore({ folder, clock: systemClock });
  world.onEnd(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  const log = createFakeLog((error) => {
    throw error;
  });
  const agent = makeAgent({ name: "assistant", tools: ["now"], model_tier: "local-smart" });
  const runner = createRunner({ store, router, tools: [now], clock: systemClock, log }, [agent]);
  const chat = { id: "terminal:main", platform: "terminal", personId: "owner" };
  await store.ensureChat(chat);
  return runner.run({ chatId: chat.id, personId: chat.personId, words: "What time is it?" }, {});
}
