import type { SQSBatchResponse, SQSEvent } from "aws-lambda";

import { createWorld } from "../adapters/aws.ts";
import { newestMarks, openDesk } from "../adapters/decide-account.ts";
import { dispatchOrders as dispatch } from "../adapters/dispatch-orders.ts";
import { independent } from "../adapters/lambda/batches.ts";
import { lambdaHandler } from "../adapters/lambda/handler.ts";
import { eventMessage } from "../adapters/wire/events.ts";
import { parseMessage } from "../adapters/wire/parse.ts";
import type { World } from "../adapters/world.ts";

/**
 * 8. Hands the orders of a liquidation to the venue's queue, if the call still liquidates and their prices
 * are fresh now (I06, I07). The event only says which account to look at.
 */
export const dispatchOrders = (world: World) => {
  const desk = openDesk(world);
  return (event: SQSEvent): Promise<SQSBatchResponse> => {
    const newest = newestMarks(desk);
    return independent(event.Records, world.log, async ({ body }) => {
      const { accountId } = parseMessage(eventMessage, body);
      await dispatch(desk, accountId, await newest());
    });
  };
};

const DECIDES = ["bookTable", "journalTable", "marksTable", "shards", "rowSchema", "modes", "defaultPolicy"] as const;
const world = createWorld([...DECIDES, "venueQueueUrl"]);

export const handler = lambdaHandler(world, dispatchOrders(world));
