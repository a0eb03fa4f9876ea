/** Where the local cloud's resources live: what an ARN, a queue URL or an API address is made of. */
export interface Place {
  readonly account: string;
  readonly region: string;
  readonly queueUrl: (name: string) => string;
  readonly apiUrl: string;
}

type Attributes = Readonly<Record<string, string>>;

/** How CloudFormation answers for one type of resource: `Ref` and each `Fn::GetAtt`, from its physical name. */
interface Identity {
  readonly nameProperty: string | null;
  readonly attributes: (name: string, place: Place) => Attributes;
}

const arnOf = (service: string, place: Place, resource: string): string =>
  `arn:aws:${service}:${place.region}:${place.account}:${resource}`;

const table: Identity = {
  nameProperty: "TableName",
  attributes: (name, place) => ({
    Ref: name,
    Arn: arnOf("dynamodb", place, `table/${name}`),
    StreamArn: arnOf("dynamodb", place, `table/${name}/stream/local`),
  }),
};

/** Resources that others may refer to. A type that is not here fails by name as soon as something refers to it. */
export const IDENTITIES: Readonly<Record<string, Identity>> = {
  "AWS::DynamoDB::Table": table,
  "AWS::DynamoDB::GlobalTable": table,
  "AWS::SQS::Queue": {
    nameProperty: "QueueName",
    attributes: (name, place) => ({
      Ref: place.queueUrl(name),
      QueueUrl: place.queueUrl(name),
      QueueName: name,
      Arn: arnOf("sqs", place, name),
    }),
  },
  "AWS::SNS::Topic": {
    nameProperty: "TopicName",
    attributes: (name, place) => ({ Ref: arnOf("sns", place, name), TopicArn: arnOf("sns", place, name), TopicName: name }),
  },
  "AWS::Lambda::Function": {
    nameProperty: "FunctionName",
    attributes: (name, place) => ({ Ref: name, Arn: arnOf("lambda", place, `function:${name}`) }),
  },
  "AWS::IAM::Role": {
    nameProperty: "RoleName",
    attributes: (name, place) => ({ Ref: name, Arn: `arn:aws:iam::${place.account}:role/${name}`, RoleId: name }),
  },
  "AWS::KMS::Key": {
    nameProperty: null,
    attributes: (name, place) => ({ Ref: name, KeyId: name, Arn: arnOf("kms", place, `key/${name}`) }),
  },
  "AWS::KMS::Alias": { nameProperty: "AliasName", attributes: (name) => ({ Ref: name }) },
  "AWS::Scheduler::ScheduleGroup": {
    nameProperty: "Name",
    attributes: (name, place) => ({ Ref: name, Arn: arnOf("scheduler", place, `schedule-group/${name}`) }),
  },
  "AWS::SES::ConfigurationSet": { nameProperty: "Name", attributes: (name) => ({ Ref: name }) },
  "AWS::Logs::LogGroup": {
    nameProperty: "LogGroupName",
    attributes: (name, place) => ({ Ref: name, Arn: arnOf("logs", place, `log-group:${name}:*`) }),
  },
  "AWS::ApiGatewayV2::Api": {
    nameProperty: null,
    attributes: (name, place) => ({ Ref: name, ApiId: name, ApiEndpoint: place.apiUrl }),
  },
  "AWS::ApiGatewayV2::Integration": { nameProperty: null, attributes: (name) => ({ Ref: name, IntegrationId: name }) },
};

/** Resources that have an effect in the cloud only: access, encryption at rest, retention, observation. */
const CLOUD_ONLY = new Set([
  "AWS::ApiGatewayV2::Api",
  "AWS::ApiGatewayV2::Integration",
  "AWS::ApiGatewayV2::Stage",
  "AWS::Backup::BackupPlan",
  "AWS::Backup::BackupSelection",
  "AWS::Backup::BackupVault",
  "AWS::CDK::Metadata",
  "AWS::CloudWatch::Alarm",
  "AWS::CloudWatch::CompositeAlarm",
  "AWS::CloudWatch::Dashboard",
  "AWS::IAM::ManagedPolicy",
  "AWS::IAM::Policy",
  "AWS::IAM::Role",
  "AWS::KMS::Alias",
  "AWS::KMS::Key",
  "AWS::Lambda::Permission",
  "AWS::Logs::LogGroup",
  "AWS::Logs::MetricFilter",
  "AWS::SES::ConfigurationSet",
  "AWS::SES::ConfigurationSetEventDestination",
  "AWS::SES::EmailIdentity",
  "AWS::SNS::TopicPolicy",
  "AWS::SQS::QueuePolicy",
  "AWS::Scheduler::ScheduleGroup",
]);

/** Resources that the local cloud runs. */
const RUN = new Set([
  "AWS::ApiGatewayV2::Route",
  "AWS::DynamoDB::GlobalTable",
  "AWS::DynamoDB::Table",
  "AWS::Lambda::EventInvokeConfig",
  "AWS::Lambda::EventSourceMapping",
  "AWS::Lambda::Function",
  "AWS::SNS::Subscription",
  "AWS::SNS::Topic",
  "AWS::SQS::Queue",
  "AWS::Scheduler::Schedule",
]);

/** @throws Error for a type that would do something in the cloud and nothing here: a silent gap. */
export const assertKnownType = (where: string, type: string): void => {
  if (!RUN.has(type) && !CLOUD_ONLY.has(type)) throw new Error(`${where}: the local cloud does not know ${type}`);
};
