import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";

import { expect, test } from "vitest";

import { emptyFolder } from "./fakes/folder.ts";

const root = path.join(import.meta.dirname, "..");

/** A checkout with the real launcher and a program that only tells how it was started. */
async function checkout(): Promise<string> {
  const folder = await emptyFolder("launcher");
  cpSync(path.join(root, "agent.js"), path.join(folder, "agent.js"));
  mkdirSync(path.join(folder, "src"));
  writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(
    path.join(folder, "src/main.ts"),
    `export async function main(argv: string[], launch: { root: string }): Promise<void> {
      const { execArgv, versions, env } = process;
      console.log(JSON.stringify({ argv, ...launch, execArgv, node: versions.node, marker: env["AGENT_LAUNCHED"] ?? null }));
      process.exitCode = 7;
    }`,
  );
  return folder;
}

function launch(node: string, file: string, args: readonly string[] = []) {
  const { stdout, stderr, status } = spawnSync(node, [file, ...args], { encoding: "utf8" });
  return { stdout, stderr, status };
}

test("the program gets its arguments, its root and its flags, from any link to it", async () => {
  const folder = await checkout();
  const link = path.join(folder, "elsewhere");
  symlinkSync(path.join(folder, "agent.js"), link);
  const { stdout, stderr, status } = launch(process.execPath, link, ["--json", "two words"]);
  expect([stderr, status]).toEqual(["", 7]);
  expect(JSON.parse(stdout)).toEqual({
    argv: ["--json", "two words"],
    root: folder,
    execArgv: ["--max-semi-space-size=1", "--optimize-for-size"],
    node: process.versions.node,
    marker: null,
  });
});

const oldNode = ["/usr/bin/node", "/usr/local/bin/node"].find((node) => {
  const { stdout } = spawnSync(node, ["--version"], { encoding: "utf8" });
  return /^v(18|20|22)\./.test(stdout ?? "");
});

test.skipIf(oldNode === undefined)(
  "an old Node starts the one that the install brought (skipped without an old Node)",
  async () => {
    const folder = await checkout();
    const bin = path.join(folder, "node_modules/node/bin");
    mkdirSync(bin, { recursive: true });
    symlinkSync(process.execPath, path.join(bin, "node"));
    const { stdout, status } = launch(oldNode ?? "", path.join(folder, "agent.js"), ["hello"]);
    expect(JSON.parse(stdout)).toMatchObject({ argv: ["hello"], node: process.versions.node });
    expect(status).toBe(7);
  },
);

test.skipIf(oldNode === undefined)(
  "an old Node alone is one sentence with the fix (skipped without an old Node)",
  async () => {
    const folder = await checkout();
    const { stderr, status } = launch(oldNode ?? "", path.join(folder, "agent.js"));
    const version = execFileSync(oldNode ?? "", ["-p", "process.versions.node"], {
      encoding: "utf8",
    });
    expect(stderr).toBe(
      `This needs Node 24.12 or newer, and here is ${version.trim()}: run npm install in ${folder}, or install Node 24.\n`,
    );
    expect(status).toBe(3);
  },
);
