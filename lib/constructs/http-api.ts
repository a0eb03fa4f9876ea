import { RemovalPolicy, type Stack } from "aws-cdk-lib";
import { AccessLogFormat } from "aws-cdk-lib/aws-apigateway";
import { CfnIntegration, CfnRoute, HttpApi, HttpStage, LogGroupLogDestination } from "aws-cdk-lib/aws-apigatewayv2";
import { ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { LogGroup } from "aws-cdk-lib/aws-logs";

import { type Action, ROUTES } from "../../adapters/wire/routes.ts";
import { logGroupName } from "../data-stack.ts";
import { nameOf, type Stage } from "../stage.ts";
import { acknowledge } from "./acknowledge.ts";
import { pascal } from "./named-stack.ts";
import type { PipelineFunction } from "./pipeline-function.ts";

/** Who called what and how it went: no address, no query, no body. */
const ACCESS_LOG = JSON.stringify({
  requestId: "$context.requestId",
  at: "$context.requestTimeEpoch",
  route: "$context.routeKey",
  caller: "$context.identity.userArn",
  status: "$context.status",
  bytes: "$context.responseLength",
  latencyMs: "$context.integrationLatency",
  error: "$context.error.messageString",
});

export interface HttpApiProps {
  readonly stage: Stage;
  readonly handler: PipelineFunction;
  readonly dataKey: IKey;
}

/** The HTTP API: one function behind every route of ROUTES, each signed by its caller except the public ones. */
export const httpApi = (stack: Stack, { stage, handler, dataKey }: HttpApiProps): HttpApi => {
  const api = new HttpApi(stack, "Api", {
    apiName: nameOf(stage, "api"),
    description: `Plimsoll ${stage.name}: operators, brokers and holders`,
    createDefaultStage: false,
  });
  const integration = new CfnIntegration(stack, "ApiIntegration", {
    apiId: api.apiId,
    integrationType: "AWS_PROXY",
    integrationUri: handler.function.functionArn,
    payloadFormatVersion: "2.0",
  });
  handler.function.addPermission("Invoked", {
    principal: new ServicePrincipal("apigateway.amazonaws.com"),
    sourceArn: stack.formatArn({ service: "execute-api", resource: api.apiId, resourceName: "*/*" }),
  });
  for (const { method, path, action, access } of ROUTES) {
    const open = access === "public";
    const route = new CfnRoute(stack, `${pascal(action)}Route`, {
      apiId: api.apiId,
      routeKey: `${method} ${path}`,
      target: `integrations/${integration.ref}`,
      authorizationType: open ? "NONE" : "AWS_IAM",
    });
    if (open)
      acknowledge(route, "AwsSolutions-APIG4", {
        reason:
          "The health check is public by design: a monitor outside asks it, and it tells when accounts were last marked, nothing else.",
        until: "2027-11-01",
      });
  }
  const logGroup = new LogGroup(stack, "ApiLogs", {
    logGroupName: logGroupName(stage, "api"),
    retention: stage.logRetentionDays,
    encryptionKey: dataKey,
    removalPolicy: stage.removal === "retain" ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  });
  new HttpStage(stack, "ApiStage", {
    httpApi: api,
    stageName: "$default",
    autoDeploy: true,
    throttle: { rateLimit: stage.apiRatePerS, burstLimit: stage.apiBurst },
    detailedMetricsEnabled: true,
    accessLogSettings: { destination: new LogGroupLogDestination(logGroup), format: AccessLogFormat.custom(ACCESS_LOG) },
  });
  return api;
};

/** Resources of the API's routes for execute-api:Invoke; a star stands for an id in the path. */
export const routeArns = (stack: Stack, api: HttpApi, admits: (action: Action) => boolean): readonly string[] =>
  ROUTES.filter((route) => route.access === "iam" && admits(route.action)).map(({ method, path }) =>
    stack.formatArn({ service: "execute-api", resource: api.apiId, resourceName: `$default/${method}${path.replaceAll(/\{\w+\}/g, "*")}` }),
  );
