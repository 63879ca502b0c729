import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { systemClock } from "../src/core/clock.ts";
import { openStore } from "../src/store/open-store.ts";
import { fill } from "./fill.ts";
import { launcher, residentMb, startService } from "./program.ts";
import { type BenchResult, figure, resultOf } from "./result.ts";

/** Runs an export; gives its seconds, its peak of memory and the size of what it wrote. */
async function exportOnce(home: string, format: string) {
  const file = path.join(home, `tasks.${format}`);
  const start = performance.now();
  const args = [launcher, "--home", home, "export", "--format", format, "--output", file];
  const child = spawn(process.execPath, args, { stdio: "ignore" });
  const exited = once(child, "exit");
  const state = { over: false, peakMb: 0 };
  void exited.then(() => (state.over = true));
  while (!state.over) {
    const seen = await residentMb(child.pid ?? 0, "VmHWM").catch(() => 0);
    state.peakMb = Math.max(state.peakMb, seen);
    await pause(5);
  }
  if (child.exitCode !== 0) throw new Error(`the export ended with ${child.exitCode}`);
  const seconds = (performance.now() - start) / 1000;
  return { seconds, peakMb: state.peakMb, mb: (await stat(file)).size / 1e6 };
}

/** Memory of an export of many tasks, in every format, by itself and through a service. */
export async function run(args: readonly string[]): Promise<BenchResult> {
  const many = Number(args[0] ?? 100_000);
  const home = await mkdtemp(path.join(tmpdir(), "bench-export-"));
  try {
    const folder = path.join(home, "workspace/state");
    const store = await openStore({ folder, clock: systemClock });
    await fill(store, many);
    await store.close();
    const figures = [figure("tasks", many)];
    for (const format of ["json", "jsonl", "csv"]) {
      const { seconds, peakMb, mb } = await exportOnce(home, format);
      figures.push(figure(`${format}: file MB`, mb));
      figures.push(figure(`${format}: seconds`, seconds));
      figures.push(figure(`${format}: peak MB`, peakMb, 150));
    }
    const service = await startService(home);
    const { peakMb } = await exportOnce(home, "jsonl");
    figures.push(figure("jsonl beside a service: peak MB", peakMb, 150));
    const servicePeak = await residentMb(service.pid ?? 0, "VmHWM");
    figures.push(figure("the service meanwhile: peak MB", servicePeak, 150));
    service.kill("SIGTERM");
    await once(service, "exit");
    return resultOf("export", 0, figures);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}
