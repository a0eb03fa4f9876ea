import { readAssembly } from "../../local/template/assembly.ts";
import { readWiring } from "../../local/template/wiring.ts";
import { loadFunctions } from "../cloud/functions.ts";
import type { Deployment } from "../run.ts";

const ACCOUNT = "000000000000";

/** Reads the synthesized stacks and loads the functions that they deploy. @param assembly folder of the cloud assembly. */
export const loadDeployment = async (assembly: string): Promise<Deployment> => {
  const wiring = readWiring(readAssembly(assembly), {
    account: ACCOUNT,
    region: "eu-west-1",
    apiUrl: "https://api.simulated.example",
    queueUrl: (name) => `https://sqs.simulated.example/${ACCOUNT}/${name}`,
  });
  return { wiring, functions: await loadFunctions(wiring) };
};
