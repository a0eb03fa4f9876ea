import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { buildApp } from "../../lib/app.ts";
import type { Stage } from "../../lib/stage.ts";

/** Things of a stage that cost by the month, counted in its template. */
export interface Things {
  readonly alarms: number;
  readonly dashboards: number;
  readonly keys: number;
  /** Schedules that fire each minute. */
  readonly schedules: number;
  /** Queues that a function is mapped to: Lambda's pollers ask them all the time. */
  readonly polledQueues: number;
  readonly queues: number;
  readonly tables: number;
  /** Gateways with a fixed address each: none where webhooks leave from Lambda's own. */
  readonly natGateways: number;
}

const countsOf = (types: readonly string[]): Things => {
  const count = (type: string): number => types.filter((one) => one === type).length;
  return {
    alarms: count("AWS::CloudWatch::Alarm"),
    dashboards: count("AWS::CloudWatch::Dashboard"),
    keys: count("AWS::KMS::Key"),
    schedules: count("AWS::Scheduler::Schedule"),
    // One mapping reads the journal's stream, for which Lambda pays the reads.
    polledQueues: count("AWS::Lambda::EventSourceMapping") - 1,
    queues: count("AWS::SQS::Queue"),
    tables: count("AWS::DynamoDB::Table"),
    natGateways: count("AWS::EC2::NatGateway"),
  };
};

/** Synthesizes the stage, without bundles, and counts. It takes some seconds. */
export const thingsOf = (stage: Stage): Things => {
  const outdir = mkdtempSync(join(tmpdir(), "plimsoll-cost-"));
  try {
    const { stacks } = buildApp(stage, { outdir, bundle: false }).synth();
    const templates = stacks.map(({ template }) => template as { readonly Resources: Readonly<Record<string, { readonly Type: string }>> });
    return countsOf(templates.flatMap(({ Resources }) => Object.values(Resources).map(({ Type }) => Type)));
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
};
