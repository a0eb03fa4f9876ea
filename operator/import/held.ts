import { createBook } from "../../adapters/dynamodb/book.ts";
import { createMarks } from "../../adapters/dynamodb/marks.ts";
import { createOutbound } from "../../adapters/dynamodb/outbound.ts";
import { UnknownPolicy } from "../../adapters/dynamodb/policies.ts";
import type { Contact } from "../../adapters/wire/parties.ts";
import type { World } from "../../adapters/world.ts";
import type { MarginAccount } from "../../core/account.ts";
import type { Instruments } from "../../core/instrument.ts";
import type { Policy } from "../../core/policy.ts";

/** What a stage holds, as far as an import is checked against it. Nothing is written. */
export interface Held {
  /** False where files are checked by themselves: then nothing can be said to be unknown that the files do not have. */
  readonly isStage: boolean;
  /** What "default" names; null where no stage was named. */
  readonly defaultPolicy: string | null;
  instruments(): Promise<Instruments>;
  /** The newest version; null where there is none. */
  policy(policyId: string): Promise<Policy | null>;
  accounts(accountIds: readonly string[]): Promise<ReadonlyMap<string, MarginAccount>>;
  contact(accountId: string): Promise<Contact | null>;
  /** True for a broker that the stage's modes name or that has a webhook endpoint. */
  broker(brokerId: string): Promise<boolean>;
}

/** For checking files without a stage. */
export const NOTHING_HELD: Held = {
  isStage: false,
  defaultPolicy: null,
  instruments: async () => new Map(),
  policy: async () => null,
  accounts: async () => new Map(),
  contact: async () => null,
  broker: async () => true,
};

/** What the tables of a stage hold. The settings must have its tables, shards, modes and default policy. */
export const heldBy = (world: World): Held => {
  const book = createBook(world);
  const outbound = createOutbound(world);
  const brokers = new Map<string, Promise<boolean>>();
  const isBroker = async (brokerId: string): Promise<boolean> =>
    Object.hasOwn(world.settings.modes.brokers, brokerId) || (await outbound.endpoints(brokerId)).length > 0;
  return {
    isStage: true,
    defaultPolicy: world.settings.defaultPolicy,
    // Anew for each command: stores believe what they read for 30 seconds.
    instruments: () => createMarks(world).instruments(),
    policy: async (policyId) => {
      try {
        return await book.policy(policyId);
      } catch (error) {
        if (error instanceof UnknownPolicy) return null;
        throw error;
      }
    },
    accounts: async (accountIds) => new Map((await book.loadAll(accountIds)).map((account) => [account.accountId, account])),
    contact: (accountId) => outbound.contact(accountId),
    broker: (brokerId) => {
      const known = brokers.get(brokerId) ?? isBroker(brokerId);
      brokers.set(brokerId, known);
      return known;
    },
  };
};
