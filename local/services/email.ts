import * as z from "zod";

import { type Service, ServiceError } from "./service.ts";

/** An email as the holder gets it. */
export interface SentEmail {
  readonly messageId: string;
  /** UTC epoch milliseconds. */
  readonly at: number;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly html: string;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

const content = z.object({ Data: z.string() });
const named = (name: string, value: string) =>
  z
    .array(z.object({ [name]: z.string(), [value]: z.string() }))
    .transform((list) => list.map((item) => [item[name] ?? "", item[value] ?? ""] as const));

const sendEmail = z.object({
  FromEmailAddress: z.string().min(1),
  Destination: z.object({ ToAddresses: z.array(z.string()).min(1) }),
  Content: z.object({
    Simple: z.object({
      Subject: content,
      Body: z.object({ Html: content, Text: content }),
      Headers: named("Name", "Value").default([]),
    }),
  }),
  EmailTags: named("Name", "Value").default([]),
});

/**
 * SES v2: SendEmail with simple content in HTML and text. Everything is accepted and nothing is bounced.
 *
 * @param deliver is called with each accepted email before the caller hears of it.
 */
export const createEmail = (now: () => number, deliver: (email: SentEmail) => void): Service => {
  let sent = 0;
  return ({ method, path, body }) => {
    if (method !== "POST" || path !== "/v2/email/outbound-emails") return null;
    const parsed = sendEmail.safeParse(body);
    if (!parsed.success) throw new ServiceError("BadRequestException", z.prettifyError(parsed.error));
    const { FromEmailAddress, Destination, Content, EmailTags } = parsed.data;
    sent += 1;
    const email: SentEmail = {
      messageId: `local-${String(sent).padStart(12, "0")}`,
      at: now(),
      from: FromEmailAddress,
      to: Destination.ToAddresses,
      subject: Content.Simple.Subject.Data,
      html: Content.Simple.Body.Html.Data,
      text: Content.Simple.Body.Text.Data,
      headers: Object.fromEntries(Content.Simple.Headers),
      tags: Object.fromEntries(EmailTags),
    };
    deliver(email);
    return { MessageId: email.messageId };
  };
};
