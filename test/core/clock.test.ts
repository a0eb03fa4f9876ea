import { expect, test } from "vitest";
import { isUntold } from "../../core/clock.ts";
import { MINUTE, T0 } from "./call-fixtures.ts";

const call = { status: "OPEN", issuedAt: T0, noticeAcceptedAt: null } as const;
const policy = { mode: "notify", noticeWaitMaxMs: 2 * MINUTE } as const;

test.each([
  ["at the end of the wait it may still come", call, policy, 2 * MINUTE, false],
  ["past the wait nobody was told", call, policy, 2 * MINUTE + 1, true],
  ["in enforce as well", call, { ...policy, mode: "enforce" } as const, 2 * MINUTE + 1, true],
  ["a deployment that observes tells nobody (R28)", call, { ...policy, mode: "observe" } as const, 60 * MINUTE, false],
  ["accepted, in time or late, it is told", { ...call, noticeAcceptedAt: T0 + 30 * MINUTE }, policy, 60 * MINUTE, false],
  ["one that has left OPEN has no grace to lose", { ...call, status: "LIQUIDATING" } as const, policy, 60 * MINUTE, false],
  ["an issue that lies ahead, by the write's budget, has no wait behind it", { ...call, issuedAt: T0 + 10_000 }, policy, 0, false],
] as const)("R12: %s", (_, given, terms, later, untold) => expect(isUntold(given, terms, T0 + later)).toBe(untold));
