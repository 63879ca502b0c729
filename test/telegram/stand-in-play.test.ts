import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { emptyFolder } from "../fakes/folder.ts";
import { writeScript } from "../fakes/program.ts";

function play(...args: readonly string[]) {
  const script = path.join(import.meta.dirname, "../../scripts/play.ts");
  const child = spawn(process.execPath, [script, ...args]);
  onTestFinished(() => void child.kill("SIGKILL"));
  const seen = { text: "" };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (seen.text += text));
  }
  return { child, seen };
}

async function firstEvent(url: string): Promise<string> {
  const ended = new AbortController();
  const response = await fetch(`${url}events`, { signal: ended.signal });
  const chunk = await response.body?.getReader().read();
  ended.abort();
  return new TextDecoder().decode(chunk?.value);
}

describe("npm run play", () => {
  test("answers what is written on its page, and leaves a home as it was", async () => {
    const home = await emptyFolder("home");
    await writeScript(home, 'scenes: [{ replies: [{ text: "You said: {words}" }] }]\n');
    const { child, seen } = play("telegram", "--home", home);
    await expect.poll(() => /http:\S+/.exec(seen.text)?.[0]).toBeDefined();
    const url = /http:\S+/.exec(seen.text)?.[0] ?? "";
    const said = await fetch(`${url}do`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ deed: "write", chat: 1001, from: 1001, text: "hello" }),
    });
    expect(said.status).toBe(204);
    await expect.poll(() => firstEvent(url)).toContain("You said: hello");
    child.kill("SIGTERM");
    await once(child, "exit");
    expect([child.exitCode, existsSync(path.join(home, "config/bots.local.yaml"))]).toEqual([
      0,
      false,
    ]);
  });

  test("keeps away from a home that has a bot of its own", async () => {
    const home = await emptyFolder("home");
    await mkdir(path.join(home, "config"));
    await writeFile(path.join(home, "config/bots.local.yaml"), "telegram: { owners: [1] }\n");
    const { child, seen } = play("telegram", "--home", home);
    await once(child, "exit");
    expect(child.exitCode).toBe(1);
    expect(seen.text).toContain("is yours");
  });
});
