import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { type IRole, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import {
  ApplicationLogLevel,
  Architecture,
  type Code,
  Function as LambdaFunction,
  LoggingFormat,
  RecursiveLoop,
  Runtime,
  SystemLogLevel,
} from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";

import { logGroupName } from "../data-stack.ts";
import { usesMessagingKey } from "../permissions.ts";
import { type FunctionName, nameOf, type Stage } from "../stage.ts";
import { pascal } from "./named-stack.ts";

export interface PipelineFunctionProps {
  readonly stage: Stage;
  readonly name: FunctionName;
  readonly description: string;
  readonly code: Code;
  readonly timeoutS: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
  /** All that the function may do beyond writing its own log and reading its own queue. */
  readonly statements: readonly PolicyStatement[];
  readonly dataKey: IKey;
  readonly messagingKey: IKey;
  /** True for a function that sends to its own queue: its messages carry a bounded hop count (design §4). */
  readonly feedsItself?: boolean;
}

/** One Lambda of the pipeline: its bundle, its own role written statement by statement, and its log. */
export class PipelineFunction extends Construct {
  readonly function: LambdaFunction;
  readonly functionNamePhysical: string;
  /** Executions that the stage reserves; undefined when it reserves none. */
  readonly reserved: number | undefined;
  private readonly policy: PolicyDocument;
  private readonly messagingKey: IKey;
  private readonly dataKey: IKey;

  constructor(scope: Construct, props: PipelineFunctionProps) {
    super(scope, pascal(props.name));
    const { stage } = props;
    this.messagingKey = props.messagingKey;
    this.dataKey = props.dataKey;
    this.functionNamePhysical = nameOf(stage, props.name);
    this.reserved = stage.reservedConcurrency === "off" ? undefined : stage.reservedConcurrency[props.name];
    const logGroup = new LogGroup(this, "Logs", {
      logGroupName: logGroupName(stage, props.name),
      retention: stage.logRetentionDays,
      encryptionKey: props.dataKey,
      removalPolicy: stage.removal === "retain" ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    this.policy = new PolicyDocument({ statements: [...props.statements] });
    this.allow(["logs:CreateLogStream", "logs:PutLogEvents"], logGroup.logGroupArn);
    const role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      description: `Plimsoll ${stage.name}: ${props.name}`,
      inlinePolicies: { work: this.policy },
    });
    this.function = new LambdaFunction(this, "Function", {
      functionName: this.functionNamePhysical,
      description: props.description,
      code: props.code,
      handler: "index.handler",
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      timeout: Duration.seconds(props.timeoutS),
      memorySize: props.memoryMb,
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: ApplicationLogLevel.INFO,
      systemLogLevelV2: SystemLogLevel.WARN,
      recursiveLoop: props.feedsItself === true ? RecursiveLoop.ALLOW : RecursiveLoop.TERMINATE,
      ...(this.reserved === undefined ? {} : { reservedConcurrentExecutions: this.reserved }),
      environment: {
        ...props.environment,
        // Namespace and dimension of the metrics that the code counts; the alarms look for them.
        POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE,
        POWERTOOLS_SERVICE_NAME: serviceName(stage),
      },
    });
  }

  /** Adds one statement to the role. */
  allow(actions: readonly string[], ...resources: readonly string[]): void {
    this.policy.addStatements(new PolicyStatement({ actions: [...actions], resources: [...resources] }));
  }

  /** What Lambda's poller does in the role's name. */
  allowConsuming(queue: Queue): void {
    this.allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], queue.queueArn);
    this.allow(["kms:Decrypt"], this.messagingKey.keyArn);
  }

  /** For a sender to encrypted queues and topics. */
  allowMessagingKey(): void {
    this.policy.addStatements(usesMessagingKey(this.messagingKey));
  }

  /** Webhook secrets: the data key directly, but only for a ciphertext that is bound to its endpoint. */
  allowSecrets(action: "kms:Encrypt" | "kms:Decrypt"): void {
    this.policy.addStatements(
      new PolicyStatement({
        actions: [action],
        resources: [this.dataKey.keyArn],
        conditions: { Null: { "kms:EncryptionContext:endpointId": "false" } },
      }),
    );
  }

  /** Handing a role to the one service that takes it. */
  allowPassing(role: IRole, service: string): void {
    this.policy.addStatements(
      new PolicyStatement({
        actions: ["iam:PassRole"],
        resources: [role.roleArn],
        conditions: { StringEquals: { "iam:PassedToService": service } },
      }),
    );
  }
}

/** Namespace of the metrics that the functions count. */
export const METRICS_NAMESPACE = "Plimsoll";

/** The metrics' one dimension: it keeps the stages of one cloud account apart. */
export const serviceName = (stage: Stage): string => nameOf(stage, "pipeline");
