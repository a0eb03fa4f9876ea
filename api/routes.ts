import { readAccount } from "./accounts.ts";
import { acknowledgeCall, cancelCallRoute, listCalls, listLiveCalls, readCall } from "./calls.ts";
import { putContact } from "./contacts.ts";
import { readContract } from "./contract.ts";
import { putEndpoint } from "./endpoints.ts";
import { postFeedEntries } from "./feed-entries.ts";
import { health } from "./health.ts";
import { putInstrument } from "./instruments.ts";
import { postMarks } from "./marks.ts";
import { listOrders } from "./orders.ts";
import { approveChangeRoute, listChanges, withdrawChangeRoute } from "./pending-changes.ts";
import { putPolicy } from "./policies.ts";
import { readRisk } from "./risk.ts";
import type { Route } from "./route.ts";
import { askWhatIf } from "./what-if.ts";
import { checkWithdrawalRoute } from "./withdrawal-checks.ts";

/** Every resource of the API but its own description. */
const resources: readonly Route[] = [
  health,
  listLiveCalls,
  readAccount,
  askWhatIf,
  listCalls,
  readCall,
  listOrders,
  acknowledgeCall,
  cancelCallRoute,
  putContact,
  checkWithdrawalRoute,
  postMarks,
  postFeedEntries,
  putInstrument,
  putPolicy,
  readRisk,
  listChanges,
  approveChangeRoute,
  withdrawChangeRoute,
  putEndpoint,
];

/** Every route with its handler. A test holds it against ROUTES, which the infrastructure deploys. */
export const API_ROUTES: readonly Route[] = [readContract(resources), ...resources];
