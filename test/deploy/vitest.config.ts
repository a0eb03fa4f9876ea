import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** `npm run test:deploy`: minutes of real time on an engine that the default run does without. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL("../..", import.meta.url)),
    include: ["test/deploy/*.deploy.ts"],
    testTimeout: 60_000,
    hookTimeout: 900_000,
    reporters: ["verbose"],
  },
});
