import { expect, test } from "vitest";

import { matrix, runMatrix } from "./providers/matrix.ts";
import { runControl } from "./providers/controls.ts";

const seed = Date.now() % 1_000_000;

/** Rows that hold, end soon and measure no milliseconds; npm run faults -- providers runs all forty. */
const quick: ReadonlySet<number> = new Set([7, 9, 10, 13, 17, 24, 30, 34]);

test(`what a provider does wrong is held, from both sides (seed ${seed})`, async () => {
  const rows = matrix.filter(({ row }) => quick.has(row));
  const verdicts = await runMatrix(rows, { seed, lanes: 2 });
  expect(verdicts.filter(({ passed }) => !passed)).toEqual([]);
  expect(verdicts).toHaveLength(quick.size);
}, 60_000);

test.each([
  ["takes a cut stream for a whole answer", 7],
  ["hammers on 429", 13],
  ["reads all before it gives any", 30],
])("a router that %s is found out by row %i", async (name, row) => {
  expect((await runControl(name, [row], seed)).map((found) => found.row)).toEqual([row]);
});

test("the matrix has the forty rows, each once", () => {
  expect(matrix.map(({ row }) => row)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
});
