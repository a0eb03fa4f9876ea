import type { Stack } from "aws-cdk-lib";
import type { HttpApi } from "aws-cdk-lib/aws-apigatewayv2";
import { ManagedPolicy, PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { IQueue } from "aws-cdk-lib/aws-sqs";

import type { Action } from "../../adapters/wire/routes.ts";
import { sendsTo } from "../permissions.ts";
import { nameOf, type Stage } from "../stage.ts";
import { acknowledgeWildcards } from "./acknowledge.ts";
import { routeArns } from "./http-api.ts";
import { pascal } from "./named-stack.ts";

export interface Entrances {
  readonly stage: Stage;
  readonly api: HttpApi;
  readonly key: IKey;
  readonly marks: IQueue;
  readonly feed: IQueue;
  readonly venue: IQueue;
}

/** What only the writers of prices and of facts may call, and what they may call beside it: `authorize` grants them the same. */
const MARKS_WRITER: readonly Action[] = ["postMarks", "readContract"];
const FEED_WRITER: readonly Action[] = ["postFeedEntries", "checkWithdrawal", "readContract"];
const POSTS: readonly Action[] = ["postMarks", "postFeedEntries"];

/**
 * Managed policies that the venue attaches to its own roles. Prices and facts each have their own
 * writer: who may say what a position is worth may not say what was paid. The names hold the Region,
 * because names of IAM are one space for all of them.
 */
export const callerPolicies = (stack: Stack, { stage, api, key, marks, feed, venue }: Entrances): void => {
  const policy = (thing: string, description: string, statements: PolicyStatement[]): ManagedPolicy =>
    new ManagedPolicy(stack, pascal(thing), { managedPolicyName: `${nameOf(stage, thing)}-${stage.region}`, description, statements });
  const invoke = (admits: (action: Action) => boolean): PolicyStatement =>
    new PolicyStatement({ actions: ["execute-api:Invoke"], resources: [...routeArns(stack, api, admits)] });

  policy("marks-writer", "Posts marks", [invoke((action) => MARKS_WRITER.includes(action)), ...sendsTo(key, marks)]);
  policy("feed-writer", "Posts facts of the venue and asks for withdrawals", [
    invoke((action) => FEED_WRITER.includes(action)),
    ...sendsTo(key, feed),
  ]);
  const neither = (action: Action): boolean => !POSTS.includes(action);
  acknowledgeWildcards(
    policy("caller", "Calls what authorize allows, but posts neither marks nor facts", [invoke(neither)]),
    routeArns(stack, api, neither),
    {
      reason:
        "A star stands where a route has the id of an account, a call or another thing; authorize decides which ones a caller may name.",
      until: "2027-11-01",
    },
  );
  policy("venue-gateway", "Takes liquidation orders to the venue", [
    new PolicyStatement({
      actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
      resources: [venue.queueArn],
    }),
    new PolicyStatement({ actions: ["kms:Decrypt"], resources: [key.keyArn] }),
  ]);
};
