import { accountPath, ordersQuery, ordersReply } from "../adapters/wire/api.ts";
import { loadAccount } from "./accounts.ts";
import { defineRoute, noBody, pathAccount } from "./route.ts";

export const listOrders = defineRoute({
  action: "listOrders",
  summary: "Liquidation orders of an account",
  description: "By call and number, of one call with `callId`. What the venue has filled of each is in it.",
  path: accountPath,
  query: ordersQuery,
  body: noBody,
  reply: ordersReply,
  status: 200,
  key: "none",
  resource: pathAccount,
  run: async ({ desk, path, query }) => {
    await loadAccount(desk, path.accountId);
    const orders = await desk.book.orders(path.accountId);
    return { orders: orders.filter((order) => query.callId === undefined || order.callId === query.callId).map((order) => ({ ...order })) };
  },
});
