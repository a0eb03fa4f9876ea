import { LOCAL_PRINCIPALS } from "../../local/gateway.ts";
import { localStage } from "../../local/stage.ts";

/** The account number that both clouds have. */
export const ACCOUNT = "000000000000";

/** Roles of the API's callers, each a role of IAM on the independent engine. */
export const CALLERS = Object.values(LOCAL_PRINCIPALS).map(({ role }) => role);

/** Name of the IAM role of a caller. */
export const roleNameOf = (caller: string): string => `plimsoll-${caller}`;

/** The local stage, but its callers are what IAM makes of them: sessions of roles, named as the API's documentation has it. */
export const deployStage = () => ({
  ...localStage(),
  principals: Object.fromEntries(CALLERS.map((role) => [`arn:aws:sts::${ACCOUNT}:assumed-role/${roleNameOf(role)}`, { role }])),
});
