import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";

import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";

import { scriptedHome } from "./fakes/program.ts";

const root = path.join(import.meta.dirname, "..");
const script =
  'scenes: [{ when: fail, replies: [{ failure: model.timeout }] }, { replies: [{ text: "Hello.", piece: 2 }] }]';

function sh(cwd: string, command: string, ...args: readonly string[]) {
  const env = { ...process.env, PATH: `${path.dirname(process.execPath)}:${process.env["PATH"]}` };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  return { status, stdout, stderr };
}

const listSchema = z.array(
  z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) }),
);

describe("the packed program, installed into an empty folder", () => {
  const state = { folder: "", files: new Array<string>() };

  beforeAll(async () => {
    const { mkdtemp, rm } = await import("node:fs/promises");
    const { tmpdir } = await import("node:os");
    state.folder = await mkdtemp(path.join(tmpdir(), "pack-"));
    const packed = sh(root, "npm", "pack", "--json", "--pack-destination", state.folder);
    const list = listSchema.parse(JSON.parse(packed.stdout.slice(packed.stdout.indexOf("[\n"))));
    state.files = list.flatMap(({ files }) => files.map((file) => file.path));
    await writeFile(path.join(state.folder, "package.json"), '{ "type": "module" }');
    const tarball = list[0]?.filename ?? "";
    const args = ["install", "--ignore-scripts", "--no-audit", "--prefer-offline", `./${tarball}`];
    const installed = sh(state.folder, "npm", ...args);
    if (installed.status !== 0) throw new Error(installed.stderr);
    return () => rm(state.folder, { recursive: true, force: true });
  });

  test("holds no file of sources, tests, benches or state", () => {
    const roots = new Set(state.files.map((file) => file.split("/")[0]));
    const wanted = ["LICENSE", "README.md", "agent.js", "config", "dist"];
    expect(roots).toEqual(new Set([...wanted, "package.json"]));
    const strangers = state.files.filter((file) =>
      /(?<!\.d)\.ts$|test|bench|workspace|\.local\./.test(file),
    );
    expect(strangers).toEqual([]);
  });

  test("has neither the embedded engine nor a tool of development", () => {
    const names = readdirSync(path.join(state.folder, "node_modules"));
    expect(names).toContain("personal-ai-agent");
    expect(names.filter((name) => /node-llama-cpp|vitest|typescript|oxlint/.test(name))).toEqual(
      [],
    );
  });

  test("answers as a command, and the doctor prints the line that adds the engine", async () => {
    const home = await scriptedHome(script);
    const agent = path.join(state.folder, "node_modules/.bin/agent");
    expect(sh(state.folder, agent, "--home", home, "hi")).toMatchObject({
      status: 0,
      stdout: "Hello.\n",
    });
    const doctor = sh(state.folder, agent, "--home", home, "doctor");
    expect(doctor.stdout).toContain("npm install node-llama-cpp@3.21.1");
  });

  test("answers as an API, streams, refuses in words and is closed by await using", async () => {
    const home = await scriptedHome(script);
    const program = path.join(state.folder, "program.js");
    onTestFinished(() => writeFile(program, ""));
    await writeFile(
      program,
      `import { AgentError, createAgent } from "personal-ai-agent";
const seen = [];
{
  await using agent = await createAgent({ home: ${JSON.stringify(home)} });
  seen.push(await agent.run({ input: "hi" }));
  const events = [];
  for await (const event of agent.stream({ input: "hi" })) events.push(event.type);
  seen.push([...new Set(events)]);
  const error = await agent.run({ input: "fail" }).catch((reason) => reason);
  seen.push([error instanceof AgentError, error.code, typeof error.taskId]);
  const stopped = await agent.run({ input: "hi", signal: AbortSignal.abort(new Error("enough")) }).catch((reason) => reason.message);
  seen.push(stopped, (await agent.history({ limit: 9 })).length, (await agent.stats()).tasks.done);
}
console.log(JSON.stringify(seen));
`,
    );
    const { stdout, stderr } = sh(state.folder, process.execPath, program);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual([
      {
        taskId: expect.any(String),
        output: "Hello.",
        model: "script",
        tier: "local-fast",
        promptTokens: expect.any(Number),
        answerTokens: 2,
        costUsd: 0,
      },
      ["start", "chosen", "text", "end"],
      [true, "model.timeout", "string"],
      "enough",
      4,
      2,
    ]);
  });

  test("trains the classifier of messages in a process of its own, on the phrasings that it brings", async () => {
    const program = path.join(state.folder, "classify.js");
    onTestFinished(() => writeFile(program, ""));
    await writeFile(
      program,
      `const root = new URL("./node_modules/personal-ai-agent/", import.meta.url);
const { createClassifier } = await import(new URL("dist/src/agents/classifier/classifier.js", root));
const { systemClock } = await import(new URL("dist/src/core/clock.js", root));
const { createSpawn } = await import(new URL("dist/src/sandbox/spawn.js", root));
const process = { spawn: createSpawn(), trainsAfterMs: 0 };
const agents = ["assistant", "code", "fileops", "research"].map((name) => ({ name, examples: [] }));
const phrasings = new URL("config/phrasings", root).pathname;
const sources = async () => ({ agents, phrasings, gold: [] });
const log = { info: () => {}, warn: console.error, bug: console.error };
const folder = ${JSON.stringify(path.join(state.folder, "cache"))};
const classifier = createClassifier({ folder, version: "1", sources, ...process, clock: systemClock, log });
await classifier.prepare();
console.log((await classifier.classify("Write a Python function that reverses a list")).agent);
`,
    );
    expect(sh(state.folder, process.execPath, program)).toMatchObject({
      status: 0,
      stdout: "code\n",
      stderr: "",
    });
  });

  test("brings types that a strict program compiles against", async () => {
    const file = path.join(state.folder, "typed.ts");
    await writeFile(
      file,
      `import { createAgent, type RunResult } from "personal-ai-agent";
const agent = await createAgent();
const result: RunResult = await agent.run({ input: "hi" });
export const cost: number | null = result.costUsd;
`,
    );
    const tsc = path.join(root, "node_modules/typescript/bin/tsc");
    const options = [
      "--noEmit",
      "--strict",
      "--skipLibCheck",
      "--module",
      "nodenext",
      "--target",
      "esnext",
    ];
    expect(sh(state.folder, process.execPath, tsc, ...options, file)).toMatchObject({
      status: 0,
      stdout: "",
    });
  });
});
