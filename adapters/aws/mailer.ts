import { MailRefused } from "../errors.ts";
import type { Email, Mailer, Settings } from "../world.ts";
import { clientConfiguration, lazily } from "./clients.ts";

/** Answers of the service that no later attempt changes. */
const FOR_GOOD: ReadonlySet<string> = new Set([
  "MessageRejected",
  "BadRequestException",
  "NotFoundException",
  "MailFromDomainNotVerifiedException",
]);

const named = (values: Readonly<Record<string, string>>) => Object.entries(values).map(([Name, Value]) => ({ Name, Value }));

const requestOf = (settings: Settings, email: Email) => ({
  FromEmailAddress: settings.mailFrom,
  ConfigurationSetName: settings.mailConfigurationSet,
  Destination: { ToAddresses: [email.to] },
  EmailTags: named(email.tags),
  Content: {
    Simple: {
      Subject: { Data: email.subject, Charset: "UTF-8" },
      Body: { Html: { Data: email.html, Charset: "UTF-8" }, Text: { Data: email.text, Charset: "UTF-8" } },
      Headers: named(email.headers),
    },
  },
});

/** SES v2. */
export const createMailer = (settings: Settings): Mailer => {
  const client = lazily(async () => {
    const sdk = await import("@aws-sdk/client-sesv2");
    return { send: new sdk.SESv2Client(clientConfiguration), SendEmailCommand: sdk.SendEmailCommand };
  });
  return {
    send: async (email) => {
      const { send, SendEmailCommand } = await client();
      try {
        const reply = await send.send(new SendEmailCommand(requestOf(settings, email)));
        return reply.MessageId ?? "";
      } catch (error) {
        const name = error instanceof Error ? error.name : "";
        // Its words may quote the address: only the kind of refusal goes on.
        if (FOR_GOOD.has(name)) throw new MailRefused(name);
        throw error;
      }
    },
  };
};
