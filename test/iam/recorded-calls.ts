import type { TransactWriteItem } from "@aws-sdk/client-dynamodb";

import type { Db, World } from "../../adapters/world.ts";
import type { Deployment } from "../../simulation/run.ts";
import type { Call } from "./call.ts";
import type { Cloud } from "./cloud.ts";

/** A port's method, and the SDK's operations behind it with the IAM actions that each needs. */
export const PORTS = {
  "db.get": { getItem: ["dynamodb:GetItem"] },
  "db.batchGet": { batchGetItem: ["dynamodb:BatchGetItem"] },
  "db.query": { query: ["dynamodb:Query"] },
  "db.put": { putItem: ["dynamodb:PutItem"] },
  "db.update": { updateItem: ["dynamodb:UpdateItem"] },
  // A transaction needs the actions of its rows (DynamoDB Developer Guide, "Using IAM with DynamoDB transactions").
  "db.transactWrite": {
    transactWriteItems: ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"],
  },
  "bus.publish": { PublishBatchCommand: ["sns:Publish"] },
  "queues.send": { SendMessageBatchCommand: ["sqs:SendMessage"] },
  // The role that the schedule hands to Scheduler is passed with it (Scheduler User Guide, "Identity-based policies").
  "timers.arm": {
    CreateScheduleCommand: ["scheduler:CreateSchedule", "iam:PassRole"],
    UpdateScheduleCommand: ["scheduler:UpdateSchedule", "iam:PassRole"],
  },
  "mailer.send": { SendEmailCommand: ["ses:SendEmail"] },
  "kms.encrypt": { EncryptCommand: ["kms:Encrypt"] },
  "kms.decrypt": { DecryptCommand: ["kms:Decrypt"] },
} as const satisfies Record<string, Readonly<Record<string, readonly string[]>>>;

const ROW_ACTIONS = {
  Put: "dynamodb:PutItem",
  Update: "dynamodb:UpdateItem",
  Delete: "dynamodb:DeleteItem",
  ConditionCheck: "dynamodb:ConditionCheckItem",
} as const satisfies Record<keyof TransactWriteItem, string>;

type Say = (by: keyof typeof PORTS, action: string, resource: string, context?: Call["context"]) => void;

const listening = (world: World, cloud: Cloud, say: Say): World => {
  const tableArn = (name: string | undefined): string => cloud.wiring.tables.find((table) => table.name === name)?.arn ?? `table ${name}`;
  const queueArn = (url: string): string => cloud.wiring.queues.find((queue) => queue.url === url)?.arn ?? `queue ${url}`;
  const ofAccount = (service: string, resource: string): string => `arn:aws:${service}:${cloud.region}:${cloud.account}:${resource}`;
  const { db, settings } = world;
  const hearing: Db = {
    get: (input) => {
      say("db.get", "dynamodb:GetItem", tableArn(input.TableName));
      return db.get(input);
    },
    batchGet: (input) => {
      for (const table of Object.keys(input.RequestItems ?? {})) say("db.batchGet", "dynamodb:BatchGetItem", tableArn(table));
      return db.batchGet(input);
    },
    query: (input) => {
      say("db.query", "dynamodb:Query", tableArn(input.TableName) + (input.IndexName === undefined ? "" : `/index/${input.IndexName}`));
      return db.query(input);
    },
    put: (input) => {
      say("db.put", "dynamodb:PutItem", tableArn(input.TableName));
      return db.put(input);
    },
    update: (input) => {
      say("db.update", "dynamodb:UpdateItem", tableArn(input.TableName));
      return db.update(input);
    },
    transactWrite: (input) => {
      for (const row of input.TransactItems ?? []) {
        for (const [kind, { TableName }] of Object.entries(row)) {
          say("db.transactWrite", ROW_ACTIONS[kind as keyof TransactWriteItem], tableArn(TableName));
        }
      }
      return db.transactWrite(input);
    },
  };
  const contextKeys = (context: Readonly<Record<string, string>>): Call["context"] =>
    Object.fromEntries(Object.keys(context).map((key) => [`kms:EncryptionContext:${key}`, "E-1"]));
  return {
    ...world,
    db: hearing,
    bus: {
      publish: (topicArn, messages) => {
        say("bus.publish", "sns:Publish", topicArn);
        return world.bus.publish(topicArn, messages);
      },
    },
    queues: {
      send: (url, messages) => {
        say("queues.send", "sqs:SendMessage", queueArn(url));
        return world.queues.send(url, messages);
      },
    },
    timers: {
      arm: (timer) => {
        // The name is the call's; any stands for all. What an arming does where the timer exists is the update.
        const schedule = ofAccount("scheduler", `schedule/${settings.scheduleGroup}/CALL-1`);
        for (const action of ["scheduler:CreateSchedule", "scheduler:UpdateSchedule"]) say("timers.arm", action, schedule);
        say("timers.arm", "iam:PassRole", settings.schedulerRoleArn, { "iam:PassedToService": "scheduler.amazonaws.com" });
        return world.timers.arm(timer);
      },
    },
    mailer: {
      send: (email) => {
        // SES asks for the identity that is verified: the address, or else its domain (SES Developer Guide, "Identity policies").
        const from = settings.mailFrom;
        const context = { "ses:FromAddress": from };
        for (const identity of [from, from.slice(from.indexOf("@") + 1)])
          say("mailer.send", "ses:SendEmail", ofAccount("ses", `identity/${identity}`), context);
        say("mailer.send", "ses:SendEmail", ofAccount("ses", `configuration-set/${settings.mailConfigurationSet}`), context);
        return world.mailer.send(email);
      },
    },
    kms: {
      encrypt: (plaintext, context) => {
        say("kms.encrypt", "kms:Encrypt", settings.dataKeyArn, contextKeys(context));
        return world.kms.encrypt(plaintext, context);
      },
      decrypt: (ciphertext, context) => {
        say("kms.decrypt", "kms:Decrypt", settings.dataKeyArn, contextKeys(context));
        return world.kms.decrypt(ciphertext, context);
      },
    },
  };
};

/** The deployment whose functions are heard at their ports, each under its own role. */
export const heardAt = (cloud: Cloud, roleOf: (functionName: string) => string, hear: (call: Call) => void): Deployment => ({
  ...cloud.deployment,
  functions: cloud.deployment.functions.map((fn) => ({
    ...fn,
    create: (world) =>
      fn.create(
        listening(world, cloud, (by, action, resource, context = {}) =>
          hear({ principal: roleOf(fn.name), action, resource, context, by }),
        ),
      ),
  })),
});
