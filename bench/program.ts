import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";

/** The program as people start it. */
export const launcher = path.join(import.meta.dirname, "..", "agent.js");

/** Megabytes resident, from the kernel (Linux); the peak or what is resident now. */
export async function residentMb(pid: number, field: "VmHWM" | "VmRSS"): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
}

/** A running service, ready. */
export async function startService(home: string, env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [launcher, "--home", home, "serve"], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...env },
  });
  await once(child.stderr, "data");
  return child;
}
