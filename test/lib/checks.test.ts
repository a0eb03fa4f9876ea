import { readFileSync } from "node:fs";
import { join } from "node:path";

import { Validations } from "aws-cdk-lib";
import { beforeAll, describe, expect, test } from "vitest";

import { addStacks, createApp, type Stacks } from "../../lib/app.ts";
import { acceptanceEnds } from "../../lib/checks/acceptances.ts";
import { allowances } from "../../lib/checks/access.ts";
import { type CHECKS, findingsIn } from "../../lib/checks/plugin.ts";
import { deploymentOf } from "../../lib/checks/template.ts";
import { freshOutdir, stageWith, type Templates, templatesOf } from "./deployment.ts";

type Name = keyof typeof CHECKS;

type Parent = Record<string, unknown>;
type Plant = (templates: Templates) => void;
type Path = readonly [stack: keyof Templates, id: string, ...path: (string | number)[]];

/** The object or list that holds the last step of a path through a resource's properties. */
const parentOf = (templates: Templates, [stack, id, ...path]: Path): Parent => {
  const steps = ["Resources", id, ...(path.length === 0 ? [] : ["Properties"]), ...path].slice(0, -1);
  return steps.reduce<unknown>((inner, step) => (inner as Parent)[step], templates[stack]) as Parent;
};
const lastOf = (path: Path): string => String(path.at(-1));

const drop =
  (...path: Path): Plant =>
  (templates) => {
    const parent = parentOf(templates, path);
    if (!(lastOf(path) in parent)) throw new Error(`${path.join(".")} is not there to be dropped`);
    delete parent[lastOf(path)];
  };
const set =
  (value: unknown, ...path: Path): Plant =>
  (templates) => {
    parentOf(templates, path)[lastOf(path)] = value;
  };
const add =
  (value: unknown, ...path: Path): Plant =>
  (templates) => {
    (parentOf(templates, path)[lastOf(path)] as unknown[]).push(value);
  };
const allow = (role: string, Action: unknown, Resource: unknown): Plant =>
  add({ Effect: "Allow", Action, Resource }, "Pipeline", role, "Policies", 0, "PolicyDocument", "Statement");

const journalArn = (templates: Templates): unknown =>
  allowances(deploymentOf(templates))
    .filter(({ owner }) => owner.id === "MarkAccountsRole")
    .flatMap(({ resources }) => resources)
    .find((resource) => JSON.stringify(resource).includes("Journal"));

/** For each check, mistakes that somebody could make, and the resource that each is found on. */
const PLANTS: Readonly<Record<Name, readonly (readonly [mistake: string, plant: Plant, foundOn: string])[]>> = {
  hopHasDeadLetterQueue: [
    ["a queue without one", drop("Pipeline", "ExpiryQueue", "RedrivePolicy"), "ExpiryQueue"],
    ["a subscription without one", drop("Pipeline", "EmailSubscription", "RedrivePolicy"), "EmailSubscription"],
    ["a schedule without one", drop("Pipeline", "SweepSchedule", "Target", "DeadLetterConfig"), "SweepSchedule"],
    ["a stream without one", drop("Pipeline", "PublishEventsMapping", "DestinationConfig"), "PublishEventsMapping"],
    ["an asynchronous call without one", drop("Pipeline", "SweepOverdueAsync", "DestinationConfig"), "SweepOverdueAsync"],
  ],
  deadLetterQueueHasAlarm: [
    ["a queue's that nobody watches", drop("Watch", "VenueDeadAlarm"), "VenueQueueDead"],
    ["a subscription's that nobody watches", drop("Watch", "EmailSubscriptionDeadAlarm"), "EmailSubscriptionDead"],
    ["an alarm on another metric", set("NumberOfMessagesSent", "Watch", "SchedulesDeadAlarm", "MetricName"), "SchedulesDead"],
  ],
  scheduleGroupHasAlarm: [
    ["deadlines that nobody watches", drop("Watch", "DeadlinesDroppedAlarm"), "DeadlinesGroup"],
    ["an alarm on another group", set("recurring", "Pipeline", "DeadlinesGroup", "Name"), "DeadlinesGroup"],
  ],
  streamHasAlarm: [["a stream whose lag nobody sees", drop("Watch", "EventsLateAlarm"), "PublishEventsMapping"]],
  alarmHasRunbook: [
    ["an alarm that says nothing", drop("Watch", "NoCurrentSweepAlarm", "AlarmDescription"), "NoCurrentSweepAlarm"],
    [
      "an entry that is not there",
      set("Wakes you. Runbook: docs/operating/runbook.md#no-such-entry", "Watch", "ApiFaultsAlarm", "AlarmDescription"),
      "ApiFaultsAlarm",
    ],
  ],
  dimensionNamesNobody: [
    ["a metric for each account", add({ Name: "accountId", Value: "A-1" }, "Watch", "OrdersHeldAlarm", "Dimensions"), "OrdersHeldAlarm"],
    [
      "a metric for each holder out of a log",
      set(
        { Type: "AWS::Logs::MetricFilter", Properties: { MetricTransformations: [{ Dimensions: [{ Key: "email", Value: "$.email" }] }] } },
        "Watch",
        "Readers",
      ),
      "Readers",
    ],
  ],
  alarmHasAction: [["an alarm that wakes nobody", drop("Watch", "NoCurrentSweepAlarm", "AlarmActions"), "NoCurrentSweepAlarm"]],
  mappingReportsPartialFailures: [
    ["a batch that fails as a whole", drop("Pipeline", "ExpireCallMapping", "FunctionResponseTypes"), "ExpireCallMapping"],
  ],
  mappingFitsReservation: [
    ["a mapping without a bound", drop("Pipeline", "SendEmailMapping", "ScalingConfig"), "SendEmailMapping"],
    ["a mapping above its reservation", set(49, "Pipeline", "ExpireCallFunction", "ReservedConcurrentExecutions"), "ExpireCallMapping"],
  ],
  streamMappingGivesUp: [
    ["a record that blocks its shard", set(-1, "Pipeline", "PublishEventsMapping", "MaximumRetryAttempts"), "PublishEventsMapping"],
    ["a batch that is not split", drop("Pipeline", "PublishEventsMapping", "BisectBatchOnFunctionError"), "PublishEventsMapping"],
  ],
  visibilityCoversTimeout: [
    ["a function slower than its queue expects", set(61, "Pipeline", "MarkAccountsFunction", "Timeout"), "MarkAccountsMapping"],
  ],
  messagesAreEncrypted: [
    ["a queue without our key", drop("Pipeline", "OrdersQueue", "KmsMasterKeyId"), "OrdersQueue"],
    ["a topic without our key", drop("Watch", "Page", "KmsMasterKeyId"), "Page"],
  ],
  onlyTls: [
    ["a queue without a policy", drop("Pipeline", "VenueQueuePolicy"), "VenueQueue"],
    ["a topic's policy that denies nothing", set([], "Pipeline", "EventsPolicy", "PolicyDocument", "Statement"), "Events"],
  ],
  mailNeedsTls: [["mail that goes out in the clear", drop("Pipeline", "Notices", "DeliveryOptions"), "Notices"]],
  eventReachesSomebody: [
    ["an event that nobody hears", set({ type: ["margin_call.issued"] }, "Pipeline", "WebhookSubscription", "FilterPolicy"), "Events"],
    ["a filter on no event", add("margin_call.isued", "Pipeline", "EmailSubscription", "FilterPolicy", "type"), "Events"],
  ],
  writeEndsBeforeTimeout: [
    ["a function that is killed while it writes", set(10, "Pipeline", "AcceptMarksFunction", "Timeout"), "AcceptMarksFunction"],
  ],
  recursionIsMeant: [
    ["a loop that would be stopped", set("Terminate", "Pipeline", "MarkAccountsFunction", "RecursiveLoop"), "MarkAccountsFunction"],
    ["a loop over two functions", drop("Pipeline", "StartSweepFunction", "RecursiveLoop"), "StartSweepFunction"],
    ["a licence that nothing needs", set("Allow", "Pipeline", "SendEmailFunction", "RecursiveLoop"), "SendEmailFunction"],
    ["a new loop", allow("ExpireCallRole", "sqs:SendMessage", { "Fn::GetAtt": ["ExpiryQueue", "Arn"] }), "ExpireCallFunction"],
  ],
  wokenFunctionHasDestination: [["a woken function whose failures vanish", drop("Pipeline", "SweepOverdueAsync"), "SweepOverdueFunction"]],
  liquidationIsReserved: [
    ["deadlines that wait for notices", drop("Pipeline", "ExpireCallFunction", "ReservedConcurrentExecutions"), "ExpireCallFunction"],
    ["orders that wait for notices", drop("Pipeline", "DispatchOrdersFunction", "ReservedConcurrentExecutions"), "DispatchOrdersFunction"],
  ],
  logsAreKept: [
    ["a log kept for ever", drop("Pipeline", "OperateLogs", "RetentionInDays"), "OperateLogs"],
    ["a log without the data key", drop("Pipeline", "ApiLogs", "KmsKeyId"), "ApiLogs"],
    ["a function that makes its own log", drop("Pipeline", "OperateFunction", "LoggingConfig"), "OperateFunction"],
  ],
  runtimeIsOurs: [["another runtime", set("nodejs22.x", "Pipeline", "OperateFunction", "Runtime"), "OperateFunction"]],
  noWildcard: [
    ["a star as a resource", allow("OperateRole", "sqs:SendMessage", "*"), "OperateRole"],
    ["a star inside a resource", allow("OperateRole", "kms:Decrypt", { "Fn::Join": ["", ["arn:aws:kms:", ":key/*"]] }), "OperateRole"],
    ["a star as an action", allow("OperateRole", "sqs:*", { Ref: "Events" }), "OperateRole"],
    ["a listed action beside another", allow("OperateRole", ["dynamodb:ListStreams", "sns:Publish"], "*"), "OperateRole"],
  ],
  neverAllowed: [["a scan", allow("SweepOverdueRole", "dynamodb:Scan", { Ref: "Events" }), "SweepOverdueRole"]],
  journalIsAppendOnly: [
    [
      "a role that may rewrite the journal",
      (templates) => allow("OperateRole", "dynamodb:UpdateItem", journalArn(templates))(templates),
      "OperateRole",
    ],
    ["a journal that refuses nothing by itself", drop("Data", "Journal", "ResourcePolicy"), "Journal"],
    [
      "a journal that a batch may rewrite",
      set(["dynamodb:UpdateItem", "dynamodb:DeleteItem"], "Data", "Journal", "ResourcePolicy", "PolicyDocument", "Statement", 0, "Action"),
      "Journal",
    ],
  ],
  roleOfOneFunction: [
    ["a borrowed role", set({ "Fn::GetAtt": ["OperateRole", "Arn"] }, "Pipeline", "SendEmailFunction", "Role"), "SendEmailFunction"],
    [
      "a managed policy",
      set(["arn:aws:iam::aws:policy/AdministratorAccess"], "Pipeline", "OperateRole", "ManagedPolicyArns"),
      "OperateFunction",
    ],
    ["a role of somebody else", set("arn:aws:iam::111122223333:role/old", "Pipeline", "OperateFunction", "Role"), "OperateFunction"],
  ],
  routesAreSigned: [
    ["a route without a signature", set("NONE", "Pipeline", "PostMarksRoute", "AuthorizationType"), "PostMarksRoute"],
    ["an address beside the API", set({ Type: "AWS::Lambda::Url" }, "Pipeline", "Back"), "Back"],
  ],
  nothingIsPublic: [
    [
      "a queue for everybody",
      add({ Effect: "Allow", Principal: "*", Action: "sqs:SendMessage" }, "Pipeline", "FeedQueuePolicy", "PolicyDocument", "Statement"),
      "FeedQueuePolicy",
    ],
    [
      "a key for everybody",
      add({ Effect: "Allow", Principal: { AWS: "*" }, Action: "kms:Decrypt" }, "Data", "DataKey", "KeyPolicy", "Statement"),
      "DataKey",
    ],
    ["a function for every API of the world", drop("Pipeline", "OperateFunctionInvoked", "SourceArn"), "OperateFunctionInvoked"],
    ["a function for everybody", set("*", "Pipeline", "OperateFunctionInvoked", "Principal"), "OperateFunctionInvoked"],
    ["a bucket that may be opened", set({ Type: "AWS::S3::Bucket" }, "Data", "Exports"), "Exports"],
  ],
  keyIsTheAccounts: [
    [
      "a role that owns a key",
      add(
        { Effect: "Allow", Principal: { AWS: { "Fn::GetAtt": ["OperateRole", "Arn"] } }, Action: "kms:*" },
        "Pipeline",
        "MessagingKey",
        "KeyPolicy",
        "Statement",
      ),
      "MessagingKey",
    ],
  ],
  statementIdsDiffer: [
    [
      "a second topic under the first one's id",
      add({ Sid: "EventsTopicSends", Effect: "Allow" }, "Pipeline", "EmailQueuePolicy", "PolicyDocument", "Statement"),
      "EmailQueuePolicy",
    ],
  ],
  tablePitr: [["a table without a past", drop("Data", "Book", "PointInTimeRecoverySpecification"), "Book"]],
  tableIsProtected: [["a kept table without protection", set(false, "Data", "Outbound", "DeletionProtectionEnabled"), "Outbound"]],
  tableIsEncrypted: [["a table without the data key", drop("Data", "Marks", "SSESpecification"), "Marks"]],
  tableKeepsItsShape: [
    [
      "calls that expire by themselves",
      set({ AttributeName: "expiresAt", Enabled: true }, "Data", "Book", "TimeToLiveSpecification"),
      "Book",
    ],
    ["a journal without a stream", drop("Data", "Journal", "StreamSpecification"), "Journal"],
    ["a table that the schema does not know", set("plimsoll-production-prices", "Data", "Marks", "TableName"), "Marks"],
  ],
  tableKeepsRows: [
    ["orders that expire", set({ AttributeName: "expiresAt", Enabled: true }, "Data", "Book", "TimeToLiveSpecification"), "Book"],
    ["envelopes that expire", set({ AttributeName: "expiresAt", Enabled: true }, "Data", "Journal", "TimeToLiveSpecification"), "Journal"],
  ],
};

describe("C19: the house's checks", () => {
  let templates: Templates;

  beforeAll(() => {
    templates = templatesOf(stageWith("production"));
  });

  test("find nothing in the templates as they are", () => {
    expect(findingsIn(templates)).toEqual([]);
  });

  test.each(Object.entries(PLANTS).flatMap(([check, plants]) => plants.map(([says, plant, id]) => ({ check, says, plant, id }))))(
    "$check finds $says",
    ({ check, plant, id }) => {
      const spoilt = structuredClone(templates);
      plant(spoilt);
      const found = findingsIn(spoilt);
      expect(found.filter((finding) => finding.check === check).map((finding) => finding.id)).toContain(id);
    },
  );
});

describe("C19: what is accepted of cdk-nag", () => {
  const REASON = "A reason that an auditor reads and believes.";
  const NOW = Date.parse("2026-12-01T00:00:00Z");
  const saidOf = (accept: (stacks: Stacks) => void, now: number): readonly string[] => {
    const app = createApp({ outdir: freshOutdir() });
    accept(addStacks(app, stageWith("production"), { bundle: false }));
    return acceptanceEnds(app, now).map(({ id, says }) => `${id} ${says}`);
  };
  const accepting =
    (reason: string) =>
    ({ pipeline }: Stacks): void =>
      Validations.of(pipeline.queues.expiry.queue).acknowledge({ id: "AwsSolutions-SQS3", reason });

  test("is accepted until a day that has not come, and no longer than a year", () => {
    expect(saidOf(() => undefined, Date.now())).toEqual([]);
  });

  test("is a finding again from its day on", () => {
    const eve = Date.parse("2027-10-31T23:59:59Z");
    expect(saidOf(() => undefined, eve)).toEqual([]);
    const said = saidOf(() => undefined, eve + 1_000);
    expect(said.length).toBeGreaterThan(10);
    expect(said[0]).toContain("until 2027-11-01: mend the finding, or judge its reason again and set another day");
  });

  test.each([
    ["without a day", REASON, "without a reason and a day"],
    ["without a reason", "Until 2027-06-01.", "without a reason and a day"],
    ["until a day that is none", `${REASON} Until 2027-13-41.`, "without a reason and a day"],
    ["for ever", `${REASON} Until 2099-01-01.`, "choose a day within a year"],
    ["until yesterday", `${REASON} Until 2026-11-30.`, "mend the finding"],
  ])("is found %s", (_says, reason, words) => {
    expect(saidOf(accepting(reason), NOW)).toEqual([expect.stringContaining(words)]);
  });

  test("stops the synthesis where it has ended", () => {
    const outdir = freshOutdir();
    const app = createApp({ outdir });
    accepting(`${REASON} Until 2020-01-01.`)(addStacks(app, stageWith("production"), { bundle: false }));
    expect(() => app.synth()).toThrow(/validation/i);
    expect(readFileSync(join(outdir, "validation-report.json"), "utf8")).toContain('"ruleName": "acceptanceEnds"');
  });
});
