import { CfnOutput, Fn, RemovalPolicy, Stack } from "aws-cdk-lib";
import {
  type CfnEIP,
  FlowLog,
  FlowLogDestination,
  FlowLogResourceType,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from "aws-cdk-lib/aws-ec2";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { CfnFunction } from "aws-cdk-lib/aws-lambda";
import { LogGroup } from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";

import { logGroupName } from "../data-stack.ts";
import type { Stage } from "../stage.ts";
import { acknowledgeWildcards } from "./acknowledge.ts";
import type { PipelineFunction } from "./pipeline-function.ts";

/** Two zones: where one fails, webhooks leave by the other's address. */
const ZONES = 2;
/** What Lambda does in the role's name to give the function a place in the network. */
const NETWORK_INTERFACES = [
  "ec2:AssignPrivateIpAddresses",
  "ec2:CreateNetworkInterface",
  "ec2:DeleteNetworkInterface",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeSubnets",
  "ec2:UnassignPrivateIpAddresses",
];

/**
 * A network for one function that posts to strangers: out by one fixed address a zone, in by nothing. It is peered
 * with nothing and knows no private zone, so there is no route to anything internal (C7).
 */
export class StaticEgress extends Construct {
  private readonly vpc: IVpc;
  private readonly group: SecurityGroup;

  constructor(scope: Construct, { stage, dataKey }: { readonly stage: Stage; readonly dataKey: IKey }) {
    super(scope, "Egress");
    const vpc = new Vpc(this, "Vpc", {
      ipAddresses: IpAddresses.cidr("10.0.0.0/24"),
      availabilityZones: Array.from({ length: ZONES }, (_, zone) => Fn.select(zone, Fn.getAzs())),
      natGateways: ZONES,
      subnetConfiguration: [
        { name: "Gateway", subnetType: SubnetType.PUBLIC, cidrMask: 28, mapPublicIpOnLaunch: false },
        { name: "Sender", subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 26 },
      ],
      gatewayEndpoints: { Tables: { service: GatewayVpcEndpointAwsService.DYNAMODB } },
      // Nothing is in the default group; closing it would take another function.
      restrictDefaultSecurityGroup: false,
    });
    // The library's class and its interface differ in an optional property that is undefined.
    this.vpc = vpc as IVpc;
    const logGroup = new LogGroup(this, "Logs", {
      logGroupName: logGroupName(stage, "egress"),
      retention: stage.logRetentionDays,
      encryptionKey: dataKey,
      removalPolicy: stage.removal === "retain" ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    new FlowLog(this, "Refused", {
      resourceType: FlowLogResourceType.fromVpc(this.vpc),
      destination: FlowLogDestination.toCloudWatchLogs(logGroup),
      trafficType: FlowLogTrafficType.REJECT,
    });
    this.group = new SecurityGroup(this, "Group", {
      vpc: this.vpc,
      description: "Out to receivers of webhooks, in by nothing",
      allowAllOutbound: false,
    });
    this.group.addEgressRule(Peer.anyIpv4(), Port.allTcp(), "Receivers may listen on any port");
    const addresses = this.vpc.publicSubnets.map((subnet) => (subnet.node.findChild("EIP") as CfnEIP).ref);
    new CfnOutput(Stack.of(this), "WebhookAddresses", { value: addresses.join(" ") });
  }

  /** Puts a function into the network. */
  admit(step: PipelineFunction): void {
    step.allow(NETWORK_INTERFACES, "*");
    acknowledgeWildcards(
      step,
      ["*"],
      "Lambda makes the network interface in the role's name, and EC2 knows no resource before there is one.",
    );
    const { subnetIds } = this.vpc.selectSubnets({ subnetType: SubnetType.PRIVATE_WITH_EGRESS });
    const lambda = step.function.node.defaultChild as CfnFunction;
    lambda.vpcConfig = { subnetIds, securityGroupIds: [this.group.securityGroupId] };
    lambda.node.addDependency(this.vpc);
  }
}
