import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

import { z } from "zod";

import { launcher, residentMb, startService } from "./program.ts";
import { type BenchResult, figure, median, resultOf } from "./result.ts";

const root = path.join(import.meta.dirname, "..");
const exec = promisify(execFile);
const rounds = 7;

/** Milliseconds from process start to the chat's first words, and megabytes when it has been idle for a while. */
async function chatStart(home: string): Promise<{ readyMs: number; idleMb: number }> {
  const start = performance.now();
  const child = spawn(process.execPath, [launcher, "--home", home, "-i"], {
    stdio: ["pipe", "ignore", "pipe"],
  });
  await once(child.stderr, "data");
  const readyMs = performance.now() - start;
  await pause(1500);
  const idleMb = await residentMb(child.pid ?? 0, "VmRSS");
  child.stdin.end();
  await once(child, "exit");
  return { readyMs, idleMb };
}

/** Milliseconds of `agent stats` beside a service, and the service's megabytes when it has been idle for a while. */
async function besideService(home: string): Promise<{ statsMs: number; idleMb: number }> {
  const service = await startService(home);
  const runs = [];
  for (let i = 0; i < rounds; i += 1) runs.push((await statsRun(home)).ms);
  await pause(1500);
  const idleMb = await residentMb(service.pid ?? 0, "VmRSS");
  service.kill("SIGTERM");
  await once(service, "exit");
  return { statsMs: median(runs), idleMb };
}

/** Milliseconds and peak megabytes of `agent stats`; the peak is read while it lives, every two milliseconds. */
async function statsRun(home: string): Promise<{ ms: number; peakMb: number }> {
  const start = performance.now();
  const child = spawn(process.execPath, [launcher, "--home", home, "stats"], { stdio: "ignore" });
  const exited = once(child, "exit").then(() => performance.now() - start);
  const state = { over: false, peakMb: 0 };
  void exited.then(() => (state.over = true));
  while (!state.over) {
    const seen = await residentMb(child.pid ?? 0, "VmHWM").catch(() => 0);
    state.peakMb = Math.max(state.peakMb, seen);
    await pause(2);
  }
  return { ms: await exited, peakMb: state.peakMb };
}

const lockSchema = z.object({ packages: z.record(z.string(), z.unknown()) });

const manifestSchema = z.looseObject({
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
});

/** A manifest that has the embedded engine among its dependencies. */
function withEngine(text: string): string {
  const manifest = manifestSchema.parse(JSON.parse(text));
  const engine = "node-llama-cpp";
  const version = manifest.devDependencies[engine] ?? "";
  return JSON.stringify({
    ...manifest,
    dependencies: { ...manifest.dependencies, [engine]: version },
    devDependencies: {},
  });
}

/** Megabytes and packages of an install without dev tools; with the embedded engine, or as it is packed. */
async function install(engine: boolean): Promise<{ mb: number; packages: number }> {
  const folder = await mkdtemp(path.join(tmpdir(), "bench-install-"));
  try {
    for (const name of ["package.json", "package-lock.json"]) {
      await cp(path.join(root, name), path.join(folder, name));
    }
    const manifest = path.join(folder, "package.json");
    if (engine) await writeFile(manifest, withEngine(await readFile(manifest, "utf8")));
    await exec("npm", [engine ? "install" : "ci", "--omit=dev", "--ignore-scripts"], {
      cwd: folder,
    });
    const modules = path.join(folder, "node_modules");
    const { stdout } = await exec("du", ["-sm", modules]);
    const lock = await readFile(path.join(modules, ".package-lock.json"), "utf8");
    const { packages } = lockSchema.parse(JSON.parse(lock));
    return { mb: Number.parseInt(stdout, 10), packages: Object.keys(packages).length };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Start, memory and size of the program as an owner has it; the first run of a home is the cold one. */
export async function run(): Promise<BenchResult> {
  const home = await mkdtemp(path.join(tmpdir(), "bench-start-"));
  try {
    const cold = await chatStart(home);
    const coldStats = await statsRun(home);
    const chats = [];
    const stats = [];
    for (let i = 0; i < rounds; i += 1) {
      chats.push(await chatStart(home));
      stats.push(await statsRun(home));
    }
    // The first service of a home compiles what no command needs; from then on it is compiled.
    const coldService = await besideService(home);
    const beside = await besideService(home);
    const lean = await install(false);
    const whole = await install(true);
    return resultOf("start", 0, [
      { name: "heap flags", value: "--max-semi-space-size=1 --optimize-for-size" },
      figure("cold: ready ms", cold.readyMs),
      figure("cold: stats ms", coldStats.ms),
      figure("cold: service idle MB", coldService.idleMb),
      figure("ready ms", median(chats.map(({ readyMs }) => readyMs)), 600),
      figure("chat idle MB", median(chats.map(({ idleMb }) => idleMb)), 110),
      figure("stats ms", median(stats.map(({ ms }) => ms)), 300),
      figure("stats peak MB", median(stats.map(({ peakMb }) => peakMb)), 90),
      figure("stats beside a service ms", beside.statsMs, 150),
      figure("service idle MB", beside.idleMb, 110),
      figure("lean install MB", lean.mb, 100),
      figure("lean install packages", lean.packages, 70),
      figure("whole install MB", whole.mb, 190),
      figure("whole install packages", whole.packages),
    ]);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
