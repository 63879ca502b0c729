import { expect, test } from "vitest";

import { createTaken } from "../../../src/models/routing/identifiers.ts";

// Each would take minutes if any pattern had to look at it more than a few times over.
test.each([
  ["digits", "1"],
  ["fours", "4"],
  ["spaced digits", "4 1 "],
  ["at signs", "@"],
  ["hyphens", "-"],
  ["letters", "a"],
  ["letters and hyphens", "a-"],
  ["letters and dots", "a."],
  ["addresses without an end", "a@a."],
  ["beginnings of keys", "sk-"],
  ["beginnings of tokens", "eyJaaaaaaaaaa-"],
  ["halves of tokens", "eyJaaaaaaaaaa."],
  ["beginnings of private keys", "-----BEGIN PRIVATE KEY-----\n"],
  ["beginnings of beginnings", "-----BEGIN A "],
  ["beginnings of accounts", "NL91 "],
  ["accounts that are none", "NL91ABNA0417164301 "],
  ["beginnings of phones", "0 "],
  ["phones that are none", "+0 (0) "],
  ["brackets", "(0"],
  ["placeholders", "[card 1] ["],
])("a hundred kilobytes of %s are no trouble", (_, piece) => {
  const text = piece.repeat(Math.ceil(100_000 / piece.length));
  const taken = createTaken();
  expect(taken.restore(taken.take(text))).toBe(text);
});
