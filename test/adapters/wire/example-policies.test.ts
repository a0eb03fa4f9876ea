import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { policyBody } from "../../../adapters/wire/policy.ts";
import { decimal } from "../../../core/money.ts";
import type { Policy } from "../../../core/policy.ts";
import { assess } from "../../../core/statement.ts";
import { accountOf, contract, leg, NOW, snapshotOf, spot } from "../../core/margin-fixtures.ts";
import { modelTable } from "../../core/models-page.ts";

const ROOT = join(import.meta.dirname, "../../..");
const FOLDER = join(ROOT, "examples/policies");
const MODELS = join(ROOT, "docs/reference/models");

const policyIn = (file: string): Policy => policyBody.parse({ ...JSON.parse(readFileSync(join(FOLDER, file), "utf8")), version: 1 });

const MARKET = snapshotOf(
  [contract("BTC-PERP"), contract("ETH-PERP", { baseAsset: "ETH" }), spot("BTC-USDT", "BTC"), spot("ETH-USDT", "ETH")],
  {
    ...{ "BTC-PERP": "60000", "ETH-PERP": "3000", "BTC-USDT": "60000", "ETH-USDT": "3000" },
  },
);
const LONG = accountOf({ USDT: "50000" }, [leg("BTC-PERP", "1", "60000")]);
const PAIR = accountOf({ USDT: "50000" }, [leg("BTC-PERP", "1", "60000"), leg("ETH-PERP", "-20", "3000")]);

describe("the policies of examples/policies", () => {
  test("are read as PUT /policies reads them, and require what the page of the models says", () => {
    const rows = readdirSync(FOLDER).map((file) => {
      const policy = policyIn(file);
      const { model } = policy;
      const kind = model.kind === "standard" ? "standard" : `portfolio${model.statistical === null ? "" : ", joint scenarios"}`;
      const required = [LONG, PAIR].map((account) => decimal(assess(account, MARKET, policy, NOW).high.maintenance));
      return [policy.policyId, kind, ...required];
    });
    expect(modelTable("README.md", "policy").map(([link = "", ...cells]) => [link.replace(/^\[(.*)\]\(.*\)$/, "$1"), ...cells])).toEqual(
      rows,
    );
  });

  test("the page of the models names every model's page once", () => {
    const page = readFileSync(join(MODELS, "README.md"), "utf8");
    const pages = readdirSync(MODELS).filter((name) => name !== "README.md");
    expect(pages.filter((name) => page.split(`](${name})`).length !== 2)).toEqual([]);
  });
});
