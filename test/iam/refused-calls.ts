import { at } from "../../lib/checks/template.ts";
import type { Call } from "./call.ts";
import type { Cloud } from "./cloud.ts";
import { ADMINISTRATOR } from "./judge.ts";
import type { Expected } from "./usage.ts";

const tableArn = ({ wiring }: Cloud, name: string): string => wiring.tables.find((table) => table.name.endsWith(`-${name}`))?.arn ?? name;
const queueArn = ({ wiring }: Cloud, name: string): string => wiring.queues.find((queue) => queue.name.endsWith(`-${name}`))?.arn ?? name;
const keyArn = (cloud: Cloud, id: string): string => cloud.all("AWS::KMS::Key").find((key) => key.id === id)?.arn ?? id;
const roleArn = (cloud: Cloud, id: string): string => cloud.all("AWS::IAM::Role").find((role) => role.id === id)?.arn ?? id;

const rolesOfFunctions = (cloud: Cloud): readonly string[] =>
  cloud.all("AWS::Lambda::Function").map(({ properties }) => String(at(properties, "Role")));

/** What a policy of the template refuses even to somebody whom IAM refuses nothing. */
const byDeny = (cloud: Cloud): readonly Call[] => {
  const call = (resource: string, action: string, by: string, context: Call["context"] = {}): Call => ({
    principal: ADMINISTRATOR,
    action,
    resource,
    context,
    by,
  });
  const plain = { "aws:SecureTransport": "false" };
  const journal = ["UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLUpdate", "PartiQLDelete"];
  return [
    ...cloud.all("AWS::SQS::Queue").map(({ arn }) => call(arn, "sqs:SendMessage", "anybody without TLS", plain)),
    ...cloud.all("AWS::SNS::Topic").map(({ arn }) => call(arn, "sns:Publish", "anybody without TLS", plain)),
    ...journal.map((action) => call(tableArn(cloud, "journal"), `dynamodb:${action}`, "anybody who rewrites the journal (I20)")),
  ];
};

/** What nobody was allowed: each is a mistake or a break-in that must end here. */
const byDefault = (cloud: Cloud): readonly Call[] => {
  const role = (id: string, action: string, resource: string, by: string, context: Call["context"] = {}): Call => ({
    principal: roleArn(cloud, id),
    action,
    resource,
    context,
    by,
  });
  const service = (principal: string, action: string, resource: string, by: string, context: Call["context"]): Call => ({
    principal: `${principal}.amazonaws.com`,
    action,
    resource,
    context,
    by,
  });
  const tables = cloud.wiring.tables.map(({ arn }) => arn).filter((arn) => arn !== tableArn(cloud, "journal"));
  const elsewhere = "arn:aws:sns:eu-west-1:111122223333:elsewhere";
  const secret = { "kms:EncryptionContext:endpointId": "ep_1" };
  return [
    ...rolesOfFunctions(cloud).flatMap((principal) =>
      tables.flatMap((resource) =>
        ["dynamodb:Scan", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"].map(
          (action): Call => ({ principal, action, resource, context: {}, by: "C11: no scan and no delete" }),
        ),
      ),
    ),
    ...rolesOfFunctions(cloud).map(
      (principal): Call => ({
        principal,
        action: "dynamodb:Scan",
        resource: tableArn(cloud, "journal"),
        context: {},
        by: "C11: no scan and no delete",
      }),
    ),
    role("SendEmailRole", "dynamodb:GetItem", tableArn(cloud, "book"), "who notifies reads no account"),
    role("DeliverWebhookRole", "dynamodb:PutItem", tableArn(cloud, "journal"), "who notifies writes no envelope"),
    role("MarkAccountsRole", "dynamodb:GetItem", tableArn(cloud, "outbound"), "who decides reads no contact"),
    role("MarkAccountsRole", "sqs:SendMessage", queueArn(cloud, "venue.fifo"), "only dispatch and the sweep of overdue calls send orders"),
    role("OperateRole", "sqs:SendMessage", queueArn(cloud, "venue.fifo"), "the API sends no order"),
    role("OperateRole", "kms:Decrypt", keyArn(cloud, "DataKey"), "C10: who makes secrets does not open them", secret),
    role("DeliverWebhookRole", "kms:Decrypt", keyArn(cloud, "DataKey"), "C10: a secret opens only bound to its endpoint"),
    role("SendEmailRole", "kms:Decrypt", keyArn(cloud, "DataKey"), "C10: a table's key is DynamoDB's to ask for"),
    role("ArmDeadlineRole", "iam:PassRole", roleArn(cloud, "ExpiryRole"), "the role goes to Scheduler alone", {
      "iam:PassedToService": "lambda.amazonaws.com",
    }),
    role("ArmDeadlineRole", "iam:PassRole", roleArn(cloud, "OperateRole"), "no other role is handed on", {
      "iam:PassedToService": "scheduler.amazonaws.com",
    }),
    service("scheduler", "sts:AssumeRole", roleArn(cloud, "ExpiryRole"), "a group of schedules of somebody else", {
      "aws:SourceAccount": cloud.account,
      "aws:SourceArn": "arn:aws:scheduler:eu-west-1:000000000000:schedule-group/default",
    }),
    service("sns", "sqs:SendMessage", queueArn(cloud, "email"), "a topic of somebody else", { "aws:SourceArn": elsewhere }),
    service("sns", "kms:Decrypt", keyArn(cloud, "MessagingKey"), "a topic of somebody else", { "aws:SourceArn": elsewhere }),
    service("logs.eu-west-1", "kms:Decrypt", keyArn(cloud, "DataKey"), "a log group of somebody else", {
      "kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-west-1:000000000000:log-group:/elsewhere",
    }),
    service("cloudwatch", "sns:Publish", topicArn(cloud), "an alarm of another account", { "aws:SourceAccount": "111122223333" }),
  ];
};

const topicArn = (cloud: Cloud): string => cloud.all("AWS::SNS::Topic").find(({ id }) => id === "Page")?.arn ?? "";

/** Calls that must be refused. */
export const refusedCalls = (cloud: Cloud): readonly Expected[] => [
  ...byDeny(cloud).map((call): Expected => ({ call, verdict: "ExplicitlyDenied" })),
  ...byDefault(cloud).map((call): Expected => ({ call, verdict: "ImplicitlyDenied" })),
];

/** The functions' roles, by function name. */
export const roleByFunction = (cloud: Cloud): ReadonlyMap<string, string> =>
  new Map(
    cloud
      .all("AWS::Lambda::Function")
      .map((lambda) => [String(at(lambda, "properties", "FunctionName")), String(at(lambda, "properties", "Role"))]),
  );
