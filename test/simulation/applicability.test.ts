import { expect, test } from "vitest";

import { JUDGED, NOT_APPLICABLE } from "../../simulation/command/applicability.ts";

const ALL = (
  "I01 I02 I03 I04 I05 I06 I07 I08 I09 I10 I11 I12 I13 I14 I15 I16 I17 I18 I19 I20 I21 I22 I23 I24 I25 I26 I27 I28 " +
  "L01 L02 L03 L04 L05 L06 L07 L08 L09 L10 L11 L12"
).split(" ");

test("every property is judged by seeds or is listed as not applicable with its reason, and none is both", () => {
  expect([...Object.keys(JUDGED), ...Object.keys(NOT_APPLICABLE)].sort()).toEqual(ALL);
  for (const reason of Object.values(NOT_APPLICABLE)) expect(reason.length).toBeGreaterThan(20);
});
