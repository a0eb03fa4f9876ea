import type { Context } from "aws-lambda";

import { createWorld } from "../adapters/aws.ts";
import { decideAccount, newestMarks, openDesk, setAside } from "../adapters/decide-account.ts";
import { dispatchOrders } from "../adapters/dispatch-orders.ts";
import { lambdaHandler } from "../adapters/lambda/handler.ts";
import { overdueAccounts } from "../adapters/overdue.ts";
import { eachOf } from "../adapters/parallel.ts";
import { judgeChanges } from "../adapters/pending-changes.ts";
import type { World } from "../adapters/world.ts";
import { LIMITS } from "../core/limits.ts";
import { livesOf } from "../core/scope.ts";

/** Accounts that are worked on at a time. */
const ACCOUNTS_WIDE = 16;
/** Time that an account begun last still gets. */
const ACCOUNT_BUDGET_MS = 12_000;

/** Time that the judgement of a change of terms still gets: it decides up to a hundred thousand accounts twice. */
const CHANGE_BUDGET_MS = 25_000;

/**
 * 7. Each minute, finds what is overdue and does what 6 and 8 would have done, in this process: no queue,
 * timer or topic stands between it and the effect (L12). The worst first (S40); what the time does not
 * suffice for is counted, and is next minute's.
 *
 * Then it judges the changes of terms whose instant has come, and the shadows of those that wait (S18).
 *
 * One account that fails costs the others nothing; the invocation then fails, so that it is seen.
 */
export const sweepOverdue = (world: World) => {
  const desk = openDesk(world);
  return async (_event: unknown, context: Pick<Context, "getRemainingTimeInMillis">): Promise<void> => {
    const newest = newestMarks(desk);
    const accounts = await overdueAccounts(desk, await newest());
    world.log.count("overdue_accounts", accounts.length);
    let left = 0;
    await eachOf(accounts, ACCOUNTS_WIDE, async (account) => {
      if (context.getRemainingTimeInMillis() < ACCOUNT_BUDGET_MS) {
        left += 1;
        return;
      }
      const { accountId } = account;
      const work = async (): Promise<void> => {
        const snapshot = await newest();
        const decided = await decideAccount(desk, { accountId, causedBy: "overdue", loaded: account }, snapshot);
        if (decided !== null && livesOf(decided.account).some(({ call }) => call.status === "LIQUIDATING"))
          await dispatchOrders(desk, accountId, snapshot);
      };
      await work().catch((error) => void setAside(desk, accountId, error));
    }).finally(() => {
      if (left > 0) world.log.count("overdue_left", left);
      return judgeChanges(world, LIMITS.accountsPerRequestMax, () => context.getRemainingTimeInMillis() >= CHANGE_BUDGET_MS);
    });
  };
};

const DECIDES = ["bookTable", "journalTable", "marksTable", "shards", "rowSchema", "modes", "defaultPolicy"] as const;
const world = createWorld([...DECIDES, "venueQueueUrl", "breachShareMaxPpm"]);

export const handler = lambdaHandler(world, sweepOverdue(world));
