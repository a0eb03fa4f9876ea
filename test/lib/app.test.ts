import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { App, IPolicyValidationContext } from "aws-cdk-lib";
import type { CfnTable } from "aws-cdk-lib/aws-dynamodb";
import type { CfnKey } from "aws-cdk-lib/aws-kms";
import type { CfnQueue } from "aws-cdk-lib/aws-sqs";
import { describe, expect, test } from "vitest";

import { addStacks, createApp, type Stacks } from "../../lib/app.ts";
import { StrictSolutionsChecks } from "../../lib/checks/plugin.ts";
import { freshOutdir, stageWith } from "./deployment.ts";

/** What the validation report of a synthesis holds against it; empty when it passed. */
const rulesBroken = (spoil: (stacks: Stacks) => void): string[] => {
  const outdir = freshOutdir();
  const app: App = createApp({ outdir });
  spoil(addStacks(app, stageWith("production"), { bundle: false }));
  try {
    app.synth();
    return [];
  } catch (error) {
    expect(String(error)).toContain("ValidationFailed");
    const report = readFileSync(join(outdir, "validation-report.json"), "utf8");
    return [...report.matchAll(/"ruleName": "([^"]+)"/g)].map(([, rule]) => rule ?? "");
  }
};

const contextOf = (spoil: (stacks: Stacks) => void): IPolicyValidationContext => {
  const app = createApp({ outdir: freshOutdir() });
  spoil(addStacks(app, stageWith("production"), { bundle: false }));
  return { templatePaths: [], stackTemplates: [], appConstruct: app };
};

describe("a finding stops the synthesis", () => {
  test("and there is none: cdk-nag's AwsSolutions and the house's checks pass", () => {
    expect(rulesBroken(() => undefined)).toEqual([]);
  });

  test("of the house: a queue that loses what fails", () => {
    const broken = rulesBroken(({ pipeline }) => {
      const queue = pipeline.queues.expiry.queue.node.defaultChild as CfnQueue;
      queue.addPropertyDeletionOverride("RedrivePolicy");
    });
    expect(broken).toEqual(["hopHasDeadLetterQueue"]);
  });

  test("of cdk-nag: a key that never changes, and what it only warns of: a table without a past", () => {
    const broken = rulesBroken(({ data }) => {
      (data.dataKey.node.defaultChild as CfnKey).enableKeyRotation = false;
      (data.tables.book.node.defaultChild as CfnTable).pointInTimeRecoverySpecification = undefined;
    });
    expect(broken.sort()).toEqual(["AwsSolutions-DDB3", "AwsSolutions-KMS5", "tablePitr"]);
  });

  test("and so does cdk-nag's warning alone", () => {
    const report = new StrictSolutionsChecks().validate(
      contextOf(({ data }) => {
        (data.tables.book.node.defaultChild as CfnTable).pointInTimeRecoverySpecification = undefined;
      }),
    );
    expect(report.violations.map(({ ruleName, severity }) => [ruleName, severity])).toEqual([["AwsSolutions-DDB3", "error"]]);
  });
});

describe("the command line", () => {
  test("cdk.json starts this app, tells nobody, and keeps CDK's recommended flags", () => {
    const cdk = JSON.parse(readFileSync("cdk.json", "utf8"));
    expect(cdk).toMatchObject({
      app: "node bin/plimsoll.ts",
      versionReporting: false,
      notices: false,
      context: { "cli-telemetry": false },
    });
    expect(cdk.context).toMatchObject({ "@aws-cdk/aws-iam:minimizePolicies": true, "@aws-cdk/core:validateAgainstDefaultRules": true });
    const recommended = JSON.parse(readFileSync("node_modules/aws-cdk-lib/recommended-feature-flags.json", "utf8"));
    expect(Object.keys(recommended).filter((flag) => !(flag in cdk.context))).toEqual([]);
  });

  test("a stage that does not exist ends in one line that says which do", () => {
    const { status, stderr } = spawnSync(process.execPath, ["bin/plimsoll.ts"], {
      env: { ...process.env, CDK_CONTEXT_JSON: JSON.stringify({ stage: "prod" }) },
      encoding: "utf8",
    });
    expect(status).toBe(1);
    expect(stderr.trim()).toBe('The stage "prod" is neither a preset (sandbox, production) nor a .json file');
  });
});
