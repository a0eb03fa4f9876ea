import { createHash, createHmac } from "node:crypto";

/** Keys of a caller. A root caller of the engine has no session token and needs no true signature. */
export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface Wish {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly service: string;
  readonly region: string;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

/** Signature Version 4 encodes all but the unreserved characters, once more than the path itself is encoded. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);

/** The wish's headers with those of AWS Signature Version 4, for the keys and the instant. */
const signedHeaders = ({ method, url, body, headers, service, region }: Wish, keys: Keys, now: Date): Record<string, string> => {
  const { host, pathname, searchParams } = new URL(url);
  const instant = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const scope = `${instant.slice(0, 8)}/${region}/${service}/aws4_request`;
  const sent: Record<string, string> = {
    ...headers,
    "x-amz-date": instant,
    "x-amz-content-sha256": sha256(body),
    ...(keys.sessionToken !== undefined && { "x-amz-security-token": keys.sessionToken }),
  };
  const signed = Object.entries({ ...sent, host }).sort(([a], [b]) => (a < b ? -1 : 1));
  const names = signed.map(([name]) => name).join(";");
  const path = pathname.split("/").map(encoded).join("/");
  const query = [...searchParams].map(([name, value]) => `${encoded(name)}=${encoded(value)}`).sort();
  const canonical = [method, path, query.join("&"), ...signed.map(([name, value]) => `${name}:${value.trim()}`), "", names, sha256(body)];
  const key = [region, service, "aws4_request"].reduce(hmac, hmac(`AWS4${keys.secretAccessKey}`, instant.slice(0, 8)));
  const signature = hmac(key, ["AWS4-HMAC-SHA256", instant, scope, sha256(canonical.join("\n"))].join("\n")).toString("hex");
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
};

/** Sends a signed request. */
export const signedRequest = async (wish: Wish, keys: Keys): Promise<{ readonly status: number; readonly text: string }> => {
  const reply = await fetch(wish.url, {
    method: wish.method,
    headers: signedHeaders(wish, keys, new Date()),
    ...(wish.body !== "" && { body: wish.body }),
  });
  return { status: reply.status, text: await reply.text() };
};
