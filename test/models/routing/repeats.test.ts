import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { createRepeatGuard } from "../../../src/models/routing/repeats.ts";

/** Characters that were said before the guard spoke up; undefined when it never did. */
function noticedAt(text: string, pieces: (at: number) => number = () => 4): number | undefined {
  const guard = createRepeatGuard();
  for (let at = 0; at < text.length;) {
    const end = Math.min(text.length, at + pieces(at));
    if (guard.push(text.slice(at, end))) return end;
    at = end;
  }
  return undefined;
}

const sentence = "The heron stands in the shallow water and waits for a fish to come. ";

describe("the guard against endless repetition", () => {
  test.each([
    ["one token", "ha"],
    ["one character", "-"],
    ["a line", "I am sorry, I cannot do that.\n"],
    ["a sentence", sentence],
    ["a hundred characters", sentence.padEnd(100, "x")],
  ])("notices %s for ever, within one and a half thousand characters", (_, piece) => {
    expect(noticedAt(piece.repeat(2000))).toBeLessThanOrEqual(1500);
  });

  test("notices it also when something sensible came before", () => {
    const before = Array.from({ length: 200 }, (_, i) => `${i} herons. `).join("");
    expect(noticedAt(before + "no ".repeat(1000))).toBeLessThan(before.length + 1500);
  });

  test("does not mind how the text is cut into pieces", () => {
    const text = sentence.repeat(40);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }), (sizes) => {
        const at = noticedAt(text, (from) => sizes[from % sizes.length] ?? 1);
        expect(at).toBeLessThanOrEqual(1200 + 200 + 700);
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ["a list of numbers", Array.from({ length: 900 }, (_, i) => `${i}\n`).join("")],
    ["rows of a table", Array.from({ length: 90 }, (_, i) => `| row ${i} | yes | no |\n`).join("")],
    ["a line across the page", `${sentence}\n${"-".repeat(300)}\n${sentence}`],
    ["a refrain", `${`${sentence}La la la. `.repeat(10)}And so on.`],
    ["a period of more than a hundred characters", sentence.padEnd(101, "x").repeat(30)],
  ])("lets %s pass", (_, text) => {
    expect(noticedAt(text)).toBeUndefined();
  });
});
