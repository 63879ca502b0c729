import os from "node:os";
import path from "node:path";

import { defineConfig } from "vitest/config";

import { closingLine } from "./test/closing-line.ts";

/** Tests start the program some hundred times in empty homes, and it would compile all of itself each time. */
const compiled = path.join(import.meta.dirname, "node_modules", ".cache", "compiled");

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Most tests wait for processes: two files at once are no hindrance to each other, also on two cores.
    maxWorkers: Math.max(2, os.availableParallelism() - 1),
    env: { NODE_COMPILE_CACHE: compiled },
    experimental: { viteModuleRunner: false },
    reporters: ["default", closingLine],
    testTimeout: 30_000,
    expect: { poll: { timeout: 10_000 } },
    hookTimeout: 120_000,
  },
});
