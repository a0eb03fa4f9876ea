import type { Mutant } from "./mutant.ts";

/** Mistakes of judgement: on what price, at what instant, how much. */

const EXPIRE = "functions/expire-call.ts";
const LIQUIDATION = "core/call-liquidation.ts";
const STEP = "core/call-step.ts";
const QUALITY = "core/quality.ts";
const CLOCK = "core/clock.ts";

export const MUTANTS_OF_DECISIONS: readonly Mutant[] = [
  {
    name: "pool-met-by-deposit",
    mistake: "a pool's call is met by a deposit in cross",
    edits: [
      {
        file: "core/apply-facts.ts",
        find: 'if (before.pools.size === 0 || fact.kind === "deposit" || ',
        replace: "if (before.pools.size === 0 || ",
      },
    ],
    seedsMax: 200,
  },
  {
    name: "timer-believed",
    mistake:
      "no deadline check on timer: whenever it comes, the deadline has passed; masked by the price from after the deadline that an expiry waits for, which is taken away for timers",
    edits: [
      {
        file: EXPIRE,
        find: "{ accountId, causedBy, loaded: account }, await newest());",
        replace: "{ accountId, causedBy, loaded: account }, { ...(await newest()), isTimer: true });",
      },
      {
        file: STEP,
        find: "if (call.deadlineAt !== null && isPast(call.deadlineAt, s.now)) return atDeadline(s, call);",
        replace: 'if (call.deadlineAt !== null && ("isTimer" in s.snapshot || isPast(call.deadlineAt, s.now))) return atDeadline(s, call);',
      },
      {
        file: STEP,
        find: "newestPriceAt(s.snapshot) < (call.deadlineAt ?? 0)",
        replace: '!("isTimer" in s.snapshot) && newestPriceAt(s.snapshot) < (call.deadlineAt ?? 0)',
      },
    ],
    seedsMax: 200,
  },
  {
    name: "stale-evaluator",
    mistake: "stale price accepted by evaluator",
    edits: [
      {
        file: "core/liquidation-plan.ts",
        find: 'if (ACTIONS.trade[priced.quality] !== "allowed") continue;',
        replace: 'if (ACTIONS.trade[priced.quality] !== "allowed" && priced.quality !== "STALE") continue;',
      },
    ],
    seedsMax: 400,
  },
  {
    name: "stale-expiry",
    mistake: "stale price accepted at expiry: there, a price is as old as its reading",
    edits: [
      {
        file: EXPIRE,
        find: "await decideAccount(desk, { accountId, causedBy, loaded: account }, await newest());",
        replace: `const read = await newest();
      const asOf = world.clock.now();
      const marks = new Map([...read.marks].map(([id, mark]) => [id, { ...mark, asOf, candidate: null }]));
      await decideAccount(desk, { accountId, causedBy, loaded: account }, { ...read, marks });`,
      },
    ],
    seedsMax: 400,
  },
  {
    name: "suspect-accepted",
    mistake: "suspect price accepted: a move beyond the guard needs no second tick",
    edits: [
      {
        file: QUALITY,
        find: "if (within(previous.price, tick.price, Math.min(jumpPpmMax, jumpPpmPerMinute * minutes), room)) {",
        replace: "if (minutes > 0) {",
      },
    ],
    seedsMax: 30,
  },
  {
    name: "second-tick-any",
    mistake: "any second tick confirms a jump, near it or not",
    edits: [
      {
        file: QUALITY,
        find: "if (candidate !== null && agrees(candidate.price, tick.price, instrument)) {",
        replace: "if (candidate !== null) {",
      },
    ],
    seedsMax: 100,
  },
  {
    name: "order-id-drawn",
    mistake: "random order id per attempt",
    edits: [
      {
        file: LIQUIDATION,
        find: "  const attempt = call.attempt + 1;\n",
        replace: "  const attempt = 1_000 + ((drawn += 7) % 9_000);\n",
      },
      { file: LIQUIDATION, find: "    attempt,\n    index", replace: "    attempt: call.attempt + 1,\n    index" },
      { file: LIQUIDATION, find: "const planned = (s: Situation", replace: "let drawn = 0;\nconst planned = (s: Situation" },
    ],
    seedsMax: 10,
  },
  {
    name: "old-quantity",
    mistake: "quantity from old snapshot (reduce-only still on): an order keeps its quantity when the holder cuts the position meanwhile",
    edits: [
      {
        file: LIQUIDATION,
        find: 'return order.side === "sell" ? held < order.quantity : -held < order.quantity;',
        replace: "return held === 0n && order.quantity === 0n;",
      },
    ],
    seedsMax: 200,
    profile: "sweeper",
  },
  {
    name: "flat-left-open",
    mistake:
      "flat account left open (version check still on); masked by the sweep, which meets a flat account's call at its deadline: it passes flat accounts over as well",
    edits: [
      {
        file: STEP,
        find: "if (isBare(account) || (account.positions.length === 0 && statement.low.equityInitial >= 0n)) {",
        replace: "if (isBare(account) && account.positions.length > 0) {",
      },
      {
        file: "core/decide.ts",
        find: "  if (facts.length === 0 && isQuiet(",
        replace: "  if (facts.length === 0 && account.positions.length === 0) return null;\n  if (facts.length === 0 && isQuiet(",
      },
    ],
    seedsMax: 300,
  },
  {
    name: "clock-at-start",
    mistake:
      "deadline at handler start; masked by the time that a write may take, which every issue adds: it is taken away with the late reading of the clock",
    edits: [
      {
        file: "adapters/decide-account.ts",
        find: "  const asked = request.facts ?? [];\n",
        replace: "  const asked = request.facts ?? [];\n  const begunAt = desk.world.clock.now();\n",
      },
      {
        file: "adapters/decide-account.ts",
        find: "const acted = act({ account, policy, now: desk.world.clock.now(), facts });",
        replace: "const acted = act({ account, policy, now: begunAt, facts });",
      },
      { file: CLOCK, find: "now + LIMITS.writeBudgetMs;", replace: "now;" },
    ],
    seedsMax: 10,
  },
  {
    name: "deadline-earlier",
    mistake: "a top-up or a late notice sets the deadline, even where that is earlier",
    edits: [
      {
        file: CLOCK,
        find: "call.deadlineAt !== null && call.deadlineAt >= to\n",
        replace: "call.deadlineAt !== null && call.deadlineAt === to\n",
      },
    ],
    seedsMax: 60,
  },
  {
    name: "notice-anew",
    mistake: "each acceptance of a notice counts as the first",
    edits: [
      {
        file: "core/commands.ts",
        find: "live === null || live.call.noticeAcceptedAt !== null) return null;",
        replace: "live === null) return null;",
      },
    ],
    seedsMax: 10,
  },
  {
    name: "restricted-liquidated",
    mistake: "a call is liquidated at its deadline under a policy that only restricts",
    edits: [{ file: STEP, find: 'if (call.onUnmet === "reduce" && isBelowCall(', replace: "if (isBelowCall(" }],
    seedsMax: 200,
  },
  {
    name: "met-on-better-side",
    mistake: "the market meets a call on the last accepted marks, however old",
    edits: [
      {
        file: STEP,
        find: 'const holds = ACTIONS.meetByMarket[statement.quality] === "allowed" && statement.low.equityInitial >= statement.low.initial;',
        replace: "const holds = statement.high.equityInitial >= statement.high.initial;",
      },
      {
        file: STEP,
        find: "? !isBelowCall(account, statement.low, policy.levels)",
        replace: "? !isBelowCall(account, statement.high, policy.levels)",
      },
      {
        file: STEP,
        find: ": hasLeftCall(account, statement.low, policy.levels);",
        replace: ": hasLeftCall(account, statement.high, policy.levels);",
      },
    ],
    seedsMax: 500,
  },
  {
    name: "premium-counted-twice",
    mistake: "standard option margin takes a sold option's value off the equity and asks for it again (R6)",
    edits: [
      {
        file: "core/equity.ts",
        find: 'isPremium(instrument) ? (model.kind === "standard" ? price : (0n as Price)) : entry;',
        replace: "isPremium(instrument) ? (0n as Price) : entry;",
      },
    ],
    seedsMax: 200,
  },
  {
    name: "grid-halved",
    mistake: "a portfolio is asked for half of what its worst scenario loses (M6)",
    edits: [
      {
        file: "core/model-requirement.ts",
        find: "const scan = { initial: (scanLoss * fImPpm) / 1e6, maintenance: (scanLoss * fMmPpm) / 1e6 };",
        replace: "const scan = { initial: (scanLoss * fImPpm) / 2e6, maintenance: (scanLoss * fMmPpm) / 2e6 };",
      },
    ],
    seedsMax: 200,
  },
  {
    name: "closed-whole",
    mistake: "a liquidation closes the whole position, whatever is enough",
    edits: [
      {
        file: "core/liquidation-plan.ts",
        find: 'const quantity = leastClosing(position, market, "high", reached) ?? most;',
        replace: "const quantity = abs(position.quantity);",
      },
    ],
    seedsMax: 10,
  },
  {
    name: "attempts-without-end",
    mistake: "attempts are not counted, and none is the last",
    edits: [
      { file: LIQUIDATION, find: "if (call.attempt >= s.policy.attemptsMax) return end", replace: "if (call.attempt >= 1_000) return end" },
    ],
    seedsMax: 200,
  },
];
