import { randomBytes } from "node:crypto";

/**
 * Values that must not be found where they do not belong. Each is unlike anything else in a run, and ends in a word
 * of this run alone, so that no shipped text holds it by chance.
 */
const RUN = randomBytes(4).toString("hex");

export const CANARIES = {
  email: `canary.mail-${RUN}@holder.example`,
  refusedEmail: `canary.refused-${RUN}@holder.example`,
  name: `Canary O'Nameson ${RUN}`,
  antiPhishingCode: `finch-${RUN}`,
  urlPath: `path-token-${RUN}`,
  urlQuery: `query-token+${RUN}=`,
  receiverWords: `receiver said ${RUN}`,
  idempotencyKey: `idem/canary-${RUN}`,
  callerSignature: `caller-signature-${RUN}`,
  accessKeyId: `AKIACANARY${RUN.toUpperCase()}`,
  secretAccessKey: `aws/secret+canary${RUN}`,
  sessionToken: `session//token+${RUN}==`,
} as const;

/** Personal data inside what nobody can read: as a value, as a key, in text that is no JSON. */
export const POISON = {
  value: `poison.value-${RUN}@holder.example`,
  key: `poison.key-${RUN}@holder.example`,
  torn: `poison.torn-${RUN}@holder.example`,
} as const;

/** The middle of a text's base64, which stands in any longer base64 at one of three places. */
const base64Cores = (text: string): string[] =>
  [0, 1, 2].map((shift) => {
    const encoded = Buffer.from("x".repeat(shift) + text).toString("base64");
    return encoded.slice(shift === 0 ? 0 : 4, Math.floor((shift + Buffer.byteLength(text)) / 3) * 4);
  });

/** The ways in which a value may stand in a text. */
const formsOf = (value: string): readonly string[] => [
  value,
  JSON.stringify(value).slice(1, -1),
  JSON.stringify(JSON.stringify(value).slice(1, -1)).slice(1, -1),
  encodeURIComponent(value),
  ...base64Cores(value).filter((core) => core.length >= 12),
];

/** A place that may hold anything: a log file, a message, a row. */
export interface Place {
  readonly where: string;
  readonly text: string;
}

/** Which values stand where, as "value in place". */
export const hitsOf = (values: Readonly<Record<string, string>>, places: readonly Place[]): string[] => {
  const forms = Object.entries(values).map(([name, value]) => ({ name, forms: formsOf(value) }));
  const hits = places.flatMap(({ where, text }) =>
    forms.filter((one) => one.forms.some((form) => text.includes(form))).map(({ name }) => `${name} in ${where}`),
  );
  return [...new Set(hits)].sort();
};
