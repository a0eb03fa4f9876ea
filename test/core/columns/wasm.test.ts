import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import wabt from "wabt";

import { LINEAR_SUMS_WASM } from "../../../core/columns/linear-sums-wasm.ts";
import { SCENARIOS_WASM } from "../../../core/columns/scenarios-wasm.ts";
import { growTo, memoryOf, runEnd } from "../../../core/columns/wasm.ts";

test.each([
  ["linear-sums.wat", LINEAR_SUMS_WASM],
  ["scenarios.wat", SCENARIOS_WASM],
])("the bytes are what %s compiles to", async (name, bytes) => {
  const text = readFileSync(join(import.meta.dirname, "../../../core/columns", name), "utf8");
  const { buffer } = (await wabt()).parseWat(name, text, { simd: true }).toBinary({});
  expect(bytes).toBe(Buffer.from(buffer).toString("base64"));
});

describe("a memory", () => {
  test("has whole pages of 64 KiB, grows when it must, and keeps what it holds", () => {
    const memory = memoryOf(65_537);
    expect(memory.buffer.byteLength).toBe(131_072);
    new Uint8Array(memory.buffer)[131_071] = 7;
    for (const [bytes, size] of [
      [1, 131_072],
      [131_072, 131_072],
      [131_073, 196_608],
      [500_000, 524_288],
      [65_536, 524_288],
    ] as const) {
      growTo(memory, bytes);
      expect([bytes, memory.buffer.byteLength, new Uint8Array(memory.buffer)[131_071]]).toEqual([bytes, size, 7]);
    }
  });

  test("that no machine has is refused", () => expect(() => growTo(memoryOf(1), 2 ** 33)).toThrow(RangeError));
});

describe("a run of accounts", () => {
  const offsets = Int32Array.of(0, 2, 2, 5, 12, 13);
  test.each([
    ["as many accounts as fit", 0, { accounts: 2, positions: 100 }, 2],
    ["as many positions as fit", 0, { accounts: 100, positions: 5 }, 3],
    ["one position too few", 0, { accounts: 100, positions: 4 }, 2],
    ["one that does not fit, alone", 3, { accounts: 100, positions: 3 }, 4],
    ["up to the end", 3, { accounts: 100, positions: 100 }, 5],
  ])("%s", (_words, first, room, end) => expect(runEnd(offsets, first, room)).toBe(end));
});
