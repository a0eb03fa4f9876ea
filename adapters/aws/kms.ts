import type { Kms, Settings } from "../world.ts";
import { clientConfiguration, lazily } from "./clients.ts";

/** KMS under the data key. The context is checked by the service: a secret opens only for what it belongs to. */
export const createKms = (settings: Settings): Kms => {
  const client = lazily(async () => {
    const sdk = await import("@aws-sdk/client-kms");
    return { sdk, send: new sdk.KMSClient(clientConfiguration) };
  });
  return {
    encrypt: async (plaintext, context) => {
      const { sdk, send } = await client();
      const reply = await send.send(
        new sdk.EncryptCommand({ KeyId: settings.dataKeyArn, Plaintext: Buffer.from(plaintext), EncryptionContext: { ...context } }),
      );
      if (reply.CiphertextBlob === undefined) throw new Error("the key service encrypted nothing");
      return Buffer.from(reply.CiphertextBlob).toString("base64");
    },
    decrypt: async (ciphertext, context) => {
      const { sdk, send } = await client();
      const reply = await send.send(
        new sdk.DecryptCommand({
          KeyId: settings.dataKeyArn,
          CiphertextBlob: Buffer.from(ciphertext, "base64"),
          EncryptionContext: { ...context },
        }),
      );
      if (reply.Plaintext === undefined) throw new Error("the key service decrypted nothing");
      return Buffer.from(reply.Plaintext).toString();
    },
  };
};
