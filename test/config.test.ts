import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { beforeEach, describe, expect, test } from "vitest";

import { type Config, findFolders, loadConfig } from "../src/config.ts";
import { createRedactor } from "../src/core/redact.ts";
import { modelSettingsSchema } from "../src/core/settings.ts";

const root = path.join(import.meta.dirname, "..");

describe("the owner's settings", () => {
  let home: string;
  let config: Config;

  async function own(name: string, text: string): Promise<void> {
    const file = path.join(home, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
    config = await loadConfig(findFolders(root, home), createRedactor());
  }

  const models = () => config.settings("models", modelSettingsSchema.loose());

  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), "config-"));
    config = await loadConfig(findFolders(root, home), createRedactor());
  });

  test("the shipped files are valid, and their agents are the four of the house", async () => {
    const agents = await config.agents();
    expect(agents.map((agent) => agent.name)).toEqual(["assistant", "code", "fileops", "research"]);
    const { tiers, use, cloud } = await models();
    expect([tiers["local-fast"], use, cloud]).toEqual([["ollama-qwen3-1.7b"], null, "never"]);
  });

  test("the owner's file is merged by key", async () => {
    await own("config/models.local.yaml", "deployments:\n  ollama-qwen3-8b: { context: 4096 }\n");
    const { deployments } = await models();
    expect(deployments["ollama-qwen3-8b"]).toMatchObject({ model: "qwen3:8b", context: 4096 });
    expect(deployments["ollama-qwen3-1.7b"]).toBeDefined();
  });

  test("variables come from .env in the home", async () => {
    await own(".env", "MY_MODEL=phi4\n");
    await own(
      "config/models.local.yaml",
      'deployments:\n  mine: { host: ollama, model: "${MY_MODEL}" }\n',
    );
    const { deployments } = await models();
    expect(deployments["mine"]?.model).toBe("phi4");
  });

  test("a variable that is not set is one sentence with the fix", async () => {
    await own("config/models.local.yaml", "use: ${NOT_SET_ANYWHERE}\n");
    await expect(models()).rejects.toThrow(
      "config/models.local.yaml: the variable NOT_SET_ANYWHERE is not set: add it to .env in the home.",
    );
  });

  test("malformed YAML names the file and the line", async () => {
    await own("config/models.local.yaml", "use: [1, 2\nhosts: {}\n");
    await expect(models()).rejects.toThrow(
      /^config\/models\.local\.yaml: is not valid YAML: .* at line \d+/,
    );
  });

  test("a wrong value names the file and the key", async () => {
    await own("config/models.local.yaml", "cloud: sometimes\n");
    await expect(models()).rejects.toThrow(
      "config/models.local.yaml:1: the key cloud must be never, when-asked or fallback.",
    );
  });

  test.each([
    ["budgets: { day: -3 }", "budgets.day must be at least 0."],
    ["budgets: { day: 2000000 }", "budgets.day must be at most 1000000."],
    ["budgets: { day: lots }", "budgets.day must be a number."],
    [
      "deployments: { a: { host: ollama, model: b, context: 1.5 } }",
      "deployments.a.context must be a whole number.",
    ],
    ["deployments: { a: { model: b } }", "deployments.a.host is missing."],
    ["deployments: { a: { host: ollama, model: '' } }", "deployments.a.model must not be empty."],
    ["tiers: { local-fast: [[]] }", "tiers.local-fast.0 must not be empty."],
    ["tiers: { local-fast: a }", "tiers.local-fast must be a list."],
    [
      "hosts: { ollama: { url: 'ftp://nas' } }",
      "hosts.ollama.url must be an address such as http://127.0.0.1:11434.",
    ],
  ])("%s is refused in plain words", async (line, sentence) => {
    await own("config/models.local.yaml", `${line}\n`);
    await expect(models()).rejects.toThrow(`config/models.local.yaml:1: the key ${sentence}`);
  });

  test("adding an agent is adding a file", async () => {
    await own(
      "config/agents/gardener.yaml",
      "name: gardener\ndescription: Plants.\nsystem_prompt: You know gardens.\n",
    );
    const agents = await config.agents();
    expect(agents.map((agent) => agent.name)).toContain("gardener");
  });

  test.each([
    ["max_cost: 0", "max_cost must be more than 0."],
    [`description: ${"Plants. ".repeat(40)}`, "description must have at most 300 characters."],
    [`examples: [${"a, ".repeat(51)}]`, "examples must have at most 50 entries."],
  ])("an agent's %s is refused in plain words", async (line, sentence) => {
    await own("config/agents/code.local.yaml", `${line}\n`);
    await expect(config.agents()).rejects.toThrow(
      `config/agents/code.local.yaml:1: the key ${sentence}`,
    );
  });

  test("an agent's misspelt key is refused by name", async () => {
    await own("config/agents/code.local.yaml", "max_iteration: 3\n");
    await expect(config.agents()).rejects.toThrow(
      /^config\/agents\/code\.local\.yaml:1: .*max_iteration/,
    );
  });

  test("an agent's name must be that of its file", async () => {
    await own(
      "config/agents/cook.yaml",
      "name: chef\ndescription: Food.\nsystem_prompt: You cook.\n",
    );
    await expect(config.agents()).rejects.toThrow("the key name must be cook, as the file.");
  });

  test.each([
    ["127.0.0.1", "http://127.0.0.1:11434"],
    ["0.0.0.0:11500", "http://127.0.0.1:11500"],
    ["http://nas.local", "http://nas.local:11434"],
    ["https://gpu.example", "https://gpu.example"],
    ["http://[::1]:9", "http://[::1]:9"],
  ])("OLLAMA_HOST as %s is %s", async (given, url) => {
    await own("config/models.local.yaml", `hosts:\n  ollama: { kind: ollama, url: "${given}" }\n`);
    const { hosts } = await models();
    expect(hosts["ollama"]).toMatchObject({ url });
  });

  test("the home is never the current directory", () => {
    const installed = path.join(tmpdir(), "node_modules", "personal-ai-agent");
    expect(findFolders(installed, undefined).home).toMatch(/\.personal-ai-agent$/);
    expect(findFolders(root, undefined).home).toBe(process.env["AGENT_HOME"] ?? root);
  });
});
