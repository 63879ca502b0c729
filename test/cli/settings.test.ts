import { readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, test } from "vitest";

import { type Run, run, scriptedHome, start } from "../fakes/program.ts";

const script = `
scenes:
  - when: zone
    replies: [{ toolCalls: [{ name: now, input: {} }] }, { text: "There." }]
  - replies: [{ text: "Hello." }]
`;

function expectOneLine(result: Run, code: number, line: RegExp): void {
  expect([result.code, result.stdout]).toEqual([code, ""]);
  expect(result.stderr.trim().split("\n")).toEqual([expect.stringMatching(line)]);
}

describe("agent config", () => {
  test("lists every setting and marks the owner's own", async () => {
    const home = await scriptedHome(script);
    const { stdout } = await run(home, ["config"]);
    expect(stdout).toContain("models.cloud = never\n");
    expect(stdout).toContain("models.use = script  (yours)\n");
    expect(stdout).toContain("agents.code.model_tier = local-smart\n");
    expect(stdout).toContain("log.keep_days = 14\n");
  });

  test("says when a service that runs takes it up", async () => {
    const home = await scriptedHome(script);
    await start(home, ["serve"]).saw("Serving");
    const set = async (key: string, value: string) =>
      (await run(home, ["config", "set", key, value])).stderr;
    const soon = "The service that runs takes it up within seconds.";
    const atStart = "The agent that runs read its settings at its start";
    expect(await set("models.budgets.day", "2")).toContain(soon);
    expect(await set("log.keep_days", "9")).toContain(atStart);
    expect((await run(home, ["setup", "--cloud", "when-asked"])).stderr).toContain(soon);
  });

  test("sets a value in the owner's own file and keeps the comments in it", async () => {
    const home = await scriptedHome(script);
    const file = path.join(home, "config/models.local.yaml");
    await writeFile(file, `# mine\n${await readFile(file, "utf8")}`);
    const set = await run(home, ["config", "set", "models.cloud", "when-asked"]);
    expect([set.code, set.stderr]).toEqual([0, "Written to config/models.local.yaml.\n"]);
    expect(await readFile(file, "utf8")).toMatch(/^# mine\n[\s\S]*cloud: when-asked/);
    const got = await run(home, ["config", "get", "models.cloud", "--json"]);
    expect(JSON.parse(got.stdout)).toEqual([
      { key: "models.cloud", value: "when-asked", own: true },
    ]);
    await run(home, ["config", "set", "agents.assistant.tools", "[now]"]);
    expect(await readFile(path.join(home, "config/agents/assistant.local.yaml"), "utf8")).toBe(
      "tools:\n  - now\n",
    );
    expect((await run(home, ["hi"])).code).toBe(0);
  });

  test.each([
    [
      "a key misspelt by one letter",
      ["get", "models.clod"],
      /^There is no setting "models\.clod": did you mean models\.cloud\?$/,
    ],
    ["an unknown file", ["set", "modles.cloud", "never"], /did you mean models\.cloud\?$/],
    [
      "a key that the file does not have",
      ["set", "models.clod", "never"],
      /^config\/models\.local\.yaml: there is no key clod: did you mean cloud\?$/,
    ],
    [
      "a key of a known entry",
      ["set", "models.hosts.ollama.ulr", "http://x"],
      /there is no key hosts\.ollama\.ulr: did you mean url\?$/,
    ],
    [
      "a value that is not one of them",
      ["set", "models.cloud", "maybe"],
      /^config\/models\.local\.yaml: the key cloud must be never, when-asked or fallback\.$/,
    ],
    ["a key without a file", ["set", "models", "x"], /^There is no setting "models"/],
    [
      "an unknown action",
      ["put", "a", "b"],
      /^agent config put is not known, or not whole: use list, get KEY or set KEY VALUE/,
    ],
  ])("%s is one line that says which was meant, and nothing is written", async (_, args, line) => {
    const home = await scriptedHome(script);
    const before = await readFile(path.join(home, "config/models.local.yaml"), "utf8");
    expectOneLine(await run(home, ["config", ...args]), 2, line);
    expect(await readFile(path.join(home, "config/models.local.yaml"), "utf8")).toBe(before);
  });

  test("a misspelt key in a file is named with the one that was meant", async () => {
    const home = await scriptedHome(script);
    await writeFile(path.join(home, "config/log.local.yaml"), "keep_dais: 3\n");
    expectOneLine(
      await run(home, ["config"]),
      2,
      /^config\/log\.local\.yaml:1: there is no key keep_dais: did you mean keep_days\?$/,
    );
  });
});

describe("agent setup", () => {
  test("takes its answers as flags", async () => {
    const home = await scriptedHome(script);
    const flags = [
      "--cloud",
      "fallback",
      "--model",
      "none",
      "--time-zone",
      "Asia/Tokyo",
      "--language",
      "nl",
    ];
    const { code } = await run(home, ["setup", ...flags]);
    expect(code).toBe(0);
    const cloud = await run(home, ["config", "get", "models.cloud"]);
    expect(cloud.stdout).toContain("models.cloud = fallback");
    await run(home, ["Which zone?"]);
    const { stdout } = await run(home, ["export"]);
    expect(stdout).toContain("(Asia/Tokyo)");
  });

  test("reads a key from standard input, keeps it for the owner alone, and shows it nowhere", async () => {
    const home = await scriptedHome(script);
    const result = await run(home, ["setup", "--key", "ANTHROPIC_API_KEY"], {
      input: "sk-ant-'it\"s-me\n",
    });
    expect([result.code, result.stdout + result.stderr]).toEqual([
      0,
      expect.not.stringContaining("sk-ant"),
    ]);
    const file = path.join(home, "secrets.env");
    expect(await readFile(file, "utf8")).toBe("ANTHROPIC_API_KEY=`sk-ant-'it\"s-me`\n");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await run(home, ["setup", "--key", "OPENAI_API_KEY"], { input: "sk-proj-2" });
    expect(await readFile(file, "utf8")).toContain("ANTHROPIC_API_KEY=");
  });

  test("a key that .env sets too is not kept where nobody would read it", async () => {
    const home = await scriptedHome(script);
    await writeFile(path.join(home, ".env"), "OPENAI_API_KEY=sk-old-1234567\n");
    const result = await run(home, ["setup", "--key", "OPENAI_API_KEY"], {
      input: "sk-new-7654321",
    });
    expectOneLine(
      result,
      2,
      /^OPENAI_API_KEY is set in the environment or in \.env, which go before/,
    );
  });

  test.each([
    [
      "nobody to ask",
      [],
      /^agent setup asks on a terminal, and this is none: give its answers as flags/,
    ],
    ["a rule that is none", ["--cloud", "always"], /^--cloud: /],
    [
      "a time zone that is none",
      ["--time-zone", "Mars/Base"],
      /^There is no time zone "Mars\/Base"/,
    ],
    ["a language that is none", ["--language", "xx-yy-zz-1"], /^There is no language "xx-yy-zz-1"/],
    [
      "a key without a value",
      ["--key", "OPENAI_API_KEY"],
      /^There is nothing to answer|^No OPENAI_API_KEY was given/,
    ],
  ])("%s is one line", async (_, args, line) => {
    expectOneLine(await run(await scriptedHome(script), ["setup", ...args]), 2, line);
  });
});

describe("agent logs", () => {
  test("shows what a task did, by its id, and follows what comes", async () => {
    const home = await scriptedHome(script);
    await run(home, ["hi"]);
    await run(home, ["Which zone?"]);
    const { stdout } = await run(home, ["history", "--json"]);
    const id = /"id":"\w{10}(\w{6})"/.exec(stdout)?.[1] ?? "";
    const lines = await run(home, ["logs", "--task", id]);
    expect(lines.stdout.trim().split("\n")).toHaveLength(5);
    expect(lines.stdout).toContain(`${id} tool called tool=now failed=false`);
    expect(lines.stdout).not.toContain("Which zone");
    const following = start(home, ["logs", "-f"]);
    await following.saw("task ended");
    await run(home, ["--chat", "later", "hi"]);
    const newest = await run(home, ["history", "--limit", "1", "--json"]);
    await following.saw(/"id":"\w{10}(\w{6})"/.exec(newest.stdout)?.[1] ?? "nothing");
    following.child.kill("SIGINT");
    expect((await following.ended).code).toBe(0);
  });

  test("of a home without one says so", async () => {
    expectOneLine(await run(await scriptedHome(script), ["logs"]), 1, /^There is no log in .* yet/);
  });

  test("whose folder cannot be written is one line, and the answer comes all the same", async () => {
    const home = await scriptedHome(script);
    await run(home, ["stats"]);
    await writeFile(path.join(home, "workspace/state/logs"), "a file in its place");
    const result = await run(home, ["hi"]);
    expect([result.code, result.stdout]).toEqual([0, "Hello.\n"]);
    expect(result.stderr.trim().split("\n")).toEqual([
      expect.stringMatching(
        /^The log in .*logs cannot be written \(.*\): check its owner and the disk\.$/,
      ),
    ]);
  });
});

describe("agent stats and completion", () => {
  test("stats tells tokens, time, cost and tiers", async () => {
    const home = await scriptedHome(script);
    await run(home, ["hi"]);
    const { stdout } = await run(home, ["stats", "--days", "7"]);
    expect(stdout).toMatch(/^Tasks of the last 7 days: 1 done\n/);
    expect(stdout).toMatch(/script +1 call, 0 failed, \d+ tokens read, \d+ written, .* no cost/);
    expect(stdout).toMatch(/local-fast +100 %/);
  });

  test.each([
    ["a command", "sta", "stats\t"],
    ["an option's values", "export --format ", "jsonl\t"],
    ["the tiers", "--tier ", "cloud\t"],
    ["what can be done with models", "models r", "route\t"],
    ["what can be done about privacy", "privacy ", "local-only\t"],
  ])("completion knows %s", async (_, typed, line) => {
    const { stdout } = await run(await scriptedHome(script), [
      "complete",
      "--",
      ...typed.split(" "),
    ]);
    expect(stdout).toContain(line);
  });

  test("completion prints a script for a shell", async () => {
    const { stdout, code } = await run(await scriptedHome(script), ["completion", "zsh"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("#compdef agent")]);
  });
});
