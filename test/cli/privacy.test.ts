import { writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, test } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import { openStore } from "../../src/store/open-store.ts";
import { run, scriptedHome, start } from "../fakes/program.ts";

const script = `
scenes:
  - replies: [{ text: "Hello." }]
`;

/** A home with a model here and one in a cloud that does not exist. */
async function homeWithCloud(cloud: string): Promise<string> {
  const home = await scriptedHome(script);
  await writeFile(
    path.join(home, "config/models.local.yaml"),
    `use: script
cloud: ${cloud}
hosts:
  here: { kind: scripted, script: script.yaml }
  far: { kind: openai, url: "https://far.invalid/v1" }
deployments:
  script: { host: here, model: script }
  far: { host: far, model: far, price: { input: 1, output: 1 } }
tiers: { cloud-smart: [far] }
`,
  );
  return home;
}

const off = `Cloud: never. No model in a cloud is asked.
Local-only: off.
Memories: stay at home.
Files: stay at home.
Connected: no chat service.
`;

describe("agent privacy", () => {
  test("says what holds, and makes it hold everywhere or in one chat", async () => {
    const home = await scriptedHome(script);
    expect(await run(home, ["privacy"])).toEqual({ stdout: off, stderr: "", code: 0 });
    const on = await run(home, ["privacy", "local-only", "on", "--chat", "main"]);
    expect(on.stdout).toBe("Local-only is on in terminal:main: no cloud is reached.\n");
    await run(home, ["privacy", "allow", "files"]);
    const env = { TELEGRAM_BOT_TOKEN: "4242:stand-in-token-of-telegram" };
    const { stdout } = await run(home, ["privacy"], { env });
    expect(stdout).toContain("Local-only: on in terminal:main; elsewhere not.");
    expect(stdout).toContain("Files: may go where your words may, everywhere.");
    expect(stdout).toContain("Connected: Telegram, for the words of its own chats");
    const json = await run(home, ["privacy", "deny", "files", "--json"]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      cloud: "never",
      rules: [{ rule: "local-only", chatId: "terminal:main" }],
    });
  });

  test("takes no words that it does not know, and no chat that there is not", async () => {
    const home = await scriptedHome(script);
    for (const words of [["on"], ["local-only"], ["allow", "local-only"], ["check", "twice"]]) {
      const { code, stderr } = await run(home, ["privacy", ...words]);
      expect([code, stderr]).toEqual([
        2,
        expect.stringContaining("is not known, or not whole: use check"),
      ]);
    }
    const nowhere = await run(home, ["privacy", "local-only", "on", "--chat", "telegram:9"]);
    expect([nowhere.code, nowhere.stderr]).toEqual([
      2,
      "There is no chat telegram:9: agent show TASK names the chat of a task.\n",
    ]);
  });

  test("check tries every way out that must be shut", async () => {
    const home = await homeWithCloud("when-asked");
    const before = await run(home, ["privacy", "check"]);
    expect(before.code).toBe(0);
    expect(before.stdout).toMatch(/^may leave +models of far \(far\.invalid\): when you ask/m);
    expect(before.stdout).toMatch(/^none +telemetry: there is none/m);
    expect(before.stdout).toMatch(/^refused +a host that no rule names/m);
    await run(home, ["privacy", "local-only", "on"]);
    const after = await run(home, ["privacy", "check", "--json"]);
    expect(JSON.parse(after.stdout)).toContainEqual({
      path: "models of far",
      host: "far.invalid",
      outcome: "refused",
      reason: expect.stringContaining("Local-only mode is on"),
    });
  });

  test("is obeyed at once by a service that runs", async () => {
    const home = await homeWithCloud("when-asked");
    const service = start(home, ["serve"]);
    await service.saw("Serving");
    const cloud = async (): Promise<string> => {
      const { stdout } = await run(home, ["models", "check"]);
      return stdout.split("\n").find((line) => line.startsWith("cloud-smart")) ?? "";
    };
    expect(await cloud()).toMatch(/^cloud-smart: ok, \S+: listed in cloud-smart$/);
    await run(home, ["privacy", "local-only", "on"]);
    expect(await cloud()).toMatch(/^cloud-smart: no, .*local-only holds for it/);
    const asked = await run(home, ["--tier", "cloud", "Hello"]);
    expect([asked.code, asked.stderr]).toEqual([5, expect.stringContaining("local-only")]);
    await run(home, ["privacy", "local-only", "off"]);
    expect(await cloud()).toMatch(/^cloud-smart: ok/);
  });
});

describe("a request that is local-only", () => {
  test("goes to no cloud, also where one was asked for, and is shown as such", async () => {
    const home = await homeWithCloud("when-asked");
    expect(await run(home, ["ask", "--local-only", "Hello"])).toMatchObject({
      stdout: "Hello.\n",
      code: 0,
    });
    const cloud = await run(home, ["Hello", "there", "--local-only", "--tier", "cloud"]);
    expect([cloud.code, cloud.stderr]).toEqual([5, expect.stringContaining("local-only")]);
    const [task] = JSON.parse((await run(home, ["history", "--json"])).stdout);
    const shown = await run(home, ["show", task.id]);
    expect(shown.stdout).toContain("Chat terminal:main, local-only");
    expect(shown.stdout).toContain("Nothing left this machine.");
  });

  test("is no chat, and a chat of a chat service is none to ask in", async () => {
    const home = await scriptedHome(script);
    const chat = await run(home, ["-i", "--local-only"]);
    expect([chat.code, chat.stderr]).toEqual([2, expect.stringContaining("/privacy local-only")]);
    const there = await run(home, ["Hello", "--chat", "telegram:9"]);
    expect([there.code, there.stderr]).toEqual([2, expect.stringContaining("ask there")]);
  });
});

test("agent show --route tells what was asked for, the candidates, the attempts, times and cost", async () => {
  const home = await homeWithCloud("never");
  await run(home, ["Hello"]);
  const [task] = JSON.parse((await run(home, ["history", "--json"])).stdout);
  const { stdout } = await run(home, ["show", task.id, "--route"]);
  expect(stdout).toMatch(/^Step 1\n {2}asked for: tier local-fast, .*; the prompt holds /);
  expect(stdout).toMatch(/^ {4}answered {4}script \(local-fast\): your own choice/m);
  expect(stdout).toMatch(/^ {4}script \[ok\] your own choice/m);
  expect(stdout).toMatch(
    /^ {6}queued 0\.0 s, first token \d+\.\d s, whole \d+\.\d s; \d+ tokens read, \d+ written; no cost \(at home.*\)$/m,
  );
  const json = JSON.parse((await run(home, ["show", task.id, "--route", "--json"])).stdout);
  expect(json).toMatchObject({
    routes: [{ seq: 1, candidates: [{ deployment: "script", usable: true }] }],
    usage: [{ outcome: "ok", queuedMs: 0, priced: "home" }],
  });
});

/** A cloud's attempt of this cost, as the program stores it before anything is sent. */
async function spend(home: string, costUsd: number): Promise<void> {
  const folder = path.join(home, "workspace/state");
  const store = await openStore({ folder, clock: systemClock });
  try {
    await store.ensureChat({ id: "terminal:main", platform: "terminal", personId: "owner" });
    const words = { agent: "assistant", chosenBy: "default", tier: null, input: "hi" } as const;
    const task = await store.createTask({
      ...words,
      chatId: "terminal:main",
      personId: "owner",
      newConversation: false,
    });
    const attempt = { id: "a", deployment: "claude", tier: "cloud-smart", reason: "" } as const;
    const times = { startedAt: Date.now(), queuedMs: 0, durationMs: 0, outcome: "begun" } as const;
    await store.reserve({ ...attempt, ...times, taskId: task.id, seq: 1, costUsd }, []);
  } finally {
    await store.close();
  }
}

describe("agent stats", () => {
  test("says nothing of money where none was spent", async () => {
    const home = await scriptedHome(script);
    expect((await run(home, ["stats"])).stdout).not.toContain("Spent");
    expect(JSON.parse((await run(home, ["stats", "--json"])).stdout).spending).toEqual([]);
  });

  test("tells what was spent of each cap", async () => {
    const home = await scriptedHome(script);
    await spend(home, 0.25);
    const { stdout } = await run(home, ["stats"]);
    expect(stdout).toContain("Spent today: $0.25 of $1.00 (25 %).\n");
    expect(stdout).toContain("Spent this month: $0.25 of $10.00 (2 %).\n");
    const json = JSON.parse((await run(home, ["stats", "--json"])).stdout);
    expect(json.spending).toEqual([
      { name: "today", spentUsd: 0.25, capUsd: 1 },
      { name: "this month", spentUsd: 0.25, capUsd: 10 },
    ]);
  });
});
