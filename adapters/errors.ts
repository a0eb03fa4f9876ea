/** The mail service refused an email for good: its address, its content or our right to send it. Trying again cannot help. */
export class MailRefused extends Error {
  override readonly name = "MailRefused";
}

/** A batch that a service took only in part. What was not taken may be sent again: consumers know duplicates by their ids. */
export class PartlyRefused extends Error {
  override readonly name = "PartlyRefused";
}
