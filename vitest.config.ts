import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/seed.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ["default", "./test/reporters/cases.ts"],
    coverage: {
      provider: "v8",
      include: ["{core,adapters,api,functions,lib}/**/*.ts"],
      reporter: ["text-summary", "json-summary"],
      thresholds: { "core/**": { branches: 95 } },
    },
  },
});
