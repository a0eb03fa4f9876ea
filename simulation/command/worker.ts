import { workerData } from "node:worker_threads";

/** Plants a mistake before anything that could hold it is loaded; then goes to work. */
const { mutant } = workerData as { readonly mutant: string | null };
if (mutant !== null) {
  const [{ MUTANTS }, { plant }] = await Promise.all([import("../mutants/mutants.ts"), import("../mutants/plant.ts")]);
  const planted = MUTANTS.find(({ name }) => name === mutant);
  if (planted === undefined) throw new Error(`there is no mutant ${mutant}`);
  plant(planted);
}
await import("./work.ts");
