import * as z from "zod";

import { EVENT_TYPES } from "../../core/event.ts";
import { accountId, brokerId, endpointId, instantText } from "./scalars.ts";

/** Zones that were found good: asking the calendar anew for each email was measured as a twentieth of its time. */
const knownZones = new Set<string>();

const isTimeZone = (zone: string): boolean => {
  if (knownZones.has(zone)) return true;
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
  } catch {
    return false;
  }
  knownZones.add(zone);
  return true;
};

/** Text of a person that may stand in a header or a subject: no control characters, no bidirectional overrides (C8). */
const line = z.string().regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{1,80}$/u, "1-80 characters, no control characters");

/** Body of `PUT /accounts/{accountId}/contact`: all personal data of an account, kept in one place. */
export const contactBody = z.strictObject({
  email: z.email().max(254),
  name: line.nullable(),
  /** The zone in which the holder reads a deadline, for example "Asia/Singapore". */
  timeZone: z.string().max(64).refine(isTimeZone, "not a time zone"),
  locale: z.string().regex(/^[a-z]{2,3}(-[A-Z]{2})?$/, "a language tag such as en or pt-BR"),
  /** A word that the holder chose: it stands in each email and shows that it is ours (N13). */
  antiPhishingCode: line.max(20).nullable(),
});
export type ContactBody = z.output<typeof contactBody>;

/** A contact as the store keeps it. */
export const contact = contactBody.extend({ accountId });
export type Contact = z.output<typeof contact>;

/** Body of `PUT /brokers/{brokerId}/endpoints/{endpointId}`. The address is judged again at each request (N3). */
export const endpointBody = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).max(2048),
  /** Types to deliver; null for all. */
  types: z.array(z.enum(EVENT_TYPES)).min(1).nullable(),
  enabled: z.boolean(),
});
export type EndpointBody = z.output<typeof endpointBody>;

/** An endpoint as others see it: without its secret. */
export const endpoint = endpointBody.extend({ brokerId, endpointId, createdAt: instantText });
export type EndpointView = z.output<typeof endpoint>;

/** Reply to the request that made an endpoint: the only time that its secret is shown. */
export const endpointCreated = endpoint.extend({ secret: z.string().regex(/^whsec_[A-Za-z0-9+/=]{44}$/) });
