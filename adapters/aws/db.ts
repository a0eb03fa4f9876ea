import type { DynamoDB } from "@aws-sdk/client-dynamodb";

import type { Db } from "../world.ts";
import { clientConfiguration, lazily } from "./clients.ts";

/** DynamoDB through the plain client: attribute values stay as they are, so that no number loses digits. */
export const createDb = (): Db => {
  const dynamo = lazily<DynamoDB>(async () => {
    const sdk = await import("@aws-sdk/client-dynamodb");
    const client = new sdk.DynamoDB(clientConfiguration);
    // It builds a filtered copy of every page for a logger that is not there: two thirds of the time that a page takes.
    client.middlewareStack.remove("loggerMiddleware");
    return client;
  });
  return {
    get: async (input) => (await dynamo()).getItem(input),
    batchGet: async (input) => (await dynamo()).batchGetItem(input),
    query: async (input) => (await dynamo()).query(input),
    put: async (input) => (await dynamo()).putItem(input),
    update: async (input) => (await dynamo()).updateItem(input),
    transactWrite: async (input) => (await dynamo()).transactWriteItems(input),
  };
};
