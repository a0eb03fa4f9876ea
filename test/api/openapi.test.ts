import { expect, test } from "vitest";

import { contactBody, endpointBody } from "../../adapters/wire/parties.ts";
import { ROUTES } from "../../adapters/wire/routes.ts";
import { openApi } from "../../api/openapi.ts";
import { API_ROUTES } from "../../api/routes.ts";

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security?: unknown[];
  readonly parameters: {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: { readonly pattern?: string };
  }[];
  readonly requestBody?: { readonly content: { readonly "application/json": { readonly schema: Schema } } };
  readonly responses: Record<string, unknown>;
}
interface Schema {
  readonly type?: string;
  readonly properties?: Record<string, Schema>;
  readonly additionalProperties?: unknown;
}

const document = JSON.parse(JSON.stringify(openApi(API_ROUTES))) as {
  readonly openapi: string;
  readonly security: unknown;
  readonly paths: Record<string, Record<string, Operation>>;
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
);

test("API9: what is deployed (ROUTES), what answers (API_ROUTES) and what is documented are the same routes", () => {
  const deployed = ROUTES.map(({ method, path, action }) => `${method} ${path} ${action}`).sort();
  expect(API_ROUTES.map(({ method, path, action }) => `${method} ${path} ${action}`).sort()).toEqual(deployed);
  expect(operations.map(({ method, path, operation }) => `${method} ${path} ${operation.operationId}`).sort()).toEqual(deployed);
});

test("every route but health is signed", () => {
  expect(ROUTES.filter(({ access }) => access !== "iam").map(({ path }) => path)).toEqual(["/health"]);
  expect(operations.filter(({ operation }) => operation.security !== undefined).map(({ path }) => path)).toEqual(["/health"]);
  expect(document.security).toEqual([{ sigv4: [] }]);
});

test.each(operations)("$method $path names each part of its path, and its refusals", ({ path, operation }) => {
  const named = operation.parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name);
  expect(named.sort()).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort());
  expect(
    operation.parameters
      .filter((parameter) => parameter.in === "path")
      .every(({ required, schema }) => required && schema.pattern !== undefined),
  ).toBe(true);
  expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(["400", "403", "404", "500"]));
  expect(operation.summary.length).toBeGreaterThan(5);
});

const numbersAsAmounts = (schema: Schema, path: string): string[] =>
  Object.entries(schema.properties ?? {}).flatMap(([name, property]) => [
    ...(/price|amount|quantity|size|multiplier/i.test(name) && property.type === "number" ? [`${path}.${name}`] : []),
    ...numbersAsAmounts(property, `${path}.${name}`),
  ]);

test("C14, S43: bodies take no unknown field and no amount as a JSON number", () => {
  for (const { path, operation } of operations) {
    const schema = operation.requestBody?.content["application/json"].schema;
    if (schema === undefined) continue;
    expect([path, schema.additionalProperties]).toEqual([path, false]);
    expect(numbersAsAmounts(schema, path)).toEqual([]);
  }
});

test("the schemas are those that requests are read with", () => {
  const bodyOf = (action: string): string[] =>
    Object.keys(
      operations.find(({ operation }) => operation.operationId === action)?.operation.requestBody?.content["application/json"].schema
        .properties ?? {},
    );
  expect(bodyOf("putContact")).toEqual(Object.keys(contactBody.shape));
  expect(bodyOf("putEndpoint")).toEqual(Object.keys(endpointBody.shape));
  expect(bodyOf("putPolicy")).not.toContain("version");
  expect(bodyOf("putInstrument")).not.toContain("instrumentId");
});

test("C4: a withdrawal check needs its key", () => {
  const keyed = operations.flatMap(({ operation }) =>
    operation.parameters.filter(({ name }) => name === "Idempotency-Key").map(({ required }) => [operation.operationId, required]),
  );
  expect(Object.fromEntries(keyed)).toEqual({
    acknowledgeCall: false,
    cancelCall: false,
    checkWithdrawal: true,
    postFeedEntries: false,
    postMarks: false,
  });
});
