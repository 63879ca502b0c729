import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { buildPrompt, toolSpec } from "../src/agents/prompt.ts";
import { findFolders, loadConfig } from "../src/config.ts";
import type { Agent } from "../src/core/agent.ts";
import { systemClock } from "../src/core/clock.ts";
import type { ModelLimits } from "../src/core/model.ts";
import type { Tool } from "../src/core/tool.ts";
import { createRedactor } from "../src/core/redact.ts";
import { createEmbeddedModel, type EmbeddedModel } from "../src/models/embedded/model.ts";
import { createSpawn } from "../src/sandbox/spawn.ts";
import { openStore } from "../src/store/open-store.ts";
import { createAskPersonTool } from "../src/tools/ask-person.ts";
import { createNowTool } from "../src/tools/now.ts";
import { createRecallHistoryTool } from "../src/tools/recall-history.ts";
import { findStarter } from "../test/models/starter.ts";

import { type BenchResult, type Figure, figure, resultOf } from "./result.ts";

const root = path.join(import.meta.dirname, "..");

const limits: ModelLimits = {
  contextTokens: 8192,
  promptBudget: 2000,
  tools: true,
  bare: false,
  maxAnswerTokens: 1024,
};

async function partsOf(
  agent: Agent,
  tools: readonly Tool[],
  model: EmbeddedModel,
): Promise<Figure[]> {
  const specs = tools.filter((tool) => agent.tools.includes(tool.name)).map(toolSpec);
  const person = { timeZone: null, language: null };
  const parts = { agent, person, specs, turns: [], input: "hello", steps: [] };
  const { prompt } = buildPrompt(parts, limits);
  const [instructions = 0, words = 0, schemas = 0] = await model.count([
    prompt.messages[0]?.text ?? "",
    "hello",
    JSON.stringify(prompt.tools),
  ]);
  return [
    figure(`${agent.name}: instructions`, instructions),
    figure(`${agent.name}: tool schemas`, schemas),
    figure(`${agent.name}: whole, on a local tier`, instructions + schemas + words, 2000),
    figure(`${agent.name}: whole, on an embedded model`, instructions + schemas + words, 700),
  ];
}

/** The first prompt of every shipped agent by parts, counted with the starter's tokenizer. */
export async function run(): Promise<BenchResult> {
  const starter = await findStarter(await readFile(path.join(root, "config/models.yaml"), "utf8"));
  if (starter.file === undefined) throw new Error(`no tokenizer: ${starter.reason}`);
  const home = await mkdtemp(path.join(tmpdir(), "bench-prompt-"));
  const store = await openStore({ folder: path.join(home, "state"), clock: systemClock });
  const model = createEmbeddedModel({
    id: "starter",
    name: "starter",
    file: starter.file,
    limits: { ...limits, contextTokens: 512 },
    spawn: createSpawn(),
    env: {},
    clock: systemClock,
  });
  try {
    const agents = await (await loadConfig(findFolders(root, home), createRedactor())).agents();
    const now = createNowTool(systemClock, store);
    const tools = [now, createRecallHistoryTool(store), createAskPersonTool()];
    const figures = [];
    for (const agent of agents) figures.push(...(await partsOf(agent, tools, model)));
    return resultOf("prompt", 0, figures);
  } finally {
    model.close();
    await store.close();
    await rm(home, { recursive: true, force: true });
  }
}
