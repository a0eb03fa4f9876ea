import { describe, expect, it } from "vitest";

import type { Json, Stack } from "../../../local/template/assembly.ts";
import { resolve } from "../../../local/template/resolve.ts";

const place = {
  account: "000000000000",
  region: "eu-west-1",
  queueUrl: (name: string) => `http://127.0.0.1:1/000000000000/${name}`,
  apiUrl: "http://127.0.0.1:2",
};

/** A placeholder of Fn::Sub. */
const hole = (name: string): string => `\${${name}}`;

const shop: Stack = {
  name: "shop",
  region: "eu-west-1",
  assets: {},
  template: {
    Parameters: { Size: { Default: "4" }, Bare: {} },
    Resources: {
      Orders: { Type: "AWS::SQS::Queue", Properties: { QueueName: { "Fn::Join": ["-", ["shop", "orders"]] } } },
      Ordered: { Type: "AWS::SQS::Queue", Properties: { FifoQueue: true } },
      Events: { Type: "AWS::SNS::Topic", Properties: { TopicName: "events" } },
      Fn: { Type: "AWS::Lambda::Function", Properties: { FunctionName: "work" } },
      Role: { Type: "AWS::IAM::Role", Properties: {} },
      Alarm: { Type: "AWS::CloudWatch::Alarm", Properties: {} },
      Book: { Type: "AWS::DynamoDB::Table", Properties: {} },
      Api: { Type: "AWS::ApiGatewayV2::Api", Properties: {} },
    },
    Outputs: {
      Kept: { Value: { "Fn::GetAtt": ["Book", "StreamArn"] }, Export: { Name: { "Fn::Sub": `${hole("AWS::StackName")}:Kept` } } },
    },
  },
};
const other: Stack = { name: "other", region: "eu-west-1", assets: {}, template: { Resources: {} } };

const from = (stack: Stack, value: Json) => resolve({ stacks: [other, shop], place, stack, where: `${stack.name}/Thing` }, value);

describe("resolve", () => {
  it.each<[string, Json, Json]>([
    ["a plain value", { a: [1, "b", true, null] }, { a: [1, "b", true, null] }],
    ["Ref of a queue", { Ref: "Orders" }, "http://127.0.0.1:1/000000000000/shop-orders"],
    ["Ref of a FIFO queue without a name", { Ref: "Ordered" }, "http://127.0.0.1:1/000000000000/Ordered.fifo"],
    ["Ref of a topic", { Ref: "Events" }, "arn:aws:sns:eu-west-1:000000000000:events"],
    ["Ref of a parameter", { Ref: "Size" }, "4"],
    ["Ref of a pseudo parameter", { Ref: "AWS::Partition" }, "aws"],
    ["AWS::NoValue", { Ref: "AWS::NoValue" }, null],
    ["Fn::GetAtt as a list", { "Fn::GetAtt": ["Orders", "Arn"] }, "arn:aws:sqs:eu-west-1:000000000000:shop-orders"],
    ["Fn::GetAtt as a text", { "Fn::GetAtt": "Fn.Arn" }, "arn:aws:lambda:eu-west-1:000000000000:function:work"],
    ["Fn::GetAtt of a role", { "Fn::GetAtt": ["Role", "Arn"] }, "arn:aws:iam::000000000000:role/Role"],
    ["Fn::GetAtt of an API", { "Fn::GetAtt": ["Api", "ApiEndpoint"] }, "http://127.0.0.1:2"],
    ["Fn::Join", { "Fn::Join": ["/", ["a", { Ref: "Fn" }, 3]] }, "a/work/3"],
    [
      "Fn::Sub",
      { "Fn::Sub": `${hole("AWS::AccountId")}-${hole("Fn")}-${hole("Orders.QueueName")}-${hole("!kept")}` },
      `000000000000-work-shop-orders-${hole("kept")}`,
    ],
    ["Fn::Sub with variables", { "Fn::Sub": [hole("a") + hole("Size"), { a: { Ref: "Fn" } }] }, "work4"],
    ["Fn::Split and Fn::Select", { "Fn::Select": [1, { "Fn::Split": [":", "a:b:c"] }] }, "b"],
  ])("answers %s", (_, value, expected) => {
    expect(from(shop, value)).toEqual(expected);
  });

  it("answers over the border of a stack", () => {
    const stream = "arn:aws:dynamodb:eu-west-1:000000000000:table/Book/stream/local";
    expect(from(other, { "Fn::ImportValue": "shop:Kept" })).toBe(stream);
    expect(from(other, { "Fn::GetStackOutput": { StackName: "shop", OutputName: "Kept" } })).toBe(stream);
  });

  it.each<[Json, string]>([
    [{ "Fn::FindInMap": ["a", "b", "c"] }, "shop/Thing: the local cloud does not understand Fn::FindInMap"],
    [{ Ref: "Nobody" }, "shop/Thing: nothing in shop is called Nobody"],
    [{ Ref: "Bare" }, "shop/Thing: Ref of the parameter Bare, which has no default"],
    [{ Ref: "Alarm" }, "shop/Thing: Ref of Alarm (AWS::CloudWatch::Alarm) has no answer in the local cloud"],
    [{ "Fn::GetAtt": ["Orders", "Depth"] }, "shop/Thing: Fn::GetAtt Orders.Depth (AWS::SQS::Queue) has no answer in the local cloud"],
    [{ "Fn::ImportValue": "gone" }, "shop/Thing: Fn::ImportValue gone is exported by no stack of the assembly"],
    [{ "Fn::GetStackOutput": { StackName: "shop", OutputName: "X" } }, "shop/Thing: Fn::GetStackOutput shop.X does not exist"],
    [{ "Fn::Select": [5, ["a"]] }, "shop/Thing: Fn::Select 5 is past the end of its list"],
    [{ "Fn::Join": ["", [["a"]]] }, 'shop/Thing: expected a text, got ["a"]'],
    [{ "Fn::Select": [0, "a"] }, 'shop/Thing: expected a list, got "a"'],
  ])("refuses %j by the name of the resource", (value, message) => {
    expect(() => from(shop, value)).toThrow(message);
  });
});
