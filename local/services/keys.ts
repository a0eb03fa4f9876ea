import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

import { type Service, ServiceError } from "./service.ts";

/** AES-GCM: 12 bytes of nonce and 16 of tag. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

type Context = Readonly<Record<string, string>>;

interface KeyRequest {
  readonly KeyId?: string;
  readonly Plaintext?: string;
  readonly CiphertextBlob?: string;
  readonly EncryptionContext?: Context;
}

/** The context in one order, whatever order the caller has it in: it authenticates, and does not travel. */
const authenticated = (context: Context = {}): Buffer =>
  Buffer.from(JSON.stringify(Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1))));

const refused = (message: string): never => {
  throw new ServiceError("InvalidCiphertextException", message);
};

/**
 * KMS: Encrypt and Decrypt under the keys of the template, each with key material of this process.
 * Decrypting with another key or another context fails, as it does in the cloud.
 *
 * @param keyArns the keys that exist.
 */
export const createKeys = (keyArns: readonly string[]): Service => {
  const material = randomBytes(32);
  const keyOf = (keyId: string): { arn: string; key: Buffer } => {
    const arn = keyArns.find((known) => known === keyId || known.endsWith(`key/${keyId}`));
    if (arn === undefined) throw new ServiceError("NotFoundException", `Key '${keyId}' does not exist`);
    return { arn, key: Buffer.from(hkdfSync("sha256", material, "", arn, 32)) };
  };

  const encrypt = ({ KeyId = "", Plaintext = "", EncryptionContext }: KeyRequest): object => {
    const { arn, key } = keyOf(KeyId);
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(authenticated(EncryptionContext));
    const sealed = Buffer.concat([cipher.update(Buffer.from(Plaintext, "base64")), cipher.final()]);
    const blob = Buffer.concat([Buffer.from(`${arn}\0`), nonce, cipher.getAuthTag(), sealed]);
    return { CiphertextBlob: blob.toString("base64"), KeyId: arn, EncryptionAlgorithm: "SYMMETRIC_DEFAULT" };
  };

  const decrypt = ({ KeyId, CiphertextBlob = "", EncryptionContext }: KeyRequest): object => {
    const blob = Buffer.from(CiphertextBlob, "base64");
    const end = blob.indexOf(0);
    const start = end + 1;
    if (end < 0 || blob.length < start + NONCE_BYTES + TAG_BYTES) return refused("not a ciphertext of this service");
    const { arn, key } = keyOf(blob.subarray(0, end).toString());
    if (KeyId !== undefined && keyOf(KeyId).arn !== arn) throw new ServiceError("IncorrectKeyException", "encrypted under another key");
    const decipher = createDecipheriv("aes-256-gcm", key, blob.subarray(start, start + NONCE_BYTES)).setAAD(
      authenticated(EncryptionContext),
    );
    decipher.setAuthTag(blob.subarray(start + NONCE_BYTES, start + NONCE_BYTES + TAG_BYTES));
    try {
      const opened = Buffer.concat([decipher.update(blob.subarray(start + NONCE_BYTES + TAG_BYTES)), decipher.final()]);
      return { Plaintext: opened.toString("base64"), KeyId: arn, EncryptionAlgorithm: "SYMMETRIC_DEFAULT" };
    } catch {
      return refused("the key or the encryption context is another one");
    }
  };

  return ({ target, body }) => {
    if (target === "TrentService.Encrypt") return encrypt(body as KeyRequest);
    if (target === "TrentService.Decrypt") return decrypt(body as KeyRequest);
    return null;
  };
};
