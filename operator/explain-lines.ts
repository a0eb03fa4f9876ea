import type * as z from "zod";

import type { whatIfReply } from "../adapters/wire/api.ts";

type Reply = z.input<typeof whatIfReply>;
type Side = Reply["before"];

/** A table as text: the first column to the left, the others to the right. */
const table = (rows: readonly (readonly string[])[]): string[] => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  ")}`.trimEnd(),
  );
};

const percent = (ppm: string | null): string => (ppm === null ? "no requirement" : `${(Number(ppm) / 10_000).toFixed(2)} %`);

const figures = (sides: readonly Side[]): string[] => {
  const row = (name: string, of: (side: Side) => string): string[] => [name, ...sides.map(of)];
  return table([
    row("", (side) => (side === sides[0] ? "as it is" : "what if")),
    row("level", ({ level }) => level),
    row("headroom", ({ headroomPpm }) => percent(headroomPpm)),
    row("equity for IM", ({ statement }) => statement.low.equityInitial),
    row("initial requirement", ({ statement }) => statement.low.initial),
    row("equity for MM", ({ statement }) => statement.low.equityMaintenance),
    row("maintenance requirement", ({ statement }) => statement.low.maintenance),
    row("amount due", ({ amountDue }) => amountDue),
    row("marks", ({ statement }) => statement.quality),
  ]);
};

const cureWords = ({ kind, side, quantity, instrumentId, amount, asset }: Side["cures"][number]): string => {
  if (kind === "cancel_orders") return "cancel every open order";
  return kind === "deposit" ? `deposit ${amount} ${asset}` : `${kind === "hedge" ? "hedge: " : ""}${side} ${quantity} ${instrumentId}`;
};

const detail = ({ statement, boundBy, cures }: Side): string[] => {
  const lines: string[] = [];
  const add = (title: string, rows: readonly (readonly string[])[]): void => {
    if (rows.length > 1) lines.push("", title, ...table(rows));
  };
  add("requirement, part by part", [
    ["part", "initial", "maintenance", ""],
    ...statement.components.map(({ name, initial, maintenance }) => [name, initial, maintenance, name === boundBy ? "binds" : ""]),
  ]);
  for (const { kind, unit, binding, rows, parts } of statement.scenarios) {
    const what = kind === "grid" ? `scenarios of ${unit}` : "joint scenarios: the tail, the worst first, and the stresses";
    add(`${what}: profit or loss in ${statement.valuationAsset}`, [
      ["scenario", "profit", ""],
      ...rows.map(({ name, profit }) => [name, profit, kind === "grid" && name === binding ? "loses most" : ""]),
    ]);
    add(`of it by instrument, in ${binding}`, [["instrument", "profit"], ...parts.map((part) => [part.instrumentId, part.profit])]);
  }
  add("positions", [
    ["instrument", "quantity", "entry", "price", "mark", "notional", "unrealised", "in"],
    ...statement.legs.map((leg) => [
      ...[leg.instrumentId, leg.quantity, leg.entryPrice, leg.price, leg.quality],
      ...[leg.notional, leg.unrealised, leg.settleAsset],
    ]),
  ]);
  add("collateral", [
    ["asset", "wallet", "reserved", "unrealised", "price", "mark"],
    ...statement.collateral.map((one) => [one.asset, one.wallet, one.reserved, one.unrealised, one.price ?? "none", one.quality]),
  ]);
  add("cures, each alone, the cheapest first", [
    ["cure", `cost in ${statement.valuationAsset}`],
    ...cures.map((cure) => [cureWords(cure), cure.cost]),
  ]);
  return lines;
};

/** The answer for a person. Amounts are in the valuation asset, on the cautious side of R3. @param asked whether there was a question. */
export const linesOfWhatIf = (reply: Reply, asked: boolean): readonly string[] => {
  const { accountId, policyId, policyVersion, versions, before, after, pools } = reply;
  const { at, valuationAsset } = before.statement;
  const instruments = Object.entries(versions.instruments).map(([id, version]) => `${id} v${version}`);
  return [
    `${accountId} on the marks of ${at}, in ${valuationAsset}, on the cautious side`,
    "",
    ...figures(asked ? [before, after] : [before]),
    ...detail(asked ? after : before),
    ...pools.flatMap((pool) => [
      "",
      `isolated pool of ${pool.instrumentId}`,
      "",
      ...figures(asked ? [pool.before, pool.after] : [pool.before]),
      ...detail(asked ? pool.after : pool.before),
    ]),
    "",
    `policy ${policyId} v${policyVersion}; snapshot ${versions.snapshotId}; release ${versions.release}; ${instruments.join(", ")}`,
  ];
};
