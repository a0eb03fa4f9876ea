import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A small deployment, written as the CDK would write it: one function behind a queue, a FIFO queue, a
 * topic's queue, a stream, schedules and routes. The function does what its messages say.
 */
export interface Fixture {
  readonly assembly: string;
  readonly directory: string;
  remove(): void;
}

/** Each record says what becomes of it; everything that is handled is told to the queue `seen`. */
const HANDLER = `
const call = async (target, body) => {
  const reply = await fetch(process.env.AWS_ENDPOINT_URL_SQS, {
    method: "POST",
    headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS." + target },
    body: JSON.stringify(body),
  });
  if (!reply.ok) throw new Error(await reply.text());
  return reply.json();
};
const tell = (what) => call("SendMessage", {
  QueueUrl: process.env.SEEN_QUEUE_URL,
  MessageBody: JSON.stringify({ ...what, at: Date.now(), made: new Date().getTime() }),
});
const put = (endpoint, name, item) => fetch(endpoint, {
  method: "POST",
  headers: {
    "content-type": "application/x-amz-json-1.0",
    "x-amz-target": "DynamoDB_20120810.PutItem",
    "x-amz-date": "20200101T000000Z",
    authorization: "AWS4-HMAC-SHA256 Credential=local/20200101/eu-west-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=0",
  },
  body: JSON.stringify({ TableName: name, Item: item }),
});
const handle = async (body, context) => {
  const wish = JSON.parse(body);
  if (wish.do === "fail") throw new Error("as told");
  if (wish.do === "hang") await new Promise(() => setTimeout(() => undefined, 1_000_000));
  if (wish.do === "delay") {
    const answer = await call("SendMessageBatch", { QueueUrl: process.env.WORK_QUEUE_URL, Entries: [
      { Id: "now", MessageBody: JSON.stringify({ name: "prompt" }) },
      { Id: "later", MessageBody: JSON.stringify({ name: "delayed" }), DelaySeconds: 90 },
    ] });
    await tell({ accepted: answer.Successful.map(({ Id }) => Id).sort() });
    return;
  }
  if (wish.do === "put") {
    for (const item of wish.items) await put(process.env.AWS_ENDPOINT_URL_DYNAMODB, process.env.JOURNAL_TABLE, item);
    return;
  }
  await tell({ name: wish.name, remaining: context.getRemainingTimeInMillis() });
};
export const handler = async (event, context) => {
  if (event.version === "2.0") {
    await tell({ route: event.routeKey, parameters: event.pathParameters, caller: event.requestContext.authorizer?.iam.userArn ?? null });
    return { statusCode: 201, headers: { "content-type": "application/json" }, body: JSON.stringify({ at: Date.now(), body: JSON.parse(event.body ?? "null") }) };
  }
  if (event.Records === undefined) {
    if (event.name === "broken") throw new Error("as told");
    await tell({ schedule: event.name });
    return;
  }
  console.log("records", event.Records.length);
  const batchItemFailures = [];
  for (const record of event.Records) {
    if (record.eventSource === "aws:dynamodb") {
      const { NewImage, SequenceNumber } = record.dynamodb;
      if (NewImage.poison !== undefined) { batchItemFailures.push({ itemIdentifier: SequenceNumber }); break; }
      await tell({ key: NewImage.pk.S + NewImage.sk.S });
      continue;
    }
    try { await handle(record.body, context); } catch { batchItemFailures.push({ itemIdentifier: record.messageId }); }
  }
  return { batchItemFailures };
};
`;

const getAtt = (id: string, attribute = "Arn") => ({ "Fn::GetAtt": [id, attribute] });

const queue = (name: string, extra: object = {}) => ({
  Type: "AWS::SQS::Queue",
  Properties: { QueueName: `plimsoll-test-${name}`, ...extra },
});

const workQueue = (name: string, extra: object = {}) =>
  queue(name, {
    VisibilityTimeout: 60,
    RedrivePolicy: { deadLetterTargetArn: getAtt(name.endsWith(".fifo") ? "OrderedDead" : "Dead"), maxReceiveCount: 3 },
    ...extra,
  });

const mapping = (source: object, extra: object = {}) => ({
  Type: "AWS::Lambda::EventSourceMapping",
  Properties: {
    FunctionName: { Ref: "Work" },
    EventSourceArn: source,
    BatchSize: 10,
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    ...extra,
  },
});

const route = (key: string, type: string) => ({
  Type: "AWS::ApiGatewayV2::Route",
  Properties: {
    ApiId: { Ref: "Api" },
    RouteKey: key,
    AuthorizationType: type,
    Target: { "Fn::Join": ["", ["integrations/", { Ref: "Integration" }]] },
  },
});

const RESOURCES = {
  Journal: {
    Type: "AWS::DynamoDB::Table",
    Properties: {
      TableName: "plimsoll-test-journal",
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
      AttributeDefinitions: [
        { AttributeName: "pk", AttributeType: "S" },
        { AttributeName: "sk", AttributeType: "S" },
      ],
      StreamSpecification: { StreamViewType: "NEW_IMAGE" },
    },
  },
  Dead: queue("work-dead"),
  OrderedDead: queue("ordered-dead.fifo", { FifoQueue: true }),
  RelayDead: queue("relay-dead"),
  ScheduleDead: queue("schedule-dead"),
  WorkQueue: workQueue("work"),
  Heard: workQueue("heard"),
  Ordered: workQueue("ordered.fifo", { FifoQueue: true }),
  Seen: queue("seen"),
  Venue: queue("venue.fifo", { FifoQueue: true }),
  Events: { Type: "AWS::SNS::Topic", Properties: { TopicName: "plimsoll-test-events" } },
  HeardSubscription: {
    Type: "AWS::SNS::Subscription",
    Properties: {
      TopicArn: { Ref: "Events" },
      Protocol: "sqs",
      Endpoint: getAtt("Heard"),
      RawMessageDelivery: true,
      FilterPolicyScope: "MessageAttributes",
      FilterPolicy: { type: ["wanted"] },
    },
  },
  Work: {
    Type: "AWS::Lambda::Function",
    Properties: {
      FunctionName: "plimsoll-test-work",
      Handler: "index.handler",
      Timeout: 1,
      MemorySize: 256,
      Code: { S3Bucket: "assets", S3Key: "abc.zip" },
      Environment: {
        Variables: {
          WORK_QUEUE_URL: { Ref: "WorkQueue" },
          SEEN_QUEUE_URL: { Ref: "Seen" },
          JOURNAL_TABLE: { Ref: "Journal" },
          PRINCIPALS: '{"arn:aws:iam::1:role/op":{"role":"operator"}}',
        },
      },
    },
  },
  Asynchronous: {
    Type: "AWS::Lambda::EventInvokeConfig",
    Properties: {
      FunctionName: { Ref: "Work" },
      Qualifier: "$LATEST",
      MaximumRetryAttempts: 1,
      DestinationConfig: { OnFailure: { Destination: getAtt("ScheduleDead") } },
    },
  },
  WorkMapping: mapping(getAtt("WorkQueue")),
  HeardMapping: mapping(getAtt("Heard")),
  OrderedMapping: mapping(getAtt("Ordered")),
  StreamMapping: mapping(getAtt("Journal", "StreamArn"), {
    FilterCriteria: { Filters: [{ Pattern: '{"eventName":["INSERT"],"dynamodb":{"NewImage":{"publish":{"BOOL":[true]}}}}' }] },
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: 2,
    DestinationConfig: { OnFailure: { Destination: getAtt("RelayDead") } },
  }),
  Minutely: {
    Type: "AWS::Scheduler::Schedule",
    Properties: { ScheduleExpression: "rate(1 minute)", Target: { Arn: getAtt("Work"), RoleArn: "none", Input: '{"name":"minutely"}' } },
  },
  DataKey: { Type: "AWS::KMS::Key", Properties: {} },
  Api: { Type: "AWS::ApiGatewayV2::Api", Properties: {} },
  Integration: { Type: "AWS::ApiGatewayV2::Integration", Properties: { IntegrationUri: getAtt("Work") } },
  Open: route("GET /health", "NONE"),
  Closed: route("PUT /things/{thingId}", "AWS_IAM"),
};

/** Writes the deployment's assembly to a temporary folder. @param replaced resources instead of, or beside, its own. */
export const writeFixture = (replaced: object = {}): Fixture => {
  const folder = mkdtempSync(join(tmpdir(), "plimsoll-test-"));
  const assembly = join(folder, "cdk.out");
  mkdirSync(join(assembly, "asset.abc"), { recursive: true });
  const write = (name: string, content: unknown) => writeFileSync(join(assembly, name), JSON.stringify(content));
  write("manifest.json", {
    version: "48.0.0",
    artifacts: {
      "test.assets": { type: "cdk:asset-manifest", properties: { file: "test.assets.json" } },
      test: {
        type: "aws:cloudformation:stack",
        environment: "aws://unknown-account/eu-west-1",
        properties: { templateFile: "test.template.json" },
      },
    },
  });
  write("test.assets.json", { files: { abc: { source: { path: "asset.abc", packaging: "zip" } } } });
  write("test.template.json", {
    Resources: { ...RESOURCES, ...replaced },
    Outputs: { WorkQueueUrl: { Value: { Ref: "WorkQueue" } }, ApiUrl: { Value: getAtt("Api", "ApiEndpoint") } },
  });
  writeFileSync(join(assembly, "asset.abc", "index.mjs"), HANDLER);
  return { assembly, directory: join(folder, "run"), remove: () => rmSync(folder, { recursive: true, force: true }) };
};
