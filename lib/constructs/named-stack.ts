import { type CfnElement, Fn, Stack } from "aws-cdk-lib";
import type { Construct } from "constructs";

import { nameOf, type Stage } from "../stage.ts";

/** Path parts that say nothing: CDK's own names for a construct's main resource. */
const HIDDEN = new Set(["Resource", "Default"]);

/** `mark-accounts` as part of a logical id: `MarkAccounts`. */
export const pascal = (name: string): string =>
  name.replaceAll(/(^|[-.])([a-z])/g, (_match, _separator, letter: string) => letter.toUpperCase());

/** A stack whose logical ids are its construct paths, without hashes: stable, and readable in a template's diff. */
export class NamedStack extends Stack {
  constructor(scope: Construct, part: "data" | "pipeline" | "watch", stage: Stage, description: string) {
    super(scope, pascal(part), {
      stackName: nameOf(stage, part),
      env: { region: stage.region, ...(stage.account === undefined ? {} : { account: stage.account }) },
      description,
      terminationProtection: stage.deletionProtection,
      tags: { application: "plimsoll", stage: stage.name },
    });
  }

  /** The Region's zones, by number: asking AWS for their names would take an account. */
  override get availabilityZones(): string[] {
    return [0, 1].map((zone) => Fn.select(zone, Fn.getAzs()));
  }

  protected override allocateLogicalId(element: CfnElement): string {
    const parts = element.node.scopes.slice(this.node.scopes.length).map((construct) => construct.node.id);
    const shown = parts.filter((part) => !HIDDEN.has(part)).map((part) => pascal(part).replaceAll(/[^A-Za-z0-9]/g, ""));
    return shown.join("") || super.allocateLogicalId(element);
  }
}
