import { describe, expect, it } from "vitest";

import { decimal, money, price, quantity } from "../../core/money.ts";
import { blackThursday } from "../../local/feed/black-thursday.ts";
import { type Reaction, react, reactionTo } from "../../local/holders.ts";
import { marketOf } from "../../local/market.ts";
import { createVenue, type Venue } from "../../local/venue.ts";
import { CALL_ID, callView, DEADLINE_AT, event, ISSUED_AT } from "./fixtures.ts";

const NOW = ISSUED_AT + 60_000;

const numbered = (index: number) => event({ call: callView({ callId: `MC-ABCDEFGHIJKL-${index}` }) });
const reactions = Array.from({ length: 1_000 }, (_, index) => reactionTo(numbered(index + 1), 1));

describe("what holders make of a call", () => {
  it("is the same for the same seed and call, whatever came before", () => {
    expect(reactionTo(numbered(7), 1)).toEqual(reactions[6]);
    expect(Array.from({ length: 1_000 }, (_, index) => reactionTo(numbered(index + 1), 2))).not.toEqual(reactions);
  });

  it("lets some pay, pay in part, trade down, leave, and about a third do nothing", () => {
    const share = (kind: Reaction["kind"] | null): number => reactions.filter((one) => (one?.kind ?? null) === kind).length / 1_000;
    expect(share("pay")).toBeCloseTo(0.4, 1);
    expect(share("payPart")).toBeCloseTo(0.1, 1);
    expect(share("reduce")).toBeCloseTo(0.12, 1);
    expect(share("leave")).toBeCloseTo(0.05, 1);
    expect(share(null)).toBeCloseTo(0.33, 1);
  });

  it("acts between the notice and the deadline, one in ten within the last ten seconds", () => {
    const at = reactions.filter((one) => one !== null).map((one) => one.at);
    expect(at.every((instant) => instant > ISSUED_AT && instant < DEADLINE_AT)).toBe(true);
    const late = at.filter((instant) => instant >= DEADLINE_AT - 10_000).length / at.length;
    expect(late).toBeGreaterThan(0.05);
    expect(late).toBeLessThan(0.15);
  });

  it("hears nothing in other events", () => {
    expect(reactionTo(event({ type: "margin_call.updated" }), 1)).toBeNull();
    expect(reactionTo(event({ call: null }), 1)).toBeNull();
  });
});

const venueWith = (held: string): Venue => {
  const venue = createVenue(marketOf(blackThursday().series), 1);
  venue.show(new Map([["BTC-PERP", price("7400")]]));
  const contact = { email: "a1@meridian.example", name: null, timeZone: "UTC", locale: "en", antiPhishingCode: null };
  const positions = [{ instrumentId: "BTC-PERP", quantity: quantity(held), entryPrice: price("7935") }];
  const balances = new Map([["USDT", money("1000")]]);
  venue.open({ accountId: "A1", brokerId: "meridian", clientClass: "retail", policyId: "standard", balances, positions, contact }, NOW);
  return venue;
};

const reaction = (changes: Partial<Reaction>): Reaction => ({
  callId: CALL_ID,
  accountId: "A1",
  at: NOW,
  kind: "pay",
  sharePpm: 500_000,
  inCoin: false,
  ...changes,
});

const isolatedVenue = (cash: string): Venue => {
  const venue = venueWith("2");
  venue.show(new Map([["ETH-PERP", price("190")]]));
  const positions = [
    { instrumentId: "BTC-PERP", quantity: quantity("2"), entryPrice: price("7935") },
    { instrumentId: "ETH-PERP", quantity: quantity("3"), entryPrice: price("195") },
  ];
  const contact = { email: "a1@meridian.example", name: null, timeZone: "UTC", locale: "en", antiPhishingCode: null };
  const holdings = { balances: new Map([["USDT", money(cash)]]), positions, pools: new Map([["BTC-PERP", money("500")]]) };
  venue.open({ accountId: "A1", brokerId: "meridian", clientClass: "retail", policyId: "standard", ...holdings, contact }, NOW);
  return venue;
};

const outcome = (changes: Partial<Reaction>, call = callView(), venue = venueWith("2")) =>
  react(reaction(changes), call, venue, NOW).flatMap(({ entries }) =>
    entries.map((fact) => {
      if (fact.kind === "pool_transfer") return `pool ${fact.instrumentId} ${decimal(fact.amount)}`;
      if (fact.kind === "deposit") return `${fact.asset} ${decimal(fact.amount)}`;
      return fact.kind === "fill" ? `${fact.instrumentId} ${decimal(fact.quantity)}` : fact.kind;
    }),
  );

describe("how a reaction is carried out", () => {
  it.each([
    ["pays what is outstanding", { kind: "pay" as const }, callView({ metAmount: "20", outstanding: "100.5" }), ["USDT 100.5"]],
    ["pays in a coin that the call offers", { kind: "pay" as const, inCoin: true }, callView(), ["BTC 0.02"]],
    [
      "pays the rest in cash after a first payment",
      { kind: "pay" as const, inCoin: true },
      callView({ metAmount: "20", outstanding: "100.5" }),
      ["USDT 100.5"],
    ],
    ["pays a share, rounded up", { kind: "payPart" as const, sharePpm: 333_333 }, callView(), ["USDT 40.1666265"]],
    ["closes what the call names", { kind: "reduce" as const }, callView(), ["BTC-PERP -0.3"]],
    ["closes everything", { kind: "leave" as const }, callView(), ["BTC-PERP -2"]],
    ["does nothing once the call has ended", { kind: "pay" as const }, callView({ status: "MET" }), []],
    ["does nothing when nothing is outstanding", { kind: "pay" as const }, callView({ outstanding: "0" }), []],
  ])("%s", (_, changes, call, facts) => {
    expect(outcome(changes, call)).toEqual(facts);
  });

  const pool = callView({ scope: "ISO#BTC-PERP", cures: [{ kind: "reduce", instrumentId: "BTC-PERP", side: "sell", quantity: "0.3" }] });
  it.each([
    ["moves cash of CROSS into the pool", { kind: "pay" as const }, "1000", pool, ["pool BTC-PERP 120.5"]],
    ["pays in first what CROSS does not have", { kind: "pay" as const }, "120.49", pool, ["USDT 120.5", "pool BTC-PERP 120.5"]],
    ["pays in by habit", { kind: "pay" as const, inCoin: true }, "1000", pool, ["USDT 120.5", "pool BTC-PERP 120.5"]],
    ["closes what the pool's call names", { kind: "reduce" as const }, "1000", pool, ["BTC-PERP -0.3"]],
    ["leaves the pool, and CROSS as it is", { kind: "leave" as const }, "1000", pool, ["BTC-PERP -2"]],
    ["leaves CROSS, and the pool as it is", { kind: "leave" as const }, "1000", callView(), ["ETH-PERP -3"]],
  ])("of a pool's call: %s", (_, changes, cash, call, facts) => {
    expect(outcome(changes, call, isolatedVenue(cash))).toEqual(facts);
  });
});
