import type { SQSBatchResponse, SQSEvent } from "aws-lambda";

import { judgeTicks, type Move } from "../adapters/accept-tick.ts";
import { createWorld } from "../adapters/aws.ts";
import { openDesk } from "../adapters/decide-account.ts";
import { independent } from "../adapters/lambda/batches.ts";
import { lambdaHandler } from "../adapters/lambda/handler.ts";
import { eachOf } from "../adapters/parallel.ts";
import { createPriceBreaker } from "../adapters/price-breaker.ts";
import { marksEnvelope, markTick } from "../adapters/wire/marks.ts";
import { parseMessage } from "../adapters/wire/parse.ts";
import type { SweepMessage } from "../adapters/wire/sweep.ts";
import type { World } from "../adapters/world.ts";

/** Instruments of one message that are judged at a time. */
const INSTRUMENTS_WIDE = 16;
/** An accepted mark is swept within this time; one that moved past the step at once (R18). */
const PROMPT_S = 5;

/**
 * 1. Judges each tick of a feed and keeps the newest mark of its instrument (R3, S17, S21, S25).
 *
 * A tick that is refused is counted by its reason and costs its neighbours nothing. A message that
 * does not read goes back to its queue.
 */
export const acceptMarks = (world: World) => {
  const desk = openDesk(world);
  const { marks } = desk;
  const intake = { desk, breaker: createPriceBreaker(desk) };

  const askForSweep = async (isPastStep: boolean): Promise<void> => {
    await marks.wantSweep();
    const message: SweepMessage = { schemaVersion: 1, reason: "mark" };
    await world.queues.send(world.settings.sweepQueueUrl, [{ body: JSON.stringify(message), delayS: isPastStep ? 0 : PROMPT_S }]);
  };

  return (event: SQSEvent): Promise<SQSBatchResponse> =>
    independent(event.Records, world.log, async (record) => {
      const read = parseMessage(marksEnvelope, record.body).marks.map((tick) => markTick.safeParse(tick));
      const ticks = read.flatMap(({ data }) => (data === undefined ? [] : [data]));
      if (ticks.length < read.length) world.log.count("mark_malformed", read.length - ticks.length);
      // What a first try accepted is a duplicate to the next one, which must still ask for its sweep.
      const moves = new Set<Move>(record.attributes.ApproximateReceiveCount === "1" ? [] : ["some"]);
      const ofInstrument = Map.groupBy(ticks, (tick) => tick.instrumentId);
      const newest = await marks.marksOf([...ofInstrument.keys()]);
      try {
        await eachOf([...ofInstrument], INSTRUMENTS_WIDE, ([instrumentId, series]) =>
          judgeTicks(intake, series, newest.get(instrumentId) ?? null, (move) => moves.add(move)),
        );
      } finally {
        if (moves.has("some") || moves.has("pastStep")) await askForSweep(moves.has("pastStep"));
      }
    });
};

const READS_BOOK = ["bookTable", "shards", "modes", "defaultPolicy"] as const;
const world = createWorld(["marksTable", "sweepQueueUrl", "sweepStepPpm", ...READS_BOOK, "breachShareMaxPpm", "compositeSources"]);

export const handler = lambdaHandler(world, acceptMarks(world));
