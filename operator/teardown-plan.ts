import type { Stage } from "../lib/stage.ts";

/** What is there before anything goes. */
export interface Standing {
  /** Calls that are neither met nor ended: holders were told of them, or orders of them may be at the venue. */
  readonly openCalls: number;
  /** Tables that are deployed with deletion protection. */
  readonly protectedTables: readonly string[];
}

/** What the operator typed. */
export interface Consent {
  readonly confirm: string | undefined;
  readonly openCalls: string | undefined;
}

/** Stacks in the order in which they go: each is read by the one before it. */
export const STACKS = ["Watch", "Pipeline", "Data"] as const;

/** Why the stage is not torn down, with the way out; none where it may be. */
export const refusalsOf = (stage: Stage, { openCalls, protectedTables }: Standing, consent: Consent): readonly string[] => {
  const refusals: string[] = [];
  if (consent.confirm !== stage.name) refusals.push(`--confirm must repeat the name of the stage: ${stage.name}`);
  if (stage.deletionProtection)
    refusals.push(`deletionProtection of ${stage.name} is true: set it to false in the stage's file, deploy, and come back`);
  else if (protectedTables.length > 0)
    refusals.push(
      `${protectedTables.join(", ")} are deployed with deletion protection: deploy the stage as its file has it, and come back`,
    );
  if (openCalls > 0 && consent.openCalls !== `${openCalls}`)
    refusals.push(
      `${openCalls} calls are open: cancel them through the API or let them end; to give them up unheard, say --open-calls ${openCalls}`,
    );
  return refusals;
};

/** Arguments of the CDK's command line that take one stack away. */
export const destroyOf = (stack: (typeof STACKS)[number], stageName: string): readonly string[] => [
  "destroy",
  stack,
  "--exclusively",
  "--force",
  "-c",
  `stage=${stageName}`,
];

/** What goes, what stays, and for how long. */
export const consequencesOf = (stage: Stage): readonly string[] => [
  "goes with Watch: alarms, dashboard, alarm topics; nobody is paged from then on",
  "goes with Pipeline: functions, the API, topics, queues with every message in them, orders that the venue has not taken, armed deadlines",
  "goes in 7 days: the messaging key; until then aws kms cancel-key-deletion brings it back",
  ...(stage.removal === "retain"
    ? [
        "stays: the four tables with their point-in-time recovery, the data key, the log groups; they cost on",
        `stays in the way: a new stage of the name ${stage.name} finds these names taken; give it another name`,
      ]
    : [
        "goes with Data: the four tables and the log groups; DynamoDB keeps a backup of each table for 35 days by itself",
        "goes in 30 days: the data key, and with it whatever those backups hold; aws kms cancel-key-deletion keeps both",
      ]),
  "stays: the SES identity, the CDK's bootstrap stack, and whatever else is not this stage's",
];
