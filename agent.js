#!/usr/bin/env node
// Plain JavaScript that any Node from 18 up can read: finds the right Node, gives it its flags, and starts src/main.ts (in the package: dist/src/main.js).
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, realpathSync } from "node:fs";
import module from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = path.dirname(realpathSync(fileURLToPath(import.meta.url)));
// A small young generation and small code: an idle agent is to be light. Set at run time these do nothing.
const heapFlags = ["--max-semi-space-size=1", "--optimize-for-size"];
const marker = "AGENT_LAUNCHED";

/** @param {string} version */
function isRightNode(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 24 || (major === 24 && minor >= 12);
}

/** The Node that the install brought, if it did. */
function installedNode() {
  const name = process.platform === "win32" ? "node.exe" : "node";
  const file = path.join(root, "node_modules", "node", "bin", name);
  return existsSync(file) ? file : undefined;
}

/**
 * Goes on in another process with the right Node and flags: in this one's place where the system can, else as its child.
 * @param {string} node
 */
function restart(node) {
  const args = [...heapFlags, fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const env = { ...process.env, [marker]: "1" };
  if (typeof process.execve === "function" && process.platform !== "win32") {
    process.execve(node, [node, ...args], env);
  }
  const child = spawn(node, args, { stdio: "inherit", env });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("error", (error) => {
    process.stderr.write(`${node} could not be started: ${error.message}\n`);
    process.exitCode = 3;
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exitCode = code ?? 1;
    else process.exitCode = 128 + (os.constants.signals[signal] ?? 0);
  });
}

/** The home as src/config.ts finds it; only the compile cache needs it this early. */
function homeFolder() {
  const args = process.argv.slice(2);
  const at = args.findIndex((arg) => arg === "--home" || arg.startsWith("--home="));
  const option =
    at === -1
      ? undefined
      : args[at]?.startsWith("--home=")
        ? args[at].slice("--home=".length)
        : args[at + 1];
  const named = option ?? process.env["AGENT_HOME"];
  if (named !== undefined && named !== "") return path.resolve(named);
  const checkout =
    !root.split(path.sep).includes("node_modules") && existsSync(path.join(root, "src"));
  return checkout ? root : path.join(os.homedir(), ".personal-ai-agent");
}

async function start() {
  const state = path.join(homeFolder(), "workspace", "state");
  try {
    // The cache would make it readable for everybody.
    mkdirSync(state, { recursive: true, mode: 0o700 });
    module.enableCompileCache?.(path.join(state, "compile-cache"));
  } catch {
    // A home that cannot be written is the store's to tell of; without a cache the start is only slower.
  }
  // The packed program has its JavaScript instead of the sources: Node strips no types under node_modules.
  const source = path.join(root, "src", "main.ts");
  const file = existsSync(source) ? source : path.join(root, "dist", "src", "main.js");
  const { main } = await import(pathToFileURL(file).href);
  await main(process.argv.slice(2), { root });
}

const right = isRightNode(process.versions.node);
const node = right ? process.execPath : installedNode();
if (process.env[marker] === "1" && right) {
  delete process.env[marker];
  await start();
} else if (node === undefined || process.env[marker] === "1") {
  process.stderr.write(
    `This needs Node 24.12 or newer, and here is ${process.versions.node}: run npm install in ${root}, or install Node 24.\n`,
  );
  process.exitCode = 3;
} else restart(node);
