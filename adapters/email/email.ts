import type { EventMessage } from "../wire/events.ts";
import type { Contact } from "../wire/parties.ts";
import type { Email } from "../world.ts";
import { htmlPart, textPart } from "./layout.ts";
import { noticeOf } from "./notice.ts";
import { masked, oneLine } from "./words.ts";

export interface Sender {
  readonly appUrl: string;
  /** The From of every notice, as the mailer knows it: "Name <address>" or an address. */
  readonly mailFrom: string;
  readonly now: number;
}

/** Header values are ASCII without the signs that structure a header. */
const headerWord = (text: string): string => text.replace(/[^A-Za-z0-9._-]/g, "-");
const domainOf = (mailFrom: string): string => headerWord(mailFrom.replace(/^.*@/s, "").replace(/>.*$/s, ""));

/**
 * The email that tells one contact of one event; null when the event is not told by email.
 *
 * The subject is the same for every notice of a call and `References` names the call, so that
 * mail readers keep them in one thread. A notice sent twice on doubt carries the same
 * `X-Entity-Ref-ID` (N13). There is no List-Unsubscribe: a call has no opt-out (N6).
 */
export const emailOf = (event: EventMessage, contact: Contact, sender: Sender): Email | null => {
  const notice = noticeOf(event, { ...contact, now: sender.now, appUrl: sender.appUrl });
  if (notice === null || event.call === null) return null;
  const domain = domainOf(sender.mailFrom);
  const callId = headerWord(event.call.callId);
  return {
    to: contact.email,
    subject: `Margin call ${oneLine(event.call.callId)} on account ${masked(event.accountId)}`,
    html: htmlPart(notice),
    text: textPart(notice),
    headers: {
      "X-Entity-Ref-ID": headerWord(event.id),
      References: `<${callId}@${domain}>`,
      "List-Id": `Margin calls <margin-calls.${domain}>`,
      "Auto-Submitted": "auto-generated",
      Importance: "high",
    },
    tags: { type: headerWord(event.type).replaceAll(".", "-"), call: callId },
  };
};
