import type { HeldTerms } from "../../core/notice.ts";
import type { Policy } from "../../core/policy.ts";
import { placesOf } from "../wire/parse.ts";
import { encodePolicy, policyBody } from "../wire/policy.ts";
import type { World } from "../world.ts";
import { createBelieved } from "./believed.ts";
import { heldSince, storedAtOf } from "./held-versions.ts";
import { checkSchema, type Item, json, SCHEMA, text, UnreadableRow } from "./items.ts";
import { policySk } from "./keys.ts";
import { isConditionFailed, partition, queryAll } from "./pages.ts";

const PK = "POLICY";
/** How long the newest version of a policy is believed without a look at the table. */
export const NEWEST_FOR_MS = 30_000;

/** A policy that is not in the book, by its name. */
export class UnknownPolicy extends Error {
  override readonly name = "UnknownPolicy";
}

const decodePolicy = (item: Item): Policy => {
  checkSchema(item);
  const read = policyBody.safeParse(json(item, "body"));
  if (!read.success) throw new UnreadableRow(`policy: ${placesOf(read.error)}`);
  return read.data;
};

/** Policies by id and version. A stored version never changes, so it is kept; the newest is looked up anew. */
export const createPolicies = (world: World) => {
  const versions = new Map<string, Policy>();

  const keep = (policy: Policy): Policy => {
    versions.set(policySk(policy.policyId, policy.version), policy);
    return policy;
  };

  const readVersion = async (policyId: string, version: number): Promise<Policy> => {
    const sk = policySk(policyId, version);
    const kept = versions.get(sk);
    if (kept !== undefined) return kept;
    const got = await world.db.get({ TableName: world.settings.bookTable, Key: { pk: { S: PK }, sk: { S: sk } }, ConsistentRead: true });
    if (got.Item === undefined) throw new UnknownPolicy(`unknown policy ${policyId} version ${version}`);
    return keep(decodePolicy(got.Item));
  };

  const newest = createBelieved(world.clock, NEWEST_FOR_MS, async (policyId): Promise<Policy> => {
    const prefix = `${policyId}#v`;
    const items = await queryAll(world.db, { ...partition(world.settings.bookTable, PK, prefix), ConsistentRead: true });
    const own = items.filter((item) => text(item, "sk").startsWith(prefix));
    const policies = own.map((item) => versions.get(text(item, "sk")) ?? keep(decodePolicy(item)));
    const policy = policies.sort((a, b) => b.version - a.version)[0];
    if (policy === undefined) throw new UnknownPolicy(`unknown policy ${policyId}`);
    return policy;
  });

  return {
    /** A version of a policy, or its newest (at most 30 s old). @throws UnknownPolicy by name. */
    policy: (policyId: string, version?: number): Promise<Policy> =>
      version === undefined ? newest.get(policyId) : readVersion(policyId, version),

    /** Versions that held since an instant, from the oldest; none for a policy that is not there. For who weighs a change, not for who decides an account. */
    policiesSince: (policyId: string, newest: number, since: number): Promise<readonly HeldTerms<Policy>[]> =>
      heldSince(newest, since, async (version) => {
        const Key = { pk: { S: PK }, sk: { S: policySk(policyId, version) } };
        const { Item } = await world.db.get({ TableName: world.settings.bookTable, Key, ConsistentRead: true });
        return Item === undefined ? null : { terms: decodePolicy(Item), effectiveAt: storedAtOf(Item) };
      }),

    /** Stores a version for ever. The same version with the same content is stored already; with another it is refused. */
    putPolicy: async (policy: Policy): Promise<"stored" | "conflict"> => {
      const body = JSON.stringify(encodePolicy(policy));
      const Key = { pk: { S: PK }, sk: { S: policySk(policy.policyId, policy.version) } };
      newest.forget(policy.policyId);
      try {
        await world.db.put({
          TableName: world.settings.bookTable,
          Item: { ...Key, schema: SCHEMA, body: { S: body }, storedAt: { N: `${world.clock.now()}` } },
          ConditionExpression: "attribute_not_exists(pk)",
        });
        return "stored";
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
        const got = await world.db.get({ TableName: world.settings.bookTable, Key, ConsistentRead: true });
        return got.Item?.["body"]?.S === body ? "stored" : "conflict";
      }
    },
  };
};
