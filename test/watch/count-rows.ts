import { DeleteItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";

import { price } from "../../core/money.ts";
import { type AlarmRow, CALLED, closedOut } from "./alarm-row.ts";
import { BROKER, contactOf, type Exchange } from "./exchange.ts";

/** A call of the account is told of again, by a small part payment. */
const toldAgain =
  (accountOf: () => string) =>
  (x: Exchange): Promise<void> =>
    x.deposit(accountOf(), "1");

/** Alarms on what the code counts: an account or an order that the flow itself cannot help. */
export const COUNT_ROWS: readonly AlarmRow[] = [
  (() => {
    let accountId = "";
    return {
      name: "SES refuses a holder's address",
      alarms: ["email-refused"],
      fault: async (x: Exchange) => {
        x.refused.add("typo@holder.example");
        accountId = await x.open({ cash: CALLED, contact: contactOf("typo") });
      },
      load: toldAgain(() => accountId),
      minutes: 2,
      mend: (x: Exchange) => x.putContact(accountId, contactOf("right")),
    };
  })(),
  (() => {
    let accountId = "";
    return {
      name: "an account has no contact",
      alarms: ["email-without-contact"],
      fault: async (x: Exchange) => {
        accountId = await x.open({ cash: CALLED, contact: null });
      },
      load: toldAgain(() => accountId),
      minutes: 2,
      mend: (x: Exchange) => x.putContact(accountId, contactOf(accountId)),
    };
  })(),
  (() => {
    let accountId = "";
    return {
      name: "no channel reaches a holder",
      alarms: ["notice-unaccepted"],
      fault: async (x: Exchange) => {
        accountId = await x.open({ cash: CALLED, contact: null, brokerId: BROKER.none });
      },
      minutes: 4,
      mend: async (x: Exchange) => {
        await x.putContact(accountId, contactOf(accountId));
        const { body } = await x.ask("operator", "GET", `/accounts/${accountId}/calls`, null);
        const [call] = (body as { calls: { callId: string }[] }).calls;
        await x.ask("operator", "POST", `/accounts/${accountId}/calls/${call?.callId}/cancellation`, {
          reason: "its holder was never told",
        });
      },
    };
  })(),
  (() => {
    let accountId = "";
    return {
      name: "a broker's endpoint takes nothing for hours",
      alarms: ["webhook-exhausted"],
      fault: async (x: Exchange) => {
        x.answers[BROKER.broken] = 500;
        accountId = await x.open({ cash: CALLED, brokerId: BROKER.broken });
        await x.minutes(5);
        await x.deposit(accountId, "4000");
        // Urgent attempts end an hour after the deadline.
        for (let minute = 0; minute < 100 && !exhausted(x); minute += 1) await x.minutes(1);
      },
      minutes: 0,
      mend: async (x: Exchange) => {
        x.answers[BROKER.broken] = 200;
        await x.open({ cash: CALLED, brokerId: BROKER.broken });
      },
      over: async ({ webhooks }: Exchange) => webhooks.some(({ url, answer }) => url.includes(BROKER.broken) && answer === 200),
    };
  })(),
  (() => {
    let accountId = "";
    return {
      name: "entries of an account's feed are missing",
      alarms: ["account-out-of-sync"],
      fault: async (x: Exchange) => {
        accountId = await x.open({ cash: "5000" });
        x.venue.deposit(accountId, "USDT", 1n as never, x.cloud.now());
        await x.deposit(accountId, "1");
      },
      minutes: 1,
      mend: async (x: Exchange) => {
        const { sequence, ...rest } = { sequence: 4, externalId: `heal-${accountId}`, occurredAt: x.cloud.now() };
        const balances = new Map([["USDT", 500_100_000_001n as never]]);
        const positions = [{ instrumentId: "BTC-PERP", quantity: 100_000_000n as never, entryPrice: 800_000_000_000n as never }];
        await x.tell({ schemaVersion: 1, accountId, entries: [{ kind: "snapshot", sequence, ...rest, balances, positions }] });
      },
      over: async (x: Exchange) => {
        const { body } = await x.ask("operator", "GET", `/accounts/${accountId}`, null);
        return (body as { outOfSync: boolean }).outOfSync === false;
      },
    };
  })(),
  (() => {
    let accountId = "";
    const stated = (x: Exchange, kind: "reconciliation" | "snapshot", sequence: number, cash: bigint): Promise<void> => {
      const fact = { kind, sequence, externalId: `${kind}-${accountId}`, occurredAt: x.cloud.now() };
      const balances = new Map([["USDT", cash as never]]);
      const positions = [{ instrumentId: "BTC-PERP", quantity: 100_000_000n as never, entryPrice: 800_000_000_000n as never }];
      return x.tell({ schemaVersion: 1, accountId, entries: [{ ...fact, balances, positions }] });
    };
    return {
      name: "the venue's statement of an account is not what the book holds",
      alarms: ["book-differs"],
      fault: async (x: Exchange) => {
        accountId = await x.open({ cash: "5000" });
        await stated(x, "reconciliation", 1, 490_000_000_000n);
      },
      minutes: 1,
      mend: (x: Exchange) => stated(x, "snapshot", 2, 490_000_000_000n),
      over: async (x: Exchange) => {
        const { body } = await x.ask("operator", "GET", `/accounts/${accountId}`, null);
        return (body as { outOfSync: boolean }).outOfSync === false;
      },
    };
  })(),
  (() => {
    let status = 0;
    return {
      name: "a policy would newly call more than the stage's share",
      alarms: ["change-held"],
      fault: async (x: Exchange) => {
        // 330 is 65 % of the headroom: above the call level of one half, below one of 70 %.
        for (let account = 0; account < 3; account += 1) await x.open({ cash: "330" });
        status = await x.putStricterPolicy();
      },
      minutes: 1,
      mend: async (x: Exchange) => {
        await x.cure();
        status = await x.putStricterPolicy();
        await x.putPolicies();
      },
      over: async () => status === 200,
    };
  })(),
  (() => {
    const pending = async (x: Exchange) => {
      const { body } = await x.ask("operator", "GET", "/changes", null);
      return (body as { changes: { changeId: string }[] }).changes;
    };
    return {
      name: "a policy would newly call more than the stage's share at its instant",
      alarms: ["pending-change-held"],
      fault: async (x: Exchange) => {
        for (let account = 0; account < 3; account += 1) await x.open({ cash: "330" });
        await x.putStricterPolicy(30_000);
      },
      minutes: 2,
      mend: async (x: Exchange) => {
        for (const { changeId } of await pending(x)) await x.ask("operator", "POST", `/changes/${changeId}/withdrawal`, null);
        await x.cure();
      },
      over: async (x: Exchange) => (await pending(x)).length === 0,
    };
  })(),
  {
    name: "a price that nobody confirms would call more than the stage's share",
    alarms: ["price-let-through"],
    fault: async (x) => {
      for (let account = 0; account < 3; account += 1) await x.open({ cash: "330" });
      x.quotes.btc = price("7900");
    },
    minutes: 3,
    mend: async (x) => {
      x.quotes.btc = price("8000");
    },
  },
  {
    name: "a policy is not in the book",
    alarms: ["undecided-account"],
    fault: async (x) => {
      await x.open({ cash: "5000" });
      const TableName = x.cloud.tableName("book");
      const { Items = [] } = await x.cloud.clients.db.send(
        new QueryCommand({ TableName, KeyConditionExpression: "pk = :p", ExpressionAttributeValues: { ":p": { S: "POLICY" } } }),
      );
      for (const { pk, sk } of Items) await x.cloud.clients.db.send(new DeleteItemCommand({ TableName, Key: { pk, sk } as never }));
      await x.cloud.deploy(["mark-accounts"], () => ({}));
    },
    minutes: 2,
    mend: (x) => x.putPolicies(),
  },
  {
    name: "the sweep of overdue calls has no time",
    alarms: ["overdue-left"],
    fault: async (x) => {
      x.away.venue = true;
      x.cloud.configure("sweep-overdue", { timeoutMs: 10_000 });
      await closedOut(x);
    },
    minutes: 3,
    mend: async (x) => {
      x.away.venue = false;
      x.cloud.configure("sweep-overdue", { timeoutMs: 55_000 });
    },
  },
  {
    name: "the price feed is silent while orders wait",
    alarms: ["orders-held"],
    fault: async (x) => {
      x.cloud.configure("dispatch-orders", { enabled: false });
      x.away.feed = true;
      // The mark is three minutes old when the order is decided, and too old a minute later.
      await x.minutes(2);
      await closedOut(x);
    },
    minutes: 2,
    mend: async (x) => {
      x.away.feed = false;
      x.cloud.configure("dispatch-orders", { enabled: true });
    },
  },
];

const exhausted = ({ cloud }: Exchange): boolean =>
  cloud.watch.transitions.some(({ alarm }) => alarm === "plimsoll-local-webhook-exhausted");
