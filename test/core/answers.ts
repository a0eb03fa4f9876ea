import { expect } from "vitest";
import type { Answer, Refused } from "../../core/statistics/answer.ts";

/** The value of an answer that must be given. */
export const figureOf = <Value>(answer: Answer<Value>): Value => {
  if (!answer.ok) throw new Error(`${answer.fault}: ${answer.detail}`);
  return answer.value;
};

/** The fault of an answer that must be refused; its words must say something. */
export const faultOf = (answer: Answer<unknown>): Refused => {
  if (answer.ok) throw new Error(`given: ${JSON.stringify(answer.value)}`);
  expect(answer.detail.length).toBeGreaterThan(20);
  return answer;
};
