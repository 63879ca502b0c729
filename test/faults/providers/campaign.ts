import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { type BenchResult, type Figure, resultOf } from "../../../bench/result.ts";
import { fastProfile, fullProfile } from "../../fakes/providers/failover.ts";

import { type Caught, runControls } from "./controls.ts";
import { runFault, type Score, type Scored } from "./failover.ts";
import { failoverFaults } from "./failover-faults.ts";
import type { Verdict } from "./fault-case.ts";
import { matrix, runMatrix } from "./matrix.ts";
import { page } from "./page.ts";
import { referenceClient } from "./reference.ts";

const exec = promisify(execFile);

/** Cases that run side by side: they wait more than they work. */
const lanes = 4;

/** How the campaign is run. */
export interface ProvidersOptions {
  readonly seed: number;
  /** A row's number, a fault's id, words of their names, "matrix" or "failover"; absent is all, and the controls with it. */
  readonly only?: string | undefined;
  readonly profile?: string | undefined;
}

function meant(only: string | undefined, ...names: readonly (string | number)[]): boolean {
  const wanted = only?.toLowerCase();
  if (wanted === undefined) return true;
  const isNumber = /^\d+$/.test(wanted);
  return names.some((name) =>
    typeof name === "number" || isNumber
      ? String(name) === wanted
      : name.toLowerCase().includes(wanted),
  );
}

function printMatrix(verdicts: readonly Verdict[]): void {
  const rows = verdicts.map(({ row, passed, ms, reason }) => ({
    row,
    failure: (matrix.find((fault) => fault.row === row)?.failure ?? "").slice(0, 50),
    verdict: passed ? "pass" : "fail",
    ms,
    reason: reason.slice(0, 90),
  }));
  if (rows.length > 0) console.table(rows);
}

function exactly(name: string, value: number, wanted: number): Figure {
  return { name, value, bound: { words: String(wanted), holds: value === wanted } };
}

function matrixFigures(verdicts: readonly Verdict[]): Figure[] {
  if (verdicts.length === 0) return [];
  const missed = verdicts.filter(({ passed }) => !passed);
  return [
    exactly("failure modes passed", verdicts.length - missed.length, verdicts.length),
    { name: "failure modes missed", value: missed.map(({ row }) => row).join(" ") || "none" },
  ];
}

function failoverFigures(scored: readonly Scored[]): Figure[] {
  if (scored.length === 0) return [];
  const count = (wanted: Score): number => scored.filter(({ score }) => score === wanted).length;
  return [
    exactly("Failover Bench pass", count("pass"), scored.length),
    ...(["partial", "safe", "fail"] as const).map((score) => ({
      name: `Failover Bench ${score}`,
      value: count(score),
    })),
  ];
}

function referenceFigures(scored: readonly Scored[]): Figure[] {
  if (scored.length === 0) return [];
  const passed = scored.filter(({ score }) => score === "pass").length;
  return [
    exactly("Failover Bench pass of its reference client, as a control", passed, scored.length),
  ];
}

function controlFigures(caught: readonly Caught[]): Figure[] {
  return caught.map(({ name, by }) => ({
    name: `a router that ${name}`,
    value: by.length === 0 ? "not caught" : `caught by ${by.join(", ")}`,
    bound: { words: "caught", holds: by.length > 0 },
  }));
}

function profileOf(name: string): typeof fullProfile {
  if (name === "full") return fullProfile;
  if (name === "fast") return fastProfile;
  throw new Error(`There is no profile "${name}": use full or fast.`);
}

/** The matrix, Failover Bench and the negative controls as a result; a full run writes docs/providers.md. */
export async function run(options: ProvidersOptions): Promise<BenchResult> {
  const { seed, only, profile: profileName = "full" } = options;
  const profile = profileOf(profileName);
  const begun = performance.now();
  const rows = matrix.filter(({ row, failure }) => meant(only, row, failure, "matrix"));
  const verdicts = await runMatrix(rows, { seed, lanes });
  printMatrix(verdicts);
  const faults = failoverFaults.filter(({ id, title }) => meant(only, id, title, "failover"));
  // Side by side, since they mostly wait: the product, and the client that proves that all can be passed.
  const [scored, reference] = await Promise.all([
    Promise.all(faults.map((fault) => runFault(fault, profile))),
    Promise.all(faults.map((fault) => runFault(fault, profile, referenceClient()))),
  ]);
  if (scored.length > 0) console.table(scored);
  const caught =
    only === undefined ? await runControls({ verdicts, scored }, { seed, profile }) : [];
  const figures = [
    ...matrixFigures(verdicts),
    ...failoverFigures(scored),
    ...referenceFigures(reference),
    ...controlFigures(caught),
    { name: "seconds", value: Math.round((performance.now() - begun) / 1000) },
  ];
  if (only === undefined && profile === fullProfile) {
    const root = path.join(import.meta.dirname, "../../..");
    const file = path.join(root, "docs/providers.md");
    await writeFile(file, page({ verdicts, scored, reference, caught, seed }));
    await exec(process.execPath, [path.join(root, "node_modules/oxfmt/bin/oxfmt"), file]);
  }
  return resultOf("providers", seed, figures);
}
