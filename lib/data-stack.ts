import { CfnOutput, RemovalPolicy } from "aws-cdk-lib";
import { AttributeType, BillingMode, ProjectionType, StreamViewType, Table, TableEncryption } from "aws-cdk-lib/aws-dynamodb";
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";

import { TABLES, type TableName, type TableShape } from "../adapters/dynamodb/schema.ts";
import { NamedStack, pascal } from "./constructs/named-stack.ts";
import { nameOf, type Stage } from "./stage.ts";

/** Longest window that DynamoDB offers: any second of the last 35 days can be restored. */
const RECOVERY_DAYS = 35;

/** Names of log groups of a stage begin with this; the data key lets CloudWatch Logs use it for them only. */
export const logGroupName = (stage: Stage, thing: string): string => `/plimsoll/${stage.name}/${thing}`;

/**
 * Nobody rewrites the journal, whatever else they may do: its readers must be able to trust it (I20, C11). A batch
 * write deletes under its own action, and puts without any condition.
 */
const appendOnly = (): PolicyDocument =>
  new PolicyDocument({
    statements: [
      new PolicyStatement({
        sid: "JournalIsAppendOnly",
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ["UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLUpdate", "PartiQLDelete"].map((action) => `dynamodb:${action}`),
        resources: ["*"],
      }),
    ],
  });

/** What is kept when everything else goes: the four tables and the key that they, the logs and the webhook secrets are under. */
export class DataStack extends NamedStack {
  readonly dataKey: Key;
  readonly tables: Readonly<Record<TableName, Table>>;

  constructor(scope: Construct, stage: Stage) {
    super(scope, "data", stage, `Plimsoll ${stage.name}: tables and the data key`);
    this.dataKey = this.keyOf(stage);
    this.tables = {
      book: this.table(stage, "book"),
      marks: this.table(stage, "marks"),
      journal: this.table(stage, "journal", appendOnly()),
      outbound: this.table(stage, "outbound"),
    };
    new CfnOutput(this, "DataKeyArn", { value: this.dataKey.keyArn });
  }

  private keyOf(stage: Stage): Key {
    const key = new Key(this, "DataKey", {
      alias: nameOf(stage, "data"),
      description: `Plimsoll ${stage.name}: tables, logs and webhook secrets`,
      enableKeyRotation: true,
      removalPolicy: stage.removal === "retain" ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: "LogGroupsOfThisStage",
        principals: [new ServicePrincipal(`logs.${stage.region}.amazonaws.com`)],
        actions: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        resources: ["*"],
        conditions: {
          ArnLike: {
            "kms:EncryptionContext:aws:logs:arn": `arn:${this.partition}:logs:${this.region}:${this.account}:log-group:${logGroupName(stage, "*")}`,
          },
        },
      }),
    );
    return key;
  }

  private table(stage: Stage, name: TableName, resourcePolicy?: PolicyDocument): Table {
    const shape: TableShape = TABLES[name];
    const string = (attribute: string) => ({ name: attribute, type: AttributeType.STRING });
    const table = new Table(this, pascal(name), {
      tableName: nameOf(stage, name),
      partitionKey: string(shape.partitionKey),
      sortKey: string(shape.sortKey),
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: this.dataKey,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true, recoveryPeriodInDays: RECOVERY_DAYS },
      deletionProtection: stage.deletionProtection,
      removalPolicy: stage.removal === "retain" ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...(shape.stream === null ? {} : { stream: StreamViewType[shape.stream] }),
      ...(shape.timeToLive === null ? {} : { timeToLiveAttribute: shape.timeToLive }),
      ...(resourcePolicy === undefined ? {} : { resourcePolicy }),
    });
    for (const [indexName, index] of Object.entries(shape.indexes)) {
      table.addGlobalSecondaryIndex({
        indexName,
        partitionKey: string(index.partitionKey),
        sortKey: string(index.sortKey),
        projectionType: ProjectionType.KEYS_ONLY,
      });
    }
    new CfnOutput(this, `${pascal(name)}TableName`, { value: table.tableName });
    return table;
  }
}
