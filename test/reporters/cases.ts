import type { Reporter, TestModule } from "vitest/node";

declare module "vitest" {
  interface TaskMeta {
    /** Set by the acceptance test of the worked margin cases. */
    cases?: string;
  }
}

/** Prints the count of the worked margin cases as the last line of the run, after summary and coverage. */
export default class CasesReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { cases } = test.meta();
        if (cases !== undefined) process.once("exit", () => process.stdout.write(`${cases}\n`));
      }
    }
  }
}
