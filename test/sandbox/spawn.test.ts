import { spawn as nodeSpawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { expect, onTestFinished, test } from "vitest";

import type { Child } from "../../src/core/process.ts";
import { createSpawn } from "../../src/sandbox/spawn.ts";

const spawn = createSpawn();

function start(
  script: string,
  options: { env?: Record<string, string>; messages?: boolean } = {},
): Child {
  const child = spawn({
    command: process.execPath,
    args: ["--input-type=module", "-e", script],
    env: options.env ?? {},
    messages: options.messages ?? false,
  });
  onTestFinished(() => child.kill("SIGKILL"));
  return child;
}

async function outputOf(child: Child): Promise<string> {
  let output = "";
  child.onOutput((stream, text) => {
    if (stream === "stdout") output += text;
  });
  await child.exited;
  return output;
}

test("whatever is made anew with each change of settings leaves nothing behind that listens to this process", async () => {
  const before = process.listenerCount("exit");
  for (let made = 0; made < 20; made += 1) createSpawn();
  expect(process.listenerCount("exit")).toBe(before);
  const child = start("");
  expect(process.listenerCount("exit")).toBe(before + 1);
  await child.exited;
  expect(process.listenerCount("exit")).toBe(before);
});

test("a child sees only the environment it is given", async () => {
  const child = start("console.log(JSON.stringify(process.env))", { env: { ONLY: "this" } });
  expect(JSON.parse(await outputOf(child))).toEqual({ ONLY: "this" });
});

test("characters that are cut between pieces stay whole", async () => {
  const script = `
    const bytes = Buffer.from("é€😀".repeat(3));
    for (const byte of bytes) { process.stdout.write(Buffer.from([byte])); await new Promise((r) => setTimeout(r, 1)); }`;
  expect(await outputOf(start(script))).toBe("é€😀".repeat(3));
});

test("a child that says more than a pipe holds is not stopped by it", async () => {
  const child = start("for (let i = 0; i < 100; i += 1) console.log('x'.repeat(10_000))");
  expect(await child.exited).toMatchObject({ code: 0 });
});

test("messages go both ways", async () => {
  const child = start(
    `process.on("message", (text) => { process.send(text); process.disconnect(); })`,
    {
      messages: true,
    },
  );
  const answer = new Promise((resolve) => child.onMessage(resolve));
  child.send({ hello: ["wörld", 1] });
  expect(await answer).toEqual({ hello: ["wörld", 1] });
});

test("a command that is not there shows in how it exited", async () => {
  const child = spawn({ command: "/no/such/command", args: [], env: {} });
  expect(await child.exited).toMatchObject({
    code: null,
    error: expect.stringContaining("ENOENT"),
  });
});

test("a killed child says by which signal", async () => {
  const child = start("setInterval(() => {}, 1000); console.log('up')");
  await new Promise<void>((resolve) => child.onOutput(() => resolve()));
  child.kill("SIGKILL");
  expect(await child.exited).toMatchObject({ signal: "SIGKILL" });
});

test("children end with the process that started them", async () => {
  const module = path.join(import.meta.dirname, "../../src/sandbox/spawn.ts");
  const script = `
    const { createSpawn } = await import(${JSON.stringify(module)});
    const child = createSpawn()({ command: process.execPath, args: ["-e", "setInterval(() => {}, 1000)"], env: {} });
    console.log(child.pid);
    setTimeout(() => process.exit(), 50);`;
  const parent = nodeSpawn(process.execPath, ["--input-type=module", "-e", script]);
  const [text] = await once(parent.stdout, "data");
  await once(parent, "exit");
  const pid = Number(String(text));
  await expect.poll(() => isAlive(pid)).toBe(false);
});

/** A zombie that nobody has reaped yet is dead. */
function isAlive(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  if (existsSync(stat)) return !readFileSync(stat, "utf8").includes(") Z ");
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
