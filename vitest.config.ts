import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: "engine", include: ["test/**/*.test.ts"] } },
      // The stores and the use cases once more, on the simulation's table: it must pass what the engine passes. Files without tables are left out.
      {
        extends: true,
        test: {
          name: "memory",
          include: ["test/adapters/dynamodb/*.test.ts", "test/adapters/*.test.ts", "test/functions/*.test.ts", "test/api/*.test.ts"],
          exclude: [
            "test/adapters/dynamodb/{codecs,pages}.test.ts",
            "test/adapters/{parallel,settings}.test.ts",
            "test/functions/handlers.test.ts",
            "test/api/{authorize,openapi}.test.ts",
          ],
          env: { TEST_TABLES: "memory" },
        },
      },
      // The stores on the same table behind its HTTP server, and the server against the table that it serves.
      {
        extends: true,
        test: {
          name: "served",
          include: ["test/adapters/dynamodb/*.test.ts", "test/simulation/memory-db.test.ts"],
          exclude: ["test/adapters/dynamodb/{codecs,pages}.test.ts"],
          env: { DYNAMODB_ENGINE: "memory" },
        },
      },
    ],
    setupFiles: ["test/seed.ts"],
    // Half of the time is spent waiting for engines and processes: every core takes files, not one fewer.
    maxWorkers: "100%",
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
