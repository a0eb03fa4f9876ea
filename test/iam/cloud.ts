import { buildApp } from "../../lib/app.ts";
import { parseStage } from "../../lib/stage.ts";
import { localStage } from "../../local/stage.ts";
import { type Json, readAssembly, type Stack } from "../../local/template/assembly.ts";
import { attributeOf, resolve, type Scope } from "../../local/template/resolve.ts";
import { IDENTITIES, type Place } from "../../local/template/resources.ts";
import { readWiring, type Wiring } from "../../local/template/wiring.ts";
import { loadFunctions } from "../../simulation/cloud/functions.ts";
import type { Deployment } from "../../simulation/run.ts";
import { freshOutdir } from "../lib/deployment.ts";

/** A resource of the template with every reference answered. */
export interface Declared {
  readonly id: string;
  readonly type: string;
  /** Empty for a type that has none. */
  readonly arn: string;
  readonly properties: unknown;
}

/** The deployed template, as the judge of its permissions sees it. */
export interface Cloud {
  readonly account: string;
  readonly region: string;
  readonly wiring: Wiring;
  readonly deployment: Deployment;
  all(type: string): readonly Declared[];
}

const PLACE: Place = {
  account: "000000000000",
  region: "eu-west-1",
  apiUrl: "https://api.simulated.example",
  queueUrl: (name) => `https://sqs.simulated.example/000000000000/${name}`,
};

const arnOf = (scope: Scope, id: string, type: string): string => {
  const known = IDENTITIES[type]?.attributes("", PLACE) ?? {};
  const attribute = ["Arn", "TopicArn"].find((name) => name in known);
  return attribute === undefined ? "" : attributeOf(scope, id, attribute);
};

/** The local cloud knows no reader of alarms: its wiring is read without them. */
const withoutReaders = (stack: Stack): Stack => {
  const kept = Object.entries(stack.template.Resources).filter(([, { Properties }]) => Properties?.["Protocol"] !== "email");
  return { ...stack, template: { ...stack.template, Resources: Object.fromEntries(kept) } };
};

/**
 * Synthesizes the stage that a replay runs, here with a reader of its alarms: everything that any stage declares is
 * in it. Some seconds: once for a test file.
 */
export const judgedCloud = async (): Promise<Cloud> => {
  const outdir = freshOutdir();
  buildApp(parseStage("judged", { ...localStage(), alarmEmail: "risk@exchange.example" }), { outdir }).synth();
  const stacks = readAssembly(outdir);
  const declared = stacks.flatMap((stack) =>
    Object.entries(stack.template.Resources).map(([id, { Type, Properties }]): Declared => {
      const scope: Scope = { stacks, place: PLACE, stack, where: `${stack.name}/${id}` };
      const isShown = !["AWS::CloudWatch::Dashboard", "AWS::CDK::Metadata"].includes(Type);
      return { id, type: Type, arn: arnOf(scope, id, Type), properties: isShown ? resolve(scope, (Properties ?? {}) as Json) : {} };
    }),
  );
  const wiring = readWiring(stacks.map(withoutReaders), PLACE);
  return {
    account: PLACE.account,
    region: PLACE.region,
    wiring,
    deployment: { wiring, functions: await loadFunctions(wiring) },
    all: (type) => declared.filter((one) => one.type === type),
  };
};
