import * as z from "zod";
import { createBook } from "../adapters/dynamodb/book.ts";
import { UnknownPolicy } from "../adapters/dynamodb/policies.ts";
import { policyPath, policyTerms, versionReply } from "../adapters/wire/api.ts";
import { encodePolicy, policyBody } from "../adapters/wire/policy.ts";
import type { World } from "../adapters/world.ts";
import type { Policy } from "../core/policy.ts";
import { validatePolicy } from "../core/terms.ts";
import { refuse } from "./problem.ts";
import { defineRoute, deployment, none } from "./route.ts";
import { nextVersion } from "./versions.ts";

/** True where two policies differ in nothing but their version. */
export const isSamePolicy = (one: Policy, other: Policy): boolean =>
  JSON.stringify(encodePolicy({ ...one, version: other.version })) === JSON.stringify(encodePolicy(other));

/** Stores the terms of a policy as its next version; the same terms again make none. @returns the version that holds them. */
export const storePolicy = (world: World, policyId: string, make: (version: number) => Policy): Promise<number> => {
  // Not a desk's, which may be 30 s old: "the same terms again" must mean those that hold now.
  const book = createBook(world);
  return nextVersion({
    newest: async () => {
      try {
        return await book.policy(policyId);
      } catch (error) {
        if (error instanceof UnknownPolicy) return null;
        throw error;
      }
    },
    isSame: isSamePolicy,
    make,
    store: (next) => book.putPolicy(next),
  });
};

export const putPolicy = defineRoute({
  action: "putPolicy",
  summary: "Set a margin policy",
  description:
    "Makes the next version, which never changes; the same terms again make none. An open call keeps the version it was opened under (R11).",
  path: policyPath,
  query: none,
  body: policyTerms,
  reply: versionReply,
  status: 200,
  key: "none",
  resource: deployment,
  run: async ({ desk, path, body }) => {
    const { policyId } = path;
    const terms = z.encode(policyTerms, body);
    const version = await storePolicy(desk.world, policyId, (number) => {
      const made = policyBody.safeParse({ ...terms, policyId, version: number });
      if (!made.success) throw refuse(made.error, "body");
      return validatePolicy(made.data);
    });
    return { id: policyId, version };
  },
});
