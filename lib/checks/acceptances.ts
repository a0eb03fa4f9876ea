import { Stack } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

import type { Finding } from "./template.ts";

/** Where the CDK keeps what was accepted: the rule's id and the reason. */
const ACCEPTED = "aws:cdk:acknowledged-rules";

const DAY_MS = 86_400_000;
/** Nothing is accepted for longer: a year later nobody remembers why. */
const DAYS_MAX = 366;

/** What the CDK's own constructs accept of its check of properties: not ours to judge. */
const LIBRARYS_OWN = "CloudFormation-Validate::";

const faultOf = (rule: string, reason: string, now: number): string | null => {
  const until = /^.{20,} Until (\d{4}-\d{2}-\d{2})\.$/.exec(reason)?.[1];
  const untilAt = Date.parse(until ?? "");
  if (Number.isNaN(untilAt)) return `accepts ${rule} without a reason and a day: accept it through lib/constructs/acknowledge.ts`;
  if (untilAt <= now) return `accepted ${rule} until ${until}: mend the finding, or judge its reason again and set another day`;
  return untilAt - now > DAYS_MAX * DAY_MS ? `accepts ${rule} until ${until}: choose a day within a year` : null;
};

/** Findings that are accepted without a reason, for longer than a year, or no more (C19). @param now UTC epoch milliseconds. */
export const acceptanceEnds = (app: IConstruct, now: number): readonly Finding[] =>
  app.node.findAll().flatMap((construct) =>
    construct.node.metadata
      .filter(({ type }) => type === ACCEPTED)
      .flatMap(({ data }) => Object.entries((data ?? {}) as Readonly<Record<string, string>>))
      .filter(([rule]) => !rule.includes(LIBRARYS_OWN))
      .flatMap(([rule, reason]) => {
        const says = faultOf(rule, reason, now);
        return says === null ? [] : [{ check: "acceptanceEnds", stack: Stack.of(construct).node.path, id: construct.node.path, says }];
      }),
  );
