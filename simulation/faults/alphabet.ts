import type { World } from "../../adapters/world.ts";

/** Ports that functions call; settings are values. */
type Port = Exclude<keyof World, "settings">;
/** Every method of every port, as `db.get`. */
export type PortMethod = { [P in Port]: `${P}.${Extract<keyof World[P], string>}` }[Port];

/** What can go wrong with one request to a service (safety.md, "Fault alphabet"). */
export const CALL_FAULTS = [
  /** The function dies before the request leaves. */
  "crashBefore",
  /** The request is carried out, and the function dies before it knows. */
  "crashAfter",
  /** The request is carried out, the caller is told of a timeout. */
  "lostReply",
  /** The client's own retry carries it out a second time and hears the second answer. */
  "clientRetry",
  "throttle",
  "serverError",
  "credentialExpired",
  "nameUnknown",
  /** Slow, within the client's budget. */
  "delay",
  /** The caller has given up when the request is carried out. */
  "delayPastTimeout",
  /** No answer ever comes: the function runs into its own timeout. */
  "hang",
  /** Part of a batch is done, the rest is not. */
  "partialBatch",
  /** An eventually consistent read, or an index, that lags. */
  "staleRead",
  /** Another writer is at the same items. */
  "conditionRace",
  /** Refused for good: an address that is not, an endpoint that is gone. */
  "refused",
  /** The receiver answers with an error. */
  "receiverError",
  /** A log line or a metric is lost. */
  "logLost",
] as const;
export type CallFault = (typeof CALL_FAULTS)[number];

/** What can go wrong between two steps: on a queue, a stream, a topic, a schedule. */
export const DELIVERY_FAULTS = [
  "duplicateNow",
  "duplicate6min",
  "duplicate11min",
  "duplicate25h",
  /** Later than those that were sent after it. */
  "reorder",
  /** The service gives up and parks it. */
  "dropAfterRetries",
] as const;
export type DeliveryFault = (typeof DELIVERY_FAULTS)[number];

/** What can go wrong with the place where a function runs. */
export const PLACE_FAULTS = ["coldStart", "memoryKill", "skew", "clockBackwards", "configOld"] as const;
export type PlaceFault = (typeof PLACE_FAULTS)[number];

export type FaultKind = CallFault | DeliveryFault | PlaceFault;
export const FAULT_KINDS: readonly FaultKind[] = [...CALL_FAULTS, ...DELIVERY_FAULTS, ...PLACE_FAULTS];

/** Of every request that crosses the network. */
const REQUEST = [
  "crashBefore",
  "crashAfter",
  "lostReply",
  "throttle",
  "serverError",
  "credentialExpired",
  "nameUnknown",
  "delay",
  "delayPastTimeout",
  "hang",
] as const satisfies readonly CallFault[];
const WRITE = [...REQUEST, "clientRetry", "conditionRace"] as const satisfies readonly CallFault[];
const SEND = [...REQUEST, "clientRetry", "partialBatch"] as const satisfies readonly CallFault[];
const CLOCK = ["skew", "clockBackwards"] as const satisfies readonly PlaceFault[];
const LINE = ["logLost"] as const satisfies readonly CallFault[];

/**
 * The faults of each port method. A method that is added to a port has no row here and does not compile;
 * test/simulation/faults.test.ts says the same of the running ports.
 */
export const COVERAGE = {
  "db.get": [...REQUEST, "staleRead"],
  "db.batchGet": [...REQUEST, "partialBatch"],
  "db.query": [...REQUEST, "staleRead"],
  "db.put": WRITE,
  "db.update": WRITE,
  "db.transactWrite": WRITE,
  "bus.publish": SEND,
  "queues.send": SEND,
  "timers.arm": [...REQUEST, "clientRetry"],
  "mailer.send": [...REQUEST, "clientRetry", "refused"],
  "http.post": [...REQUEST, "refused", "receiverError"],
  "kms.encrypt": REQUEST,
  "kms.decrypt": REQUEST,
  "clock.now": CLOCK,
  "log.info": LINE,
  "log.warn": LINE,
  "log.error": LINE,
  "log.count": LINE,
} as const satisfies Record<PortMethod, readonly FaultKind[]>;

/** Ways between two steps. */
export const CHANNELS = ["queue", "stream", "topic", "timer", "schedule"] as const;
export type Channel = (typeof CHANNELS)[number];

const ANY_DELIVERY = ["duplicateNow", "duplicate6min", "duplicate11min", "duplicate25h", "reorder"] as const;

/** The faults of each way. A queue loses nothing (SQS); what a topic, a timer or a schedule gives up is parked. */
export const DELIVERY_COVERAGE = {
  queue: ANY_DELIVERY,
  /** A stream keeps the order of a key. */
  stream: ["duplicateNow", "duplicate6min"],
  topic: [...ANY_DELIVERY, "dropAfterRetries"],
  timer: [...ANY_DELIVERY, "dropAfterRetries"],
  schedule: ["duplicateNow", "reorder", "dropAfterRetries"],
} as const satisfies Record<Channel, readonly DeliveryFault[]>;
