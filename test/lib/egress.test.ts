import { beforeAll, describe, expect, test } from "vitest";

import { allowances } from "../../lib/checks/access.ts";
import { deploymentOf } from "../../lib/checks/template.ts";
import { resourcesOf, stageWith, type Templates, templatesOf } from "./deployment.ts";

const typesOf = ({ Pipeline }: Templates): string[] => Object.values(Pipeline.Resources).map(({ Type }) => Type);
const count = (templates: Templates, type: string): number => typesOf(templates).filter((one) => one === type).length;

let fixed: Templates;
let open: Templates;
beforeAll(() => {
  // With an account: names of zones must not be asked for, which would take its credentials. cdk-nag runs in it.
  fixed = templatesOf(stageWith("production", { account: "111122223333", webhookEgress: "static" }));
  open = templatesOf(stageWith("production"));
});

test("off by default: no network, no hour that costs", () => {
  expect(typesOf(open).filter((type) => type.startsWith("AWS::EC2::"))).toEqual([]);
  expect(open.Pipeline).not.toHaveProperty("Outputs.WebhookAddresses");
});

describe("webhooks from fixed addresses", () => {
  test("the one function that talks to strangers is in the network, and no other", () => {
    const inside = resourcesOf(fixed.Pipeline, "AWS::Lambda::Function").filter(({ properties }) => "VpcConfig" in (properties as object));
    expect(inside.map(({ id }) => id)).toEqual(["DeliverWebhookFunction"]);
    expect(inside[0]?.properties).toMatchObject({
      VpcConfig: {
        SubnetIds: [{ Ref: "EgressVpcSenderSubnet1Subnet" }, { Ref: "EgressVpcSenderSubnet2Subnet" }],
        SecurityGroupIds: [{ "Fn::GetAtt": ["EgressGroup", "GroupId"] }],
      },
    });
  });

  test("two gateways with an address each, which the stack names", () => {
    expect([count(fixed, "AWS::EC2::NatGateway"), count(fixed, "AWS::EC2::EIP")]).toEqual([2, 2]);
    expect(fixed.Pipeline).toHaveProperty("Outputs.WebhookAddresses.Value", {
      "Fn::Join": ["", [{ Ref: "EgressVpcGatewaySubnet1EIP" }, " ", { Ref: "EgressVpcGatewaySubnet2EIP" }]],
    });
  });

  test("C7 in by nothing, and no route but to the gateways: nothing internal can be reached", () => {
    for (const { properties } of resourcesOf(fixed.Pipeline, "AWS::EC2::SecurityGroup"))
      expect(properties).not.toHaveProperty("SecurityGroupIngress");
    for (const type of ["SecurityGroupIngress", "VPCPeeringConnection", "TransitGatewayAttachment", "VPNGateway"])
      expect(count(fixed, `AWS::EC2::${type}`)).toBe(0);
    const routes = resourcesOf(fixed.Pipeline, "AWS::EC2::Route").map(({ id, properties }) => [
      id,
      Object.keys(properties as object).sort(),
    ]);
    expect(Object.fromEntries(routes)).toEqual({
      EgressVpcGatewaySubnet1DefaultRoute: ["DestinationCidrBlock", "GatewayId", "RouteTableId"],
      EgressVpcGatewaySubnet2DefaultRoute: ["DestinationCidrBlock", "GatewayId", "RouteTableId"],
      EgressVpcSenderSubnet1DefaultRoute: ["DestinationCidrBlock", "NatGatewayId", "RouteTableId"],
      EgressVpcSenderSubnet2DefaultRoute: ["DestinationCidrBlock", "NatGatewayId", "RouteTableId"],
    });
    expect(resourcesOf(fixed.Pipeline, "AWS::EC2::VPCEndpoint")).toMatchObject([{ properties: { VpcEndpointType: "Gateway" } }]);
  });

  test("C11 only its role may make network interfaces, and only there", () => {
    const makers = (templates: Templates): string[] =>
      allowances(deploymentOf(templates))
        .filter(({ actions }) => actions.some((action) => action.startsWith("ec2:")))
        .map(({ owner }) => owner.id);
    expect(makers(fixed)).toEqual(["DeliverWebhookRole"]);
    expect(makers(open)).toEqual([]);
  });
});
