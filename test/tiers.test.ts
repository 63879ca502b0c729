import { expect, test } from "vitest";

import { tierOf } from "../src/core/route.ts";

test.each([
  ["fast", "local-fast"],
  ["smart", "local-smart"],
  ["cloud", "cloud-smart"],
  ["local-smart", "local-smart"],
])("the word %s means %s", (word, tier) => {
  expect(tierOf(word)).toBe(tier);
});

test("an unknown tier is refused with the known words", () => {
  expect(() => tierOf("huge")).toThrow('There is no tier "huge": use one of fast, smart, cloud');
});
