import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { ROLES } from "../../adapters/wire/modes.ts";
import { type Action, ROUTES } from "../../adapters/wire/routes.ts";
import { authorize, type Principal, principalOf, type Resource, type Role } from "../../api/authorize.ts";

/** Written by hand, role by role, and read as a whole: "any", "own" or "-". It is not derived from the code. */
const EXPECTED = `
action           operator auditor marks feed broker holder
readContract     any      any     any   any  any    any
listLiveCalls    any      any     -     -    -      -
readAccount      any      any     -     -    own    own
askWhatIf        any      any     -     -    own    own
listCalls        any      any     -     -    own    own
readCall         any      any     -     -    own    own
listOrders       any      any     -     -    own    own
acknowledgeCall  any      -       -     -    own    own
cancelCall       any      -       -     -    -      -
putContact       any      -       -     -    own    -
checkWithdrawal  any      -       -     any  own    own
postMarks        -        -       any   -    -      -
postFeedEntries  -        -       -     any  -      -
putInstrument    any      -       -     -    -      -
putPolicy        any      -       -     -    -      -
readRisk         any      any     -     -    -      -
listChanges      any      any     -     -    -      -
approveChange    any      -       -     -    -      -
withdrawChange   any      -       -     -    -      -
putEndpoint      any      -       -     -    own    -
readHealth       -        -       -     -    -      -
`;

const rows = EXPECTED.trim()
  .split("\n")
  .map((line) => line.split(/\s+/));
const roles = (rows[0] ?? []).slice(1) as Role[];
const cells = rows
  .slice(1)
  .flatMap(([action, ...reaches]) => roles.map((role, index) => ({ action: action as Action, role, reach: reaches[index] })));

const principal = (role: Role): Principal => ({
  principalId: "arn",
  role,
  brokerId: role === "broker" ? "B1" : null,
  accountId: role === "holder" ? "A-1" : null,
});

const own: Record<string, Resource> = {
  "own account": { kind: "account", accountId: "A-1", brokerId: "B1" },
};
const foreign: Record<string, Resource> = {
  "an account of another holder and broker": { kind: "account", accountId: "A-2", brokerId: "B2" },
  "an account that is not in the book": { kind: "account", accountId: "A-9", brokerId: null },
  "another broker": { kind: "broker", brokerId: "B2" },
  "the deployment": { kind: "deployment" },
};

test("C2: the expected table has every action and every role", () => {
  expect(
    rows
      .slice(1)
      .map(([action]) => action)
      .sort(),
  ).toEqual(ROUTES.map(({ action }) => action).sort());
  expect([...roles].sort()).toEqual([...ROLES].sort());
});

describe("C2: every action x role x {own, other}", () => {
  test.each(cells)("$role may $action: $reach", ({ action, role, reach }) => {
    for (const [name, resource] of Object.entries(own))
      expect([name, authorize(principal(role), action, resource)]).toEqual([name, reach !== "-"]);
    for (const [name, resource] of Object.entries(foreign)) {
      expect([name, authorize(principal(role), action, resource)]).toEqual([name, reach === "any"]);
    }
    expect(authorize(principal(role), action, { kind: "unread" })).toBe(reach !== "-");
  });
});

describe("C2: own", () => {
  test("a broker reaches each account of its own, and itself, and no account of a holder with its name", () => {
    const broker = principal("broker");
    expect(authorize(broker, "readAccount", { kind: "account", accountId: "A-7", brokerId: "B1" })).toBe(true);
    expect(authorize(broker, "putEndpoint", { kind: "broker", brokerId: "B1" })).toBe(true);
    expect(authorize(broker, "readAccount", { kind: "account", accountId: "B1", brokerId: "B2" })).toBe(false);
  });

  test("a holder reaches one account, whoever its broker is, and no broker of that name", () => {
    const holder = principal("holder");
    expect(authorize(holder, "readAccount", { kind: "account", accountId: "A-1", brokerId: "B2" })).toBe(true);
    expect(authorize({ ...holder, accountId: "B1" }, "putEndpoint", { kind: "broker", brokerId: "B1" })).toBe(false);
  });

  test("a broker or holder that names nothing owns nothing, an account without a broker least of all", () => {
    const nobody = { kind: "account", accountId: "A-9", brokerId: null } as const;
    expect(authorize({ ...principal("broker"), brokerId: null }, "readAccount", nobody)).toBe(false);
    expect(authorize({ ...principal("holder"), accountId: null }, "readAccount", nobody)).toBe(false);
  });
});

describe("C2: deny by default", () => {
  test("an unknown caller may nothing", () => {
    for (const { action } of ROUTES) expect(authorize(null, action, { kind: "unread" })).toBe(false);
  });

  test("a role or an action that is in no table is denied, whatever objects inherit", () => {
    const names = fc.oneof(fc.constantFrom("__proto__", "constructor", "toString", "hasOwnProperty", "root"), fc.string());
    const known = new Set<string>([...ROLES, ...ROUTES.map(({ action }) => action)]);
    fc.assert(
      fc.property(names, names, fc.constantFrom(...Object.values({ ...own, ...foreign })), (role, action, resource) => {
        fc.pre(!known.has(role) && !known.has(action));
        expect(authorize({ ...principal("operator"), role: role as Role }, "readAccount", resource)).toBe(false);
        expect(authorize(principal("operator"), action as Action, resource)).toBe(false);
      }),
    );
  });
});

describe("the principal behind a signature", () => {
  const roleArn = "arn:aws:sts::111122223333:assumed-role/desk";
  const principals = { [roleArn]: { role: "operator" }, "arn:aws:iam::111122223333:user/b1": { role: "broker", brokerId: "B1" } } as const;

  test.each([
    [`${roleArn}/anna`, "operator"],
    [roleArn, "operator"],
    ["arn:aws:iam::111122223333:user/b1", "broker"],
    ["arn:aws:iam::111122223333:user/b1/x", undefined],
    [`${roleArn}/anna/x`, undefined],
    ["arn:aws:sts::111122223333:assumed-role/desk2/anna", undefined],
    ["arn:aws:sts::999922223333:assumed-role/desk/anna", undefined],
    [`${roleArn}-evil/anna`, undefined],
    ["__proto__", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("%s is %s", (arn, role) => {
    expect(principalOf(principals, arn)?.role).toBe(role);
  });

  test("an exact session wins over the role that it was assumed from", () => {
    const named = { ...principals, [`${roleArn}/auditor`]: { role: "auditor" } } as const;
    expect(principalOf(named, `${roleArn}/auditor`)).toEqual({
      principalId: `${roleArn}/auditor`,
      role: "auditor",
      brokerId: null,
      accountId: null,
    });
  });
});
