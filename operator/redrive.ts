import { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { SQSClient } from "@aws-sdk/client-sqs";

import type { Stage } from "../lib/stage.ts";
import { Refusal, runCommand, say, stageOf } from "./command-line.ts";
import { type Parking, parkingsOf } from "./redrive-homes.ts";
import { type Redriven, redriveQueue, type Wish } from "./redrive-queue.ts";
import { type Place, type Publish, retell, topicOf } from "./redrive-relay.ts";

/** Its dead letters name places in the journal's stream, from where they are told anew. */
const RELAY = "publish-events";

const wanted = (stage: Stage, named: string | undefined): readonly Parking[] => {
  const all = parkingsOf(stage);
  if (named === undefined) return all;
  const one = all.filter(({ thing, deadName }) => thing === named || deadName === named);
  if (one.length === 0) throw new Refusal(`--queue ${named} is none of the stage's: ${all.map(({ thing }) => thing).join(", ")}`);
  return one;
};

/** publish-events in this process, once for each topic; in practice there is one. */
const relayOf = (stage: Stage): NonNullable<Wish["act"]> => {
  const streams = new DynamoDBStreamsClient({ region: stage.region });
  const publishTo = async (at: Place): Promise<Publish> => {
    Object.assign(process.env, { AWS_REGION: stage.region, EVENTS_TOPIC_ARN: topicOf(stage, at) });
    const [{ createWorld }, { publishEvents }] = await Promise.all([
      import("../adapters/aws.ts"),
      import("../functions/publish-events.ts"),
    ]);
    return publishEvents(createWorld(["eventsTopicArn"]));
  };
  return (body) => retell(streams, publishTo, body);
};

const tell = ({ deadName, home }: Parking, { parked, seen, moved, stays, samples }: Redriven, { dryRun }: Wish): void => {
  const staying = [...stays.values()].reduce((sum, count) => sum + count, 0);
  const where = home === null ? "" : ` to ${home.name}`;
  say(`${deadName}: ${parked} parked, ${dryRun ? `of ${seen} looked at ${seen - staying} would move` : `${moved} moved`}${where}`);
  for (const sample of samples) say(`  ${sample}`);
  for (const [reason, count] of stays) say(`  ${count} stay: ${reason}`);
  if (!dryRun && seen < parked) say(`  ${parked - seen} not reached: behind one of its account that stays, or in another's hands`);
};

process.exitCode = await runCommand({
  usage: `npm run redrive -- --stage NAME|FILE.json [--queue NAME] [--dry-run] [--all]

  Says what is parked in each dead-letter queue of the stage, and moves it to the queue where it belongs.
  --queue NAME   this one alone: feed, webhook, email-subscription ...
  --dry-run      look, and move nothing
  --all          move also what no version of the consumer reads: after an upgrade that does
  Mend the cause first. Each effect happens once, whatever is sent again. Exit code 1 while something stays parked.
  Uses this shell's AWS credentials: sqs:GetQueueUrl, GetQueueAttributes, ReceiveMessage, ChangeMessageVisibility,
  DeleteMessage and SendMessage on the stage's queues, kms:Decrypt and GenerateDataKey with its messaging key; for
  events that were not told also dynamodb:GetShardIterator and GetRecords on the journal's stream, and sns:Publish.`,
  options: {
    stage: { type: "string" },
    queue: { type: "string" },
    "dry-run": { type: "boolean", default: false },
    all: { type: "boolean", default: false },
  },
  carryOut: async (given) => {
    const stage = stageOf(given.stage);
    const wish: Wish = { dryRun: given["dry-run"] ?? false, all: given.all ?? false };
    const sqs = new SQSClient({ region: stage.region });
    let [parked, moved] = [0, 0];
    for (const parking of wanted(stage, given.queue)) {
      const redriven = await redriveQueue(sqs, parking, parking.thing === RELAY ? { ...wish, act: relayOf(stage) } : wish);
      parked += redriven.parked;
      moved += redriven.moved;
      if (redriven.parked > 0) tell(parking, redriven, wish);
    }
    say(parked === 0 ? `nothing is parked in ${stage.name}` : `${moved} of ${parked} moved`);
    return parked === moved ? 0 : 1;
  },
});
