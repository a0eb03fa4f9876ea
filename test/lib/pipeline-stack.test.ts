import { beforeAll, describe, expect, test } from "vitest";

import { REQUESTS } from "../../adapters/aws/clients.ts";
import { EMAILED_TYPES } from "../../adapters/email/notice.ts";
import { ROUTES } from "../../adapters/wire/routes.ts";
import { GRANTS } from "../../api/authorize.ts";
import { EVENT_TYPES } from "../../core/event.ts";
import { LIMITS } from "../../core/limits.ts";
import { allowances } from "../../lib/checks/access.ts";
import { at, deploymentOf } from "../../lib/checks/template.ts";
import { propertyOf, resourcesOf, stageWith, type Templates, templatesOf } from "./deployment.ts";

const QUEUE = "AWS::SQS::Queue";
const LAMBDA = "AWS::Lambda::Function";
const MAPPING = "AWS::Lambda::EventSourceMapping";

let production: Templates;
let sandbox: Templates;

beforeAll(() => {
  production = templatesOf(stageWith("production"));
  sandbox = templatesOf(stageWith("sandbox"));
});

describe("queues", () => {
  test("visibility is at least six times the consumer's timeout, and prices are kept five minutes", () => {
    const timeouts = propertyOf(production.Pipeline, LAMBDA, "Timeout");
    const visibility = propertyOf(production.Pipeline, QUEUE, "VisibilityTimeout");
    const consumers = {
      AcceptMarks: "MarksQueue",
      StartSweep: "SweepQueue",
      MarkAccounts: "ShardsQueue",
      SendEmail: "EmailQueue",
      DeliverWebhook: "WebhookQueue",
      ArmDeadline: "TimerQueue",
      ExpireCall: "ExpiryQueue",
      DispatchOrders: "OrdersQueue",
      ApplyBookFeed: "FeedQueue",
    };
    for (const [step, queue] of Object.entries(consumers)) {
      expect(at(resourcesOf(production.Pipeline, MAPPING).find(({ id }) => id === `${step}Mapping`)?.properties, "EventSourceArn")).toEqual(
        {
          "Fn::GetAtt": [queue, "Arn"],
        },
      );
      expect(Number(visibility[queue])).toBeGreaterThanOrEqual(6 * Number(timeouts[`${step}Function`]));
    }
    expect(propertyOf(production.Pipeline, QUEUE, "MessageRetentionPeriod")["MarksQueue"]).toBe(300);
  });

  test("a price is tried three times before it is dropped for its age", () => {
    expect(3 * Number(propertyOf(production.Pipeline, QUEUE, "VisibilityTimeout")["MarksQueue"])).toBeLessThan(300);
  });

  test("venue and feed keep the order of an account, and no account waits for another", () => {
    for (const id of ["VenueQueue", "FeedQueue"]) {
      expect(production.Pipeline.Resources[id]?.Properties).toMatchObject({
        FifoQueue: true,
        DeduplicationScope: "messageGroup",
        FifoThroughputLimit: "perMessageGroupId",
      });
    }
    expect(propertyOf(production.Pipeline, QUEUE, "QueueName")).toMatchObject({
      VenueQueue: "plimsoll-production-venue.fifo",
      VenueQueueDead: "plimsoll-production-venue-dead.fifo",
      FeedQueue: "plimsoll-production-feed.fifo",
    });
  });

  test("every queue of the flow parks what failed three times", () => {
    const redrives = Object.entries(propertyOf(production.Pipeline, QUEUE, "RedrivePolicy")).filter(([, policy]) => policy !== undefined);
    expect(redrives).toHaveLength(10);
    for (const [id, policy] of redrives) {
      expect(policy).toEqual({ deadLetterTargetArn: { "Fn::GetAtt": [`${id}Dead`, "Arn"] }, maxReceiveCount: 3 });
    }
  });
});

describe("functions", () => {
  test("a fact that a crash left behind comes again before the shortest notice and grace are over (R12, R13: 60 s each)", () => {
    const seconds = Number(propertyOf(production.Pipeline, QUEUE, "VisibilityTimeout")["FeedQueue"]);
    expect(seconds).toBe(90);
    expect(seconds).toBeLessThan(120);
  });

  test("the SDK gives up before the promise of a write, and that is before any function's timeout (R12)", () => {
    const sdkMs = REQUESTS.requestMs * REQUESTS.attemptsMax + REQUESTS.backoffMs;
    expect(sdkMs).toBeLessThanOrEqual(LIMITS.writeBudgetMs);
    for (const timeout of Object.values(propertyOf(production.Pipeline, LAMBDA, "Timeout"))) {
      expect(Number(timeout) * 1_000).toBeGreaterThan(LIMITS.writeBudgetMs);
    }
  });

  test("design §4: what feeds itself may, and nothing else", () => {
    const loops = Object.entries(propertyOf(production.Pipeline, LAMBDA, "RecursiveLoop")).filter(([, loop]) => loop === "Allow");
    expect(loops.map(([id]) => id)).toEqual(["StartSweepFunction", "MarkAccountsFunction", "DeliverWebhookFunction"]);
  });

  test("concurrency: one sweep at a time, and no mapping above its function's reservation", () => {
    const bounds = propertyOf(production.Pipeline, MAPPING, "ScalingConfig", "MaximumConcurrency");
    expect(bounds["StartSweepMapping"]).toBe(2);
    const reserved = propertyOf(production.Pipeline, LAMBDA, "ReservedConcurrentExecutions");
    const reservedSteps = Object.entries(reserved).filter(([, count]) => count !== undefined);
    expect(reservedSteps).toHaveLength(8);
    for (const [id, count] of reservedSteps)
      expect(Number(bounds[id.replace("Function", "Mapping")] ?? 0)).toBeLessThanOrEqual(Number(count));
  });

  test("a smaller reservation bounds its mapping, and the sandbox reserves nothing", () => {
    const reservedConcurrency = { "expire-call": 5, "dispatch-orders": 5, "sweep-overdue": 2 };
    const small = templatesOf(stageWith("production", { name: "small", reservedConcurrency }));
    const bounds = propertyOf(small.Pipeline, MAPPING, "ScalingConfig", "MaximumConcurrency");
    expect([bounds["ExpireCallMapping"], bounds["DispatchOrdersMapping"], bounds["SendEmailMapping"]]).toEqual([5, 5, 50]);
    for (const count of Object.values(propertyOf(sandbox.Pipeline, LAMBDA, "ReservedConcurrentExecutions"))) expect(count).toBeUndefined();
  });

  test("twelve functions, ARM64, Node 24, one handler, each with its own log kept as long as the stage says", () => {
    const functions = resourcesOf(production.Pipeline, LAMBDA);
    expect(functions).toHaveLength(12);
    for (const { id, properties } of functions) {
      expect(properties).toMatchObject({ Architectures: ["arm64"], Runtime: "nodejs24.x", Handler: "index.handler" });
      expect(at(properties, "LoggingConfig", "LogGroup")).toEqual({ Ref: id.replace("Function", "Logs") });
    }
    for (const days of Object.values(propertyOf(production.Pipeline, "AWS::Logs::LogGroup", "RetentionInDays"))) expect(days).toBe(365);
    for (const days of Object.values(propertyOf(sandbox.Pipeline, "AWS::Logs::LogGroup", "RetentionInDays"))) expect(days).toBe(7);
  });

  test("each is given the settings that it needs and no others", () => {
    const variables = propertyOf(production.Pipeline, LAMBDA, "Environment", "Variables");
    const names = (id: string) => Object.keys(variables[id] as object).filter((name) => !name.startsWith("POWERTOOLS_"));
    expect(names("PublishEventsFunction")).toEqual(["EVENTS_TOPIC_ARN"]);
    expect(names("AcceptMarksFunction")).toEqual([
      "MARKS_TABLE",
      "SWEEP_QUEUE_URL",
      "SWEEP_STEP_PPM",
      "BOOK_TABLE",
      "SHARDS",
      "MODES",
      "DEFAULT_POLICY",
      "BREACH_SHARE_MAX_PPM",
      "COMPOSITE_SOURCES",
    ]);
    for (const [id, given] of Object.entries(variables)) {
      const may = ["OperateFunction", "SendEmailFunction", "DeliverWebhookFunction"].includes(id);
      expect("OUTBOUND_TABLE" in (given as object)).toBe(may);
    }
  });

  test("R28: the stage's modes reach whoever decides", () => {
    const variables = propertyOf(production.Pipeline, LAMBDA, "Environment", "Variables");
    for (const id of [
      "MarkAccountsFunction",
      "ExpireCallFunction",
      "SweepOverdueFunction",
      "DispatchOrdersFunction",
      "ApplyBookFeedFunction",
    ]) {
      expect(JSON.parse(String(at(variables[id], "MODES")))).toEqual({ default: "observe", brokers: {}, clientClasses: {} });
    }
  });
});

describe("mappings and schedules", () => {
  test("every mapping reports partial failures", () => {
    const answers = Object.values(propertyOf(production.Pipeline, MAPPING, "FunctionResponseTypes"));
    expect(answers).toHaveLength(10);
    for (const answer of answers) expect(answer).toEqual(["ReportBatchItemFailures"]);
  });

  test("the relay reads what is to be published from the beginning, splits what fails and parks it", () => {
    expect(production.Pipeline.Resources["PublishEventsMapping"]?.Properties).toMatchObject({
      StartingPosition: "TRIM_HORIZON",
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 20,
      ParallelizationFactor: 10,
      DestinationConfig: { OnFailure: { Destination: { "Fn::GetAtt": ["PublishEventsDead", "Arn"] } } },
      FilterCriteria: {
        Filters: [{ Pattern: '{"eventName":["INSERT"],"dynamodb":{"NewImage":{"publish":{"BOOL":[true]}}}}' }],
      },
    });
  });

  test("each minute wakes the sweep through its queue, and the overdue sweep without one (L12)", () => {
    expect(production.Pipeline.Resources["SweepSchedule"]?.Properties).toMatchObject({
      ScheduleExpression: "rate(1 minute)",
      Target: { Arn: { "Fn::GetAtt": ["SweepQueue", "Arn"] }, Input: '{"schemaVersion":1,"reason":"schedule"}' },
    });
    expect(production.Pipeline.Resources["SweepOverdueSchedule"]?.Properties).toMatchObject({
      ScheduleExpression: "rate(1 minute)",
      Target: { Arn: { "Fn::GetAtt": ["SweepOverdueFunction", "Arn"] } },
    });
  });

  test("each subscription delivers raw bodies to its queue and parks what cannot be delivered", () => {
    const subscriptions = resourcesOf(production.Pipeline, "AWS::SNS::Subscription");
    expect(subscriptions.map(({ id }) => id).sort()).toEqual([
      "EmailSubscription",
      "OrdersSubscription",
      "TimerSubscription",
      "WebhookSubscription",
    ]);
    for (const { id, properties } of subscriptions) {
      expect(at(properties, "RawMessageDelivery")).toBe(true);
      expect(at(properties, "RedrivePolicy", "deadLetterTargetArn")).toEqual({ "Fn::GetAtt": [`${id}Dead`, "Arn"] });
    }
  });

  test("R27: who hears which event", () => {
    const filters = propertyOf(production.Pipeline, "AWS::SNS::Subscription", "FilterPolicy");
    expect(filters).toEqual({
      EmailSubscription: { type: [...EMAILED_TYPES] },
      WebhookSubscription: undefined,
      TimerSubscription: {
        type: ["margin_call.issued", "margin_call.updated", "margin_call.deadline_changed", "margin_call.extended"],
      },
      OrdersSubscription: { type: ["liquidation.started"] },
    });
    for (const filter of Object.values(filters)) {
      for (const type of (at(filter, "type") ?? []) as string[]) expect(EVENT_TYPES).toContain(type);
    }
  });
});

describe("access", () => {
  const allowed = (role: string, prefix: string): string[] =>
    allowances(deploymentOf(production))
      .filter(({ owner }) => owner.id === role)
      .flatMap(({ actions }) => actions)
      .filter((action) => action.startsWith(prefix))
      .sort();

  test("C11: stars stand in three statements, each listed", () => {
    const starred = allowances(deploymentOf(production)).filter(({ resources }) => JSON.stringify(resources).includes("*"));
    expect(starred.map(({ owner, actions }) => [owner.id, ...actions])).toEqual([
      ["PublishEventsRole", "dynamodb:ListStreams"],
      ["ArmDeadlineRole", "scheduler:CreateSchedule", "scheduler:UpdateSchedule"],
      ["Caller", "execute-api:Invoke"],
    ]);
  });

  test("I20: whoever touches the journal puts and reads, and no function may do more", () => {
    const deployment = deploymentOf(production);
    const onJournal = allowances(deployment).filter(({ owner, resources }) =>
      resources.some((resource) => deployment.follow(owner.stack, resource)?.id === "Journal"),
    );
    const actions = new Set(onJournal.flatMap((statement) => statement.actions));
    expect([...actions].sort()).toEqual([
      "dynamodb:DescribeStream",
      "dynamodb:GetItem",
      "dynamodb:GetRecords",
      "dynamodb:GetShardIterator",
      "dynamodb:PutItem",
      "dynamodb:Query",
    ]);
  });

  test("what notifies cannot touch the book, and what decides cannot read contacts", () => {
    const tables = (role: string) => {
      const deployment = deploymentOf(production);
      const named = allowances(deployment)
        .filter(({ owner }) => owner.id === role)
        .flatMap(({ owner, resources }) => resources.map((resource) => deployment.follow(owner.stack, resource)))
        .flatMap((resource) => (resource?.type === "AWS::DynamoDB::Table" ? [resource.id] : []));
      return [...new Set(named)].sort();
    };
    expect(tables("SendEmailRole")).toEqual(["Outbound"]);
    expect(tables("DeliverWebhookRole")).toEqual(["Outbound"]);
    expect(tables("MarkAccountsRole")).toEqual(["Book", "Journal", "Marks"]);
    expect(tables("ExpireCallRole")).toEqual(["Book", "Journal", "Marks"]);
    expect(tables("ArmDeadlineRole")).toEqual(["Book", "Journal"]);
    expect(tables("AcceptMarksRole")).toEqual(["Book", "Marks"]);
    expect(tables("PublishEventsRole")).toEqual(["Journal"]);
  });

  test("only operate makes webhook secrets, only deliver-webhook opens them, and only bound to an endpoint", () => {
    const direct = (role: string) =>
      (at(production.Pipeline.Resources[role]?.Properties, "Policies") as unknown[])
        .flatMap((policy) => at(policy, "PolicyDocument", "Statement") as unknown[])
        .filter((statement) => at(statement, "Condition", "Null", "kms:EncryptionContext:endpointId") === "false")
        .map((statement) => at(statement, "Action"));
    expect(direct("OperateRole")).toEqual(["kms:Encrypt"]);
    expect(direct("DeliverWebhookRole")).toEqual(["kms:Decrypt"]);
    expect(direct("SendEmailRole")).toEqual([]);
    expect(allowed("SendEmailRole", "ses:")).toEqual(["ses:SendEmail"]);
  });

  test("every route is signed but the health check", () => {
    const routes = resourcesOf(production.Pipeline, "AWS::ApiGatewayV2::Route").map(({ properties }) => [
      at(properties, "RouteKey"),
      at(properties, "AuthorizationType"),
    ]);
    expect(routes).toEqual(ROUTES.map(({ method, path, access }) => [`${method} ${path}`, access === "public" ? "NONE" : "AWS_IAM"]));
    expect(routes.filter(([, type]) => type === "NONE")).toEqual([["GET /health", "NONE"]]);
  });

  const routes = (id: string): string[] =>
    JSON.stringify(at(production.Pipeline.Resources[id]?.Properties, "PolicyDocument")).match(/\$default\/[A-Z]+\/[^"]*/g) ?? [];

  test.each([
    ["operator", "Caller"],
    ["auditor", "Caller"],
    ["broker", "Caller"],
    ["holder", "Caller"],
    ["marks", "MarksWriter"],
    ["feed", "FeedWriter"],
  ] as const)("C2: what authorize grants to %s, the policy %s admits: IAM is asked first", (role, policy) => {
    const granted = ROUTES.filter(({ action }) => Object.hasOwn(GRANTS[role], action));
    const wanted = granted.map(({ method, path }) => `$default/${method}${path.replaceAll(/\{\w+\}/g, "*")}`);
    expect(wanted.filter((route) => !routes(policy).includes(route))).toEqual([]);
  });

  test("posting marks and posting facts are each a policy of their own, and the callers' has neither", () => {
    expect(routes("MarksWriter").sort()).toEqual(["$default/GET/openapi.json", "$default/POST/marks"]);
    expect(routes("FeedWriter").sort()).toEqual([
      "$default/GET/openapi.json",
      "$default/POST/feed-entries",
      "$default/POST/withdrawal-checks",
    ]);
    expect(routes("Caller")).toHaveLength(ROUTES.length - 3);
    expect(routes("Caller").filter((route) => /marks|feed-entries/.test(route))).toEqual([]);
    expect(routes("VenueGateway")).toEqual([]);
  });

  test("the API is throttled and logs who called", () => {
    expect(production.Pipeline.Resources["ApiStage"]?.Properties).toMatchObject({
      DefaultRouteSettings: { ThrottlingRateLimit: 200, ThrottlingBurstLimit: 400 },
      AccessLogSettings: { Format: expect.stringContaining("$context.identity.userArn") },
    });
  });
});

/** Resources of a template that each needs, by reference or by order. */
const needsOf = (template: Templates["Data"]): ReadonlyMap<string, readonly string[]> => {
  const ids = new Set(Object.keys(template.Resources));
  return new Map(
    Object.entries(template.Resources).map(([id, resource]) => {
      const text = JSON.stringify(resource);
      const named = [...text.matchAll(/"Ref":"(\w+)"|"Fn::GetAtt":\["(\w+)"/g)].map(([, ref, attribute]) => ref ?? attribute ?? "");
      const after = at(resource, "DependsOn");
      return [id, [...named, ...(Array.isArray(after) ? (after as string[]) : [])].filter((name) => ids.has(name) && name !== id)];
    }),
  );
};

describe("names", () => {
  test("no resource waits for itself: CloudFormation can order each stack", () => {
    for (const template of Object.values(production)) {
      const needs = needsOf(template);
      const ready = new Set<string>();
      for (let before = -1; before < ready.size; ) {
        before = ready.size;
        for (const [id, wanted] of needs) if (wanted.every((name) => ready.has(name))) ready.add(id);
      }
      expect([...needs.keys()].filter((id) => !ready.has(id))).toEqual([]);
    }
  });

  test("logical ids are words, without hashes", () => {
    for (const template of Object.values(production)) {
      for (const id of Object.keys(template.Resources)) expect(id).not.toMatch(/[0-9A-F]{8}$/);
    }
  });

  test("outputs name the tables, the queues, the topic and the API", () => {
    const clear = (template: Templates["Data"]) => Object.keys(template.Outputs ?? {}).filter((name) => !name.startsWith("Exports"));
    expect(clear(production.Data)).toEqual(["BookTableName", "MarksTableName", "JournalTableName", "OutboundTableName", "DataKeyArn"]);
    expect(clear(production.Pipeline)).toEqual([
      "ApiUrl",
      "EventsTopicArn",
      ...["Marks", "Sweep", "Shards", "Email", "Webhook", "Timer", "Expiry", "Orders", "Venue", "Feed"].map((name) => `${name}QueueUrl`),
    ]);
    expect(clear(production.Watch)).toEqual(["PageTopicArn", "TicketTopicArn"]);
  });
});
