import { beforeAll, describe, expect, test } from "vitest";

import { at } from "../../lib/checks/template.ts";
import { propertyOf, resourcesOf, stageWith, type Templates, templatesOf } from "./deployment.ts";

const TABLE = "AWS::DynamoDB::Table";

describe("the data stack", () => {
  let production: Templates;
  let sandbox: Templates;

  beforeAll(() => {
    production = templatesOf(stageWith("production"));
    sandbox = templatesOf(stageWith("sandbox"));
  });

  test("design §3: four tables, named by stage", () => {
    expect(propertyOf(production.Data, TABLE, "TableName")).toEqual({
      Book: "plimsoll-production-book",
      Marks: "plimsoll-production-marks",
      Journal: "plimsoll-production-journal",
      Outbound: "plimsoll-production-outbound",
    });
  });

  test("every table can be restored, is paid by request and is under the data key", () => {
    for (const { properties } of resourcesOf(production.Data, TABLE)) {
      expect(at(properties, "PointInTimeRecoverySpecification")).toEqual({ PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 35 });
      expect(at(properties, "BillingMode")).toBe("PAY_PER_REQUEST");
      expect(at(properties, "SSESpecification")).toEqual({
        SSEEnabled: true,
        SSEType: "KMS",
        KMSMasterKeyId: { "Fn::GetAtt": ["DataKey", "Arn"] },
      });
    }
  });

  test("production is protected and kept; the sandbox goes without a trace", () => {
    const policies = (templates: Templates) =>
      Object.values(templates.Data.Resources)
        .filter(({ Type }) => Type === TABLE || Type === "AWS::KMS::Key")
        .map(({ DeletionPolicy }) => DeletionPolicy);
    expect(policies(production)).toEqual(Array(5).fill("Retain"));
    expect(policies(sandbox)).toEqual(Array(5).fill("Delete"));
    expect(Object.values(propertyOf(production.Data, TABLE, "DeletionProtectionEnabled"))).toEqual([true, true, true, true]);
  });

  test("only the journal streams, and only its new images; only marks and outbound expire rows", () => {
    expect(propertyOf(production.Data, TABLE, "StreamSpecification")).toEqual({
      Book: undefined,
      Marks: undefined,
      Journal: { StreamViewType: "NEW_IMAGE" },
      Outbound: undefined,
    });
    expect(propertyOf(production.Data, TABLE, "TimeToLiveSpecification", "AttributeName")).toEqual({
      Book: undefined,
      Marks: "expiresAt",
      Journal: undefined,
      Outbound: "expiresAt",
    });
  });

  test("the book's indexes hold keys only", () => {
    const index = (IndexName: string, hash: string, range: string) => ({
      IndexName,
      KeySchema: [
        { AttributeName: hash, KeyType: "HASH" },
        { AttributeName: range, KeyType: "RANGE" },
      ],
      Projection: { ProjectionType: "KEYS_ONLY" },
    });
    expect(propertyOf(production.Data, TABLE, "GlobalSecondaryIndexes")["Book"]).toEqual([
      index("deadlines", "duePk", "dueSk"),
      index("orders", "statePk", "stateSk"),
    ]);
  });

  test("I20, C11: the journal refuses updates and deletes to everybody", () => {
    expect(propertyOf(production.Data, TABLE, "ResourcePolicy", "PolicyDocument", "Statement")["Journal"]).toEqual([
      {
        Sid: "JournalIsAppendOnly",
        Effect: "Deny",
        Principal: { AWS: "*" },
        Action: ["BatchWriteItem", "DeleteItem", "PartiQLDelete", "PartiQLUpdate", "UpdateItem"].map((action) => `dynamodb:${action}`),
        Resource: "*",
      },
    ]);
  });

  test("C10: the data key rotates, and CloudWatch Logs may use it for this stage's groups only", () => {
    const [key] = resourcesOf(production.Data, "AWS::KMS::Key");
    expect(at(key?.properties, "EnableKeyRotation")).toBe(true);
    const services = (at(key?.properties, "KeyPolicy", "Statement") as unknown[]).filter(
      (statement) => at(statement, "Principal", "Service") !== undefined,
    );
    expect(services).toHaveLength(1);
    expect(JSON.stringify(at(services[0], "Condition", "ArnLike", "kms:EncryptionContext:aws:logs:arn"))).toContain(
      ":log-group:/plimsoll/production/*",
    );
  });
});
