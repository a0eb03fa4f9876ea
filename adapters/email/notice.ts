import type { EventMessage } from "../wire/events.ts";
import { amount, duration, grouped, isoInstant, masked, oneLine, zonedInstant } from "./words.ts";

/** Events that the holder of an account is told of by email. The rest are for machines. */
export const EMAILED_TYPES = [
  "margin_call.issued",
  "margin_call.updated",
  "margin_call.deadline_changed",
  "margin_call.extended",
  "margin_call.partially_met",
  "margin_call.met",
  "margin_call.cancelled",
  "margin_call.expired",
  "liquidation.started",
  "liquidation.completed",
  "liquidation.failed",
] as const satisfies readonly EventMessage["type"][];
type EmailedType = (typeof EMAILED_TYPES)[number];

/** Whom a notice is for, and how they read an instant. */
export interface Reader {
  readonly name: string | null;
  readonly timeZone: string;
  readonly antiPhishingCode: string | null;
  /** When the notice is written, epoch milliseconds. */
  readonly now: number;
  readonly appUrl: string;
}

/** What a notice says, before it takes the form of HTML or text. Every string is one line without markup. */
export interface Notice {
  readonly heading: string;
  readonly greeting: string;
  readonly lead: string;
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly sections: readonly { readonly heading: string; readonly lines: readonly string[] }[];
  readonly link: { readonly label: string; readonly url: string };
  readonly footer: readonly string[];
}

type Call = NonNullable<EventMessage["call"]>;

const isEmailed = (type: EventMessage["type"]): type is EmailedType => (EMAILED_TYPES as readonly string[]).includes(type);

const deadlineOf = (call: Call, { timeZone, now }: Reader): string | null =>
  call.deadlineAt === null ? null : zonedInstant(Date.parse(call.deadlineAt), timeZone, now);

/** True while paying still changes what happens. */
const isCurable = (type: EmailedType, call: Call): boolean =>
  [
    "margin_call.issued",
    "margin_call.updated",
    "margin_call.deadline_changed",
    "margin_call.extended",
    "margin_call.partially_met",
    "margin_call.expired",
  ].includes(type) && call.status === "OPEN";

/** The instrument whose isolated pool the call is of (R9); null for the account's own. */
const poolOf = ({ scope }: Call): string | null => (scope.startsWith("ISO#") ? oneLine(scope.slice(4)) : null);

const unmetWords = (event: EventMessage, call: Call): string => {
  const pool = poolOf(call);
  if (event.mode !== "enforce") return "If the call is not met by then, it stays open and overdue, and your broker decides what follows.";
  if (call.onUnmet === "restrict") {
    return `If the call is not met by then, ${pool === null ? "the account is limited to reducing its positions" : "its position may only be reduced"} until the call is met.`;
  }
  const target =
    pool === null
      ? "your positions, within 120 seconds, until the account is back above its"
      : `your ${pool} position, and no other, within 120 seconds, until its pool is back above the`;
  return `If the call is not met by then, we send orders that reduce ${target} call level.`;
};

const headings: Readonly<Record<EmailedType, (call: Call) => string>> = {
  "margin_call.issued": (call) => `Margin call: ${amount(call.outstanding, call.asset)} due`,
  "margin_call.updated": (call) => `Margin call raised: ${amount(call.outstanding, call.asset)} due`,
  "margin_call.deadline_changed": () => "Margin call: you have more time",
  "margin_call.extended": () => "Margin call: more time while your deposit confirms",
  "margin_call.partially_met": (call) => `Margin call: ${amount(call.outstanding, call.asset)} still due`,
  "margin_call.met": () => "Margin call met",
  "margin_call.cancelled": () => "Margin call cancelled",
  "margin_call.expired": () => "Margin call: the deadline has passed",
  "liquidation.started": () => "Liquidation has started",
  "liquidation.completed": () => "Liquidation is complete",
  "liquidation.failed": () => "Liquidation could not be completed",
};

const leadOf = (type: EmailedType, event: EventMessage, call: Call, reader: Reader): string => {
  const pool = poolOf(call);
  const account = `${pool === null ? "" : `the isolated ${pool} pool of `}account ${masked(event.accountId)}`;
  const deadline = deadlineOf(call, reader);
  const by =
    deadline === null ? "The time to act has not started yet; you can act now." : `Please act by ${deadline.replace(/^To/, "to")}.`;
  const leads: Readonly<Record<EmailedType, string>> = {
    "margin_call.issued": `The equity of ${account} no longer covers the margin that its positions need. ${by}`,
    "margin_call.updated": `The shortfall of ${account} has grown, and with it the amount due. ${by}`,
    "margin_call.deadline_changed": `The deadline of the margin call on ${account} has moved later. ${by}`,
    "margin_call.extended": `A deposit to ${account} is still confirming, so the deadline of its margin call has moved later, once. The deposit counts when it has confirmed. ${by}`,
    "margin_call.partially_met": `Part of the margin call on ${account} is met. ${by}`,
    "margin_call.met": `The margin call on ${account} is met. Nothing further is due for it.`,
    "margin_call.cancelled": `The margin call on ${account} is cancelled. Nothing is due for it.`,
    "margin_call.expired": `The margin call on ${account} was not met by its deadline.`,
    "liquidation.started":
      call.liquidationReason === "closeOut"
        ? `The equity of ${account} fell below its maintenance requirement. We are sending orders that reduce its positions.`
        : `The margin call on ${account} was not met by its deadline. We are sending orders that reduce its positions.`,
    "liquidation.completed": `The orders that reduced the positions of ${account} are done.`,
    "liquidation.failed": `The orders on ${account} did not bring it back to its target. Our risk desk has taken over; please get in touch.`,
  };
  return leads[type];
};

const factsOf = (type: EmailedType, event: EventMessage, call: Call, reader: Reader): (readonly [string, string])[] => {
  const pool = poolOf(call);
  const facts: (readonly [string, string])[] = [
    ["Account", masked(event.accountId)],
    ...(pool === null ? [] : [["Isolated pool", pool] as const]),
    ["Margin call", oneLine(call.callId)],
    ["Reason", oneLine(event.reason)],
  ];
  if (event.figures !== null) {
    facts.push(
      ["Equity", amount(event.figures.equity, call.asset)],
      ["Initial margin requirement", amount(event.figures.initialRequirement, call.asset)],
      ["Maintenance margin requirement", amount(event.figures.maintenanceRequirement, call.asset)],
    );
  }
  facts.push(["Valued at", isoInstant(Date.parse(event.occurredAt))]);
  if (type === "margin_call.met" || type === "margin_call.cancelled") return facts;
  facts.push(["Amount due", amount(call.amountDue, call.asset)]);
  facts.push(["Credited so far", amount(call.metAmount, call.asset)], ["Still due", amount(call.outstanding, call.asset)]);
  if (call.boundBy !== null) facts.push(["Largest part of the requirement", oneLine(call.boundBy)]);
  const deadline = deadlineOf(call, reader);
  if (call.deadlineAt === null || deadline === null) {
    const why =
      call.status === "OPEN" ? "Not set: it waits for a reliable price" : "None: below the close-out level there is no time to act";
    return [...facts, ["Deadline", why]];
  }
  const leftMs = Date.parse(call.deadlineAt) - reader.now;
  const left = leftMs > 0 && isCurable(type, call) ? `, ${duration(leftMs)} after this email was sent` : "";
  return [...facts, ["Deadline", `${deadline}${left}`], ["Deadline, exact", isoInstant(Date.parse(call.deadlineAt))]];
};

/** Paying into a call: a pool takes only what is moved into it, so that no notice of one asks for a deposit. */
const paymentWords = (call: Call, paid: string): string => {
  const pool = poolOf(call);
  return pool === null ? `Deposit ${paid}` : `Move ${paid} into the isolated pool of ${pool}`;
};

const cureWords = (call: Call, cure: Call["cures"][number]): string =>
  cure.kind === "deposit"
    ? paymentWords(call, amount(cure.amount, cure.asset))
    : `${cure.side === "sell" ? "Sell" : "Buy back"} ${grouped(cure.quantity, 0)} ${oneLine(cure.instrumentId)} to reduce the position`;

/**
 * Ways to meet the call as they stand now. Cures are worked out when the call is issued or raised; what was
 * credited since has made the deposit in the call's own asset smaller, and the others more than is needed.
 */
const cureLines = (call: Call): readonly string[] => {
  const isOld = call.cures.some((cure) => cure.kind === "deposit" && cure.asset === call.asset && cure.amount !== call.outstanding);
  if (!isOld) return call.cures.map((cure) => cureWords(call, cure));
  const isOwn = (cure: Call["cures"][number]): boolean => cure.kind === "deposit" && cure.asset === call.asset;
  const others = call.cures.filter((cure) => !isOwn(cure)).map((cure) => `${cureWords(call, cure)} (as first asked; less is enough now)`);
  return [paymentWords(call, amount(call.outstanding, call.asset)), ...others];
};

const sectionsOf = (type: EmailedType, event: EventMessage, call: Call): Notice["sections"] => {
  if (!isCurable(type, call)) return [];
  const lines = cureLines(call);
  const pool = poolOf(call);
  const only = pool === null ? [] : ["Only money moved into this pool counts: a deposit to the account does not meet this call."];
  const cures = lines.length === 0 ? [] : [{ heading: "Ways to meet the call (any one is enough)", lines: [...lines, ...only] }];
  const badMarks = call.onBadMarks
    ? ["A price behind this call is missing or old. The call rests on a cautious value until it is back."]
    : [];
  const early =
    event.mode === "enforce"
      ? ["We may act earlier if the equity falls below the maintenance margin requirement, whatever the deadline."]
      : [];
  const consequences = type === "margin_call.expired" ? [] : [unmetWords(event, call)];
  return [...cures, { heading: "What happens at the deadline", lines: [...consequences, ...early, ...badMarks] }].filter(
    ({ lines }) => lines.length > 0,
  );
};

/** Says what an event means for the holder of its account (N10); null for events that are not emailed. */
export const noticeOf = (event: EventMessage, reader: Reader): Notice | null => {
  const { type, call } = event;
  if (!isEmailed(type) || call === null) return null;
  const { origin, host } = new URL(reader.appUrl);
  return {
    heading: headings[type](call),
    greeting: reader.name === null ? "Hello," : `Hello ${oneLine(reader.name)},`,
    lead: leadOf(type, event, call, reader),
    facts: factsOf(type, event, call, reader),
    sections: sectionsOf(type, event, call),
    link: { label: "See the call in your account", url: `${origin}/calls/${encodeURIComponent(call.callId)}` },
    footer: [
      reader.antiPhishingCode === null
        ? "You have not set a code that proves our emails are ours. Set one in your account."
        : `Your anti-phishing code: ${oneLine(reader.antiPhishingCode)}. An email without it is not from us.`,
      `Links in this email lead to ${host} and nowhere else. We never send bank details by email and never ask for passwords or keys.`,
      "Margin calls cannot be unsubscribed from: they concern the safety of your positions.",
    ],
  };
};
