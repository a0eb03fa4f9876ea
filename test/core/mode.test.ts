import { expect, test } from "vitest";
import { type Mode, modeOf } from "../../core/mode.ts";

test.each<[broker: string, clientClass: string, mode: Mode]>([
  ["unnamed", "unnamed", "observe"],
  ["live", "unnamed", "enforce"],
  ["live", "retail", "notify"],
  ["unnamed", "retail", "notify"],
  ["careful", "retail", "observe"],
])("R28: the lowest mode that names broker %s or class %s: %s", (brokerId, clientClass, mode) => {
  const modes = { default: "observe", brokers: { live: "enforce", careful: "observe" }, clientClasses: { retail: "notify" } } as const;
  expect(modeOf(modes, { brokerId, clientClass })).toBe(mode);
});
