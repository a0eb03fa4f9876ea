import { answerWhatIf, viewAccount } from "../adapters/explain-account.ts";
import { accountPath, whatIfBody, whatIfReply } from "../adapters/wire/api.ts";
import { loadAccount } from "./accounts.ts";
import { Problem } from "./problem.ts";
import { defineRoute, none, pathAccount } from "./route.ts";

export const askWhatIf = defineRoute({
  action: "askWhatIf",
  summary: "What would become of an account",
  description:
    "Payments and trades on the newest marks with their fees, and then a move of prices by base asset and of volatility: the statement, level, headroom and cheapest cures before and after. Nothing is written and nothing reserved; without a question it explains the account as it is. A `hedge` among the cures is a trade that the policy's model gives relief for (M6); `cancel_orders` takes back every open order, which count in the initial requirement only (M3).",
  path: accountPath,
  query: none,
  body: whatIfBody,
  reply: whatIfReply,
  status: 200,
  key: "none",
  resource: pathAccount,
  run: async ({ desk, path, body }) => {
    const viewed = await viewAccount(desk, await loadAccount(desk, path.accountId));
    const answer = answerWhatIf(viewed, body);
    if (answer.ok) return answer.reply;
    throw new Problem("invalid-request", {
      detail: `the question has no answer: ${answer.fault}`,
      mend: "Mend the place named in faults and ask again.",
      faults: [{ where: `body/${answer.where}`, what: answer.what }],
    });
  },
});
