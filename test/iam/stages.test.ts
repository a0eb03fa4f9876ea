import { expect, test } from "vitest";

import { at } from "../../lib/checks/template.ts";
import type { PRESETS } from "../../lib/stages.ts";
import { stageWith, templatesOf } from "../lib/deployment.ts";

/** Where policies stand, by the type of the resource. */
const POLICIES: Readonly<Record<string, readonly string[]>> = {
  "AWS::IAM::Role": ["AssumeRolePolicyDocument", "Policies", "ManagedPolicyArns"],
  "AWS::IAM::ManagedPolicy": ["PolicyDocument"],
  "AWS::SQS::QueuePolicy": ["PolicyDocument"],
  "AWS::SNS::TopicPolicy": ["PolicyDocument"],
  "AWS::KMS::Key": ["KeyPolicy"],
  "AWS::DynamoDB::Table": ["ResourcePolicy"],
  "AWS::Lambda::Permission": ["Principal", "Action", "SourceArn"],
};

/** Every policy of a stage by its resource, the stage's own name left out. */
const policiesOf = (name: keyof typeof PRESETS): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(templatesOf(stageWith(name, { alarmEmail: "risk@exchange.example" }))).flatMap(([stack, template]) =>
      Object.entries(template.Resources).flatMap(([id, { Type, Properties }]) =>
        (POLICIES[Type] ?? []).map((path) => [
          `${stack}/${id}/${path}`,
          (JSON.stringify(at(Properties, path)) ?? "").replaceAll(name, "<stage>"),
        ]),
      ),
    ),
  );

test("C11: every stage has the permissions that are judged: nothing but its name differs", () => {
  const [sandbox, production] = [policiesOf("sandbox"), policiesOf("production")];
  expect(Object.keys(production).length).toBeGreaterThan(80);
  expect(sandbox).toEqual(production);
});
