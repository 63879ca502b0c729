import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

import { z } from "zod";

import { type BenchResult, figure, median, resultOf } from "./result.ts";

const root = path.join(import.meta.dirname, "..");
const launcher = path.join(root, "agent.js");
const exec = promisify(execFile);
const rounds = 7;

/** Megabytes resident, from the kernel (Linux); the peak or what is resident now. */
async function residentMb(pid: number, field: "VmHWM" | "VmRSS"): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
}

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

/** Megabytes and packages of an install without dev tools. */
async function install(args: readonly string[]): Promise<{ mb: number; packages: number }> {
  const folder = await mkdtemp(path.join(tmpdir(), "bench-install-"));
  try {
    for (const name of ["package.json", "package-lock.json"]) {
      await cp(path.join(root, name), path.join(folder, name));
    }
    await exec("npm", ["ci", "--omit=dev", "--ignore-scripts", ...args], { cwd: folder });
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
    const lean = await install([]);
    const whole = await install([]);
    return resultOf("start", 0, [
      { name: "heap flags", value: "--max-semi-space-size=1 --optimize-for-size" },
      figure("cold: ready ms", cold.readyMs),
      figure("cold: stats ms", coldStats.ms),
      figure("ready ms", median(chats.map(({ readyMs }) => readyMs)), 600),
      figure("chat idle MB", median(chats.map(({ idleMb }) => idleMb)), 110),
      figure("stats ms", median(stats.map(({ ms }) => ms)), 300),
      figure("stats peak MB", median(stats.map(({ peakMb }) => peakMb)), 90),
      figure("lean install MB", lean.mb, 60),
      figure("lean install packages", lean.packages, 30),
      figure("whole install MB", whole.mb, 190),
      figure("whole install packages", whole.packages),
    ]);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
