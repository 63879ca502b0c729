import fc from "fast-check";

import { documents, longDocuments } from "../test/telegram/documents.ts";
import { judge } from "../test/telegram/judge.ts";
import { noParser } from "../test/telegram/tdlib.ts";
import { type BenchResult, figure, resultOf } from "./result.ts";

const wanted = 10_000;
const wantedLong = 100;

/** Renders generated documents, and has each form read back by Telegram's own parser. */
export function run(args: readonly string[]): Promise<BenchResult> {
  if (noParser !== undefined) throw new Error(noParser);
  const seed = Number(args[0] ?? Date.now() % 1_000_000);
  const sum = { rich: 0, chunks: 0, longest: 0 };
  const kinds = new Map<string, number>();

  function look(markdown: string): void {
    const { problems, richParts, chunks } = judge(markdown);
    sum.rich += richParts;
    sum.chunks += chunks;
    sum.longest = Math.max(sum.longest, markdown.length);
    for (const problem of problems) {
      const kind = problem.split(/[:{[]/, 2).join(":");
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      if ((kinds.get(kind) ?? 0) <= 3)
        console.error(problem, JSON.stringify(markdown).slice(0, 2000));
    }
  }

  const begun = performance.now();
  for (const markdown of fc.sample(documents, { numRuns: wanted, seed })) look(markdown);
  for (const markdown of fc.sample(longDocuments, { numRuns: wantedLong, seed })) look(markdown);
  const seconds = (performance.now() - begun) / 1000;
  const count = (pattern: RegExp): number =>
    [...kinds].reduce((all, [kind, times]) => (pattern.test(kind) ? all + times : all), 0);
  return Promise.resolve(
    resultOf("markdown", seed, [
      figure("documents", wanted + wantedLong),
      figure("longest document, characters", sum.longest),
      figure("rich messages", sum.rich),
      figure("text chunks", sum.chunks),
      figure("refused by Telegram's parser", count(/refused/), 0),
      figure("broken fences", count(/fence/), 0),
      figure("documents with lost letters", count(/lost/), 0),
      figure("rich messages beyond a limit", count(/too (long|many|deep)/), 0),
      figure("any other difference", count(/^(?!.*(refused|fence|lost|too (long|many|deep)))/), 0),
      figure("seconds", seconds),
    ]),
  );
}
