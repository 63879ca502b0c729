import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { type BenchResult, figure, resultOf } from "../../bench/result.ts";
import { systemClock } from "../../src/core/clock.ts";
import { openStore } from "../../src/store/open-store.ts";

import { seeded } from "./seeded.ts";
import { judge, readJournal, type Verdict } from "./task-journal.ts";

/** How a campaign is run. */
export interface Campaign {
  readonly kills: number;
  readonly seed: number;
  /** Most seconds; fewer kills are made when they run out. */
  readonly seconds: number;
  readonly forgetSteps: boolean;
}

interface Life {
  readonly newTasks: number;
  /** When the process is killed; absent lets it finish. */
  readonly kill?: { readonly from: "start" | "ready"; readonly afterMs: number };
}

async function live(folder: string, life: Life, forgetSteps: boolean): Promise<void> {
  const settings = {
    folder: path.join(folder, "state"),
    journal: path.join(folder, "journal"),
    newTasks: life.newTasks,
    stepMs: 8,
    forgetSteps,
  };
  const script = path.join(import.meta.dirname, "task-child.ts");
  const child = spawn(process.execPath, [script, JSON.stringify(settings)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const ready = new Promise<void>((resolve) => {
    child.stdout.on("data", (text: Buffer) => {
      if (text.toString().includes("ready")) resolve();
    });
  });
  if (life.kill?.from !== "start") await Promise.race([ready, exited]);
  if (life.kill !== undefined) {
    await pause(life.kill.afterMs);
    child.kill("SIGKILL");
  }
  await exited;
}

async function storedEnds(folder: string): Promise<{ open: number; done: number }> {
  const store = await openStore({ folder: path.join(folder, "state"), clock: systemClock });
  const open = await store.openTasks();
  const { tasks } = await store.stats(0);
  await store.close();
  return { open: open.length, done: tasks.done };
}

/** Kills a working process again and again, then lets it finish and judges its journal. */
export async function runTaskCampaign(
  campaign: Campaign,
): Promise<Verdict & { kills: number; open: number; missing: number }> {
  const folder = await mkdtemp(path.join(tmpdir(), "faults-task-"));
  const random = seeded(campaign.seed);
  const until = Date.now() + campaign.seconds * 1000;
  let kills = 0;
  try {
    while (kills < campaign.kills && Date.now() < until) {
      const newTasks = kills % 2 === 0 ? 2 : 0;
      const kill =
        random() < 0.2
          ? ({ from: "start", afterMs: Math.floor(random() * 300) } as const)
          : ({ from: "ready", afterMs: Math.floor(random() * 60) } as const);
      await live(folder, { newTasks, kill }, campaign.forgetSteps);
      kills += 1;
    }
    await live(folder, { newTasks: 1 }, campaign.forgetSteps);
    const verdict = judge(await readJournal(path.join(folder, "journal")));
    const { open, done } = await storedEnds(folder);
    // A kill can fall between the commit of an end and its line in the journal, never the other way round.
    return { ...verdict, kills, open, missing: Math.max(0, verdict.ended - done) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The campaign with its negative control as a result: a store that forgets steps must be caught. */
export async function run(options: { kills: number; seed: number }): Promise<BenchResult> {
  const campaign = { ...options, seconds: 3600, forgetSteps: false };
  const real = await runTaskCampaign(campaign);
  const control = await runTaskCampaign({
    ...campaign,
    kills: Math.max(20, Math.ceil(options.kills / 10)),
    forgetSteps: true,
  });
  const caught = control.repeatedAfterStored;
  return resultOf("task", options.seed, [
    figure("kills", real.kills),
    figure("tasks ended", real.ended),
    figure("stored steps executed again", real.repeatedAfterStored, 0),
    figure("tasks ended twice", real.endedTwice, 0),
    figure("tasks ended wrongly", real.wrongEnds, 0),
    figure("tasks left open", real.open, 0),
    figure("ends lost", real.missing, 0),
    figure("bugs", real.bugs, 0),
    figure("effects repeated before their step was stored", real.repeatedInWindow),
    {
      name: "negative control: steps executed again",
      value: caught,
      bound: { words: "> 0", holds: caught > 0 },
    },
  ]);
}
