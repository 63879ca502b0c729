import { type BenchResult, type Figure, figure, resultOf } from "../../bench/result.ts";

import { type Findings, quietMs, runTelegramCampaign } from "./telegram-campaign.ts";
import { allPoints } from "./telegram-points.ts";
import type { Control } from "./telegram-settings.ts";

/** Most kills of a campaign that must find something; it ends when it has. */
const controlKills = 60;
const controlSeconds = 240;

/** What each broken part must be found by. */
const controls: Readonly<
  Record<Control, { readonly words: string; readonly found: (findings: Findings) => number }>
> = {
  "confirm-first": { words: "messages lost", found: ({ lost }) => lost },
  "resend-when-unsure": {
    words: "messages answered twice",
    found: ({ answeredTwice }) => answeredTwice,
  },
  "lying-store": { words: "acknowledged rows missing", found: ({ missingRows }) => missingRows },
};

/** Runs the campaign over a part that is broken on purpose; gives how much of what it does was found. */
export async function runControl(
  broken: Control,
  options: { readonly seed: number; readonly seconds?: number },
): Promise<number> {
  const { found } = controls[broken];
  const { seed, seconds = controlSeconds } = options;
  const findings = await runTelegramCampaign({
    broken,
    seed,
    seconds,
    kills: controlKills,
    settleEvery: 8,
    until: (so) => found(so) > 0,
  });
  return found(findings);
}

async function controlFigure(broken: Control, seed: number): Promise<Figure> {
  const value = await runControl(broken, { seed });
  const name = `negative control ${broken}: ${controls[broken].words}`;
  return { name, value, bound: { words: "> 0", holds: value > 0 } };
}

function percentile(times: readonly number[], part: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * part)] ?? 0;
}

function figuresOf(real: Findings): Figure[] {
  return [
    figure("kills while an accepted message was unanswered", real.kills),
    figure("kills that fell on nothing, not counted", real.idleKills),
    figure("messages", real.messages),
    figure("lost", real.lost, 0),
    figure("answered twice", real.answeredTwice, 0),
    figure("reordered", real.reordered, 0),
    figure("stuck", real.stuck, 0),
    figure("acknowledged rows missing", real.missingRows, 0),
    figure("stray placeholders", real.strays),
    figure("processes that ended by themselves", real.crashes.length, 0),
    figure("calls that Telegram would refuse", real.violations.length, 0),
    figure("recoveries measured", real.recoveryMs.length),
    figure("recovery ms p50", percentile(real.recoveryMs, 0.5)),
    figure("recovery ms p99", percentile(real.recoveryMs, 0.99), quietMs),
  ];
}

function printPoints({ points }: Findings): number {
  const names = [...new Set(allPoints().map(({ name }) => name))];
  console.table(names.map((point) => ({ point, kills: points.get(point) ?? 0 })));
  return names.filter((name) => !points.has(name)).length;
}

/** A long campaign runs side by side with a second one over a service of its own: a service waits more than it works. */
const lanesFrom = 100;

function added(all: readonly Findings[]): Findings {
  const [first, ...others] = all;
  if (first === undefined) throw new Error("a campaign has at least one lane");
  return others.reduce((sum, one) => {
    const points = new Map(sum.points);
    for (const [name, kills] of one.points) points.set(name, (points.get(name) ?? 0) + kills);
    return {
      points,
      kills: sum.kills + one.kills,
      idleKills: sum.idleKills + one.idleKills,
      messages: sum.messages + one.messages,
      lost: sum.lost + one.lost,
      answeredTwice: sum.answeredTwice + one.answeredTwice,
      reordered: sum.reordered + one.reordered,
      stuck: sum.stuck + one.stuck,
      missingRows: sum.missingRows + one.missingRows,
      strays: sum.strays + one.strays,
      crashes: [...sum.crashes, ...one.crashes],
      violations: [...sum.violations, ...one.violations],
      recoveryMs: [...sum.recoveryMs, ...one.recoveryMs],
      examples: [...sum.examples, ...one.examples],
    };
  }, first);
}

async function runLanes({ kills, seed }: { kills: number; seed: number }): Promise<Findings> {
  const lanes = kills < lanesFrom ? 1 : 2;
  const share = Math.ceil(kills / lanes);
  const one = (_: unknown, lane: number): Promise<Findings> =>
    runTelegramCampaign({
      kills: share,
      seed: seed + lane,
      seconds: share * 20,
      onProgress: ({ kills: so, messages, lost, answeredTwice, reordered, stuck }) =>
        console.error(
          `lane ${lane}: ${so} of ${share} kills, ${messages} messages: lost ${lost}, answered twice ${answeredTwice}, reordered ${reordered}, stuck ${stuck}`,
        ),
    });
  return added(await Promise.all(Array.from({ length: lanes }, one)));
}

/** The campaign and its negative controls as a result. */
export async function run(options: { kills: number; seed: number }): Promise<BenchResult> {
  const { kills, seed } = options;
  const real = await runLanes(options);
  const unreached = printPoints(real);
  for (const line of [...real.examples, ...real.crashes, ...real.violations]) console.error(line);
  const figures = figuresOf(real);
  // A short run has no time to come to every point.
  figures.push(figure("points never come to", unreached, kills >= 500 ? 0 : undefined));
  for (const broken of ["confirm-first", "resend-when-unsure", "lying-store"] as const) {
    figures.push(await controlFigure(broken, seed));
  }
  return resultOf("telegram", seed, figures);
}
