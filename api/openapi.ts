import * as z from "zod";

import { problemReply } from "../adapters/wire/api.ts";
import { PROBLEM_STATUSES } from "./problem.ts";
import type { Route } from "./route.ts";

type Json = Record<string, unknown>;

/** The form on the wire, which is the input side of every codec: decimal strings and ISO instants. */
const schemaOf = (schema: z.ZodType): Json => {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return json;
};

const json = (schema: Json): Json => ({ "application/json": { schema } });

const parametersOf = (schema: z.ZodObject, place: "path" | "query"): Json[] =>
  Object.entries(schema.shape).map(([name, field]) => ({
    name,
    in: place,
    required: place === "path",
    schema: schemaOf(field as z.ZodType),
  }));

const keyParameter = (use: "optional" | "required"): Json => ({
  name: "Idempotency-Key",
  in: "header",
  required: use === "required",
  description:
    "One for each request, the same when it is tried again: the reply is then the first one's. Another body under it is refused with 422.",
  schema: { type: "string", pattern: "^[!-~]{8,128}$" },
});

const operation = ({ action, access, contract }: Route): Json => ({
  operationId: action,
  summary: contract.summary,
  description: contract.description,
  ...(access === "public" && { security: [] }),
  parameters: [
    ...parametersOf(contract.path, "path"),
    ...parametersOf(contract.query, "query"),
    ...(contract.key === "none" ? [] : [keyParameter(contract.key)]),
  ],
  ...(contract.body !== null && { requestBody: { required: true, content: json(schemaOf(contract.body)) } }),
  responses: {
    [contract.status]: { description: contract.status === 202 ? "Queued" : "Done", content: json(schemaOf(contract.reply)) },
    ...Object.fromEntries(PROBLEM_STATUSES.map((status) => [status, { $ref: "#/components/responses/Problem" }])),
  },
});

/** The OpenAPI 3.1 document of these routes: from the schemas that requests are read and replies written with. */
export const openApi = (routes: readonly Route[]): Json => {
  const paths: Record<string, Json> = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  return {
    openapi: "3.1.0",
    info: {
      title: "Plimsoll",
      version: "1",
      summary: "Margin calls: accounts, calls, orders, and what feeds them",
      description: "Amounts, prices and quantities are decimal strings, never JSON numbers. Instants are ISO 8601 in UTC.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    security: [{ sigv4: [] }],
    paths,
    components: {
      securitySchemes: {
        sigv4: {
          type: "apiKey",
          name: "Authorization",
          in: "header",
          description: "AWS Signature Version 4 for the service execute-api; the signing identity is mapped to a role by the stage.",
          "x-amazon-apigateway-authtype": "awsSigv4",
        },
      },
      responses: {
        Problem: {
          description: "Refused: what, where and how to mend it (RFC 9457)",
          content: { "application/problem+json": { schema: schemaOf(problemReply) } },
        },
      },
    },
  };
};
