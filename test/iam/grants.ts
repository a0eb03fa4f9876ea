import { at, listed } from "../../lib/checks/template.ts";
import type { Cloud, Declared } from "./cloud.ts";

export interface Statement {
  readonly Effect: "Allow" | "Deny";
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

/** One policy of the template. */
export interface Policy {
  /** Logical id of the resource that holds it. */
  readonly owner: string;
  /** What it speaks of: what a principal may do, what may be done to a resource, who may take a role. */
  readonly kind: "identity" | "resource" | "trust";
  /** The principal of an identity's policy, else the resource. */
  readonly arn: string;
  readonly statements: readonly Statement[];
}

const statementsOf = (document: unknown): readonly Statement[] => listed(at(document, "Statement")) as readonly Statement[];

/** A role that the venue would attach a managed policy to: it may do that and nothing else. */
export const holderOf = (cloud: Cloud, policyId: string): string => `arn:aws:iam::${cloud.account}:role/holder-of-${policyId}`;

const ofRole = ({ id, arn, properties }: Declared): Policy[] => [
  { owner: id, kind: "trust", arn, statements: statementsOf(at(properties, "AssumeRolePolicyDocument")) },
  ...listed(at(properties, "Policies")).map(
    (policy): Policy => ({ owner: id, kind: "identity", arn, statements: statementsOf(at(policy, "PolicyDocument")) }),
  ),
];

/** A permission of a function is a statement of its resource policy. */
const ofPermission = (cloud: Cloud, { id, properties }: Declared): Policy => {
  const target = String(at(properties, "FunctionName"));
  const fn = cloud.wiring.functions.find(({ arn, name }) => arn === target || name === target);
  const statement: Statement = {
    Effect: "Allow",
    Principal: { Service: at(properties, "Principal") },
    Action: String(at(properties, "Action")),
    Resource: fn?.arn ?? target,
    Condition: { ArnLike: { "aws:SourceArn": at(properties, "SourceArn") } },
  };
  return { owner: id, kind: "resource", arn: fn?.arn ?? target, statements: [statement] };
};

const queueArn = ({ wiring }: Cloud, url: unknown): string => wiring.queues.find((queue) => queue.url === url)?.arn ?? String(url);

/** Every policy of the template. @throws Error for a place of policies that this does not read. */
export const policiesOf = (cloud: Cloud): readonly Policy[] => {
  for (const type of ["AWS::IAM::Policy", "AWS::Lambda::LayerVersionPermission", "AWS::S3::BucketPolicy"]) {
    if (cloud.all(type).length > 0) throw new Error(`the judge does not read ${type}: teach it`);
  }
  return [
    ...cloud.all("AWS::IAM::Role").flatMap(ofRole),
    ...cloud.all("AWS::IAM::ManagedPolicy").map(
      ({ id, properties }): Policy => ({
        owner: id,
        kind: "identity",
        arn: holderOf(cloud, id),
        statements: statementsOf(at(properties, "PolicyDocument")),
      }),
    ),
    ...cloud.all("AWS::SQS::QueuePolicy").flatMap(({ id, properties }) =>
      listed(at(properties, "Queues")).map(
        (url): Policy => ({
          owner: id,
          kind: "resource",
          arn: queueArn(cloud, url),
          statements: statementsOf(at(properties, "PolicyDocument")),
        }),
      ),
    ),
    ...cloud.all("AWS::SNS::TopicPolicy").flatMap(({ id, properties }) =>
      listed(at(properties, "Topics")).map(
        (arn): Policy => ({
          owner: id,
          kind: "resource",
          arn: String(arn),
          statements: statementsOf(at(properties, "PolicyDocument")),
        }),
      ),
    ),
    ...cloud
      .all("AWS::KMS::Key")
      .map(
        ({ id, arn, properties }): Policy => ({ owner: id, kind: "resource", arn, statements: statementsOf(at(properties, "KeyPolicy")) }),
      ),
    ...cloud.all("AWS::DynamoDB::Table").map(
      ({ id, arn, properties }): Policy => ({
        owner: id,
        kind: "resource",
        arn,
        statements: statementsOf(at(properties, "ResourcePolicy", "PolicyDocument")),
      }),
    ),
    ...cloud.all("AWS::Lambda::Permission").map((permission) => ofPermission(cloud, permission)),
  ];
};
