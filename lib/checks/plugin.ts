import { readFileSync } from "node:fs";

import type { IPolicyValidationContext, IPolicyValidationPlugin, PolicyValidationPluginReport } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";

import { acceptanceEnds } from "./acceptances.ts";
import { accessChecks } from "./access.ts";
import { alarmChecks } from "./alarms.ts";
import { functionChecks } from "./functions.ts";
import { messagingChecks } from "./messaging.ts";
import { tableChecks } from "./tables.ts";
import { type Check, deploymentOf, type Finding, type Template } from "./template.ts";

/** The house's own rules for a template, beyond cdk-nag (C19). */
export const CHECKS = {
  ...messagingChecks,
  ...alarmChecks,
  ...functionChecks,
  ...accessChecks,
  ...tableChecks,
} as const satisfies Record<string, Check>;

/** What the house holds against templates, by stack name. */
export const findingsIn = (templates: Readonly<Record<string, Template>>): readonly Finding[] => {
  const deployment = deploymentOf(templates);
  return Object.entries(CHECKS).flatMap(([check, judge]) => judge(deployment).map((finding) => ({ check, ...finding })));
};

/** cdk-nag's AwsSolutions, where a warning stops the synthesis too: it is mended, or accepted with a reason. */
export class StrictSolutionsChecks extends AwsSolutionsChecks {
  override validate(context: IPolicyValidationContext): PolicyValidationPluginReport {
    const report = super.validate(context);
    return { ...report, violations: report.violations.map((violation) => ({ ...violation, severity: "error" })) };
  }
}

/** Runs the checks at each synthesis: a finding stops it. */
export class HouseChecks implements IPolicyValidationPlugin {
  readonly name = "Plimsoll";
  readonly ruleIds = [...Object.keys(CHECKS), acceptanceEnds.name];

  validate(context: IPolicyValidationContext): PolicyValidationPluginReport {
    const paths = new Map(context.stackTemplates.map(({ stackConstructPath, templatePath }) => [stackConstructPath, templatePath]));
    const templates = Object.fromEntries([...paths].map(([stack, path]) => [stack, JSON.parse(readFileSync(path, "utf8")) as Template]));
    const findings = [...findingsIn(templates), ...acceptanceEnds(context.appConstruct, Date.now())];
    return {
      success: findings.length === 0,
      violations: findings.map(({ check, stack, id, says }) => ({
        ruleName: check,
        description: `${id} ${says}`,
        severity: "error",
        violatingResources: [{ resourceLogicalId: id, templatePath: paths.get(stack) ?? "", locations: ["Properties"] }],
      })),
    };
  }
}
