import { createOutbound } from "../adapters/dynamodb/outbound.ts";
import { accountPath, contactReply } from "../adapters/wire/api.ts";
import { contactBody } from "../adapters/wire/parties.ts";
import { defineRoute, none, pathAccount } from "./route.ts";

export const putContact = defineRoute({
  action: "putContact",
  summary: "Set whom notices of an account go to",
  description:
    "Replaces the contact: all personal data of an account, in one place. An operator may set it before the account's first fact.",
  path: accountPath,
  query: none,
  body: contactBody,
  reply: contactReply,
  status: 200,
  key: "none",
  resource: pathAccount,
  run: async ({ desk, path, body }) => {
    await createOutbound(desk.world).putContact({ ...body, accountId: path.accountId });
    return { accountId: path.accountId };
  },
});
