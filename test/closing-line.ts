import type { Reporter, TestModule } from "vitest/node";

function count(modules: readonly TestModule[]): Record<"passed" | "failed" | "skipped", number> {
  const totals = { passed: 0, failed: 0, skipped: 0 };
  for (const module of modules) {
    if (module.errors().length > 0) totals.failed += 1;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === "passed" || state === "failed") totals[state] += 1;
      else totals.skipped += 1;
    }
  }
  return totals;
}

/** Prints the closing line that CI reads: "N passed, N failed, N skipped". */
export const closingLine: Reporter = {
  onTestRunEnd(modules, errors) {
    const { passed, failed, skipped } = count(modules);
    process.stdout.write(
      `\n${passed} passed, ${failed + errors.length} failed, ${skipped} skipped\n`,
    );
  },
};
