import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    experimental: { viteModuleRunner: false },
    reporters: ["default", "./test/closing-line.ts"],
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
