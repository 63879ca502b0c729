import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { documents, longDocuments } from "./documents.ts";
import { judge } from "./judge.ts";
import { noParser } from "./tdlib.ts";

/** Another set of documents each time; a failure prints its seed. All 10,000: npm run bench -- markdown. */
const seed = Date.now() % 1_000_000;

function expectAllWell(markdown: string): void {
  expect(judge(markdown).problems).toEqual([]);
}

describe.skipIf(noParser !== undefined)(`generated documents, seed ${seed}`, () => {
  test("1,500 of them, whole and cut off, keep every letter, mark and fence in every form", () => {
    console.log(`documents of seed ${seed}`);
    fc.assert(fc.property(documents, expectAllWell), { numRuns: 1500, seed });
  }, 120_000);

  test("20 of them, far longer than a message, come in parts within Telegram's limits", () => {
    const options = { numRuns: 20, seed, endOnFailure: true };
    fc.assert(fc.property(longDocuments, expectAllWell), options);
  }, 120_000);

  test.each([
    ["a paragraph of one word", "x".repeat(100_000)],
    ["a paragraph of many words", "word `code` **bold** ".repeat(5000)],
    ["a heading as long as a book", `# ${"word ".repeat(10_000)}`],
    ["lines of code without a language", `\`\`\`\n${"a\n".repeat(100)}\`\`\``],
    ["a table of 3,000 rows", `| a | b |\n|---|---|\n${"| 1 | `x` |\n".repeat(3000)}`],
    ["a table of one enormous cell", `| a | b |\n|---|---|\n| ${"word ".repeat(10_000)} | 2 |`],
    [
      "a table of 30 columns",
      `|${" a |".repeat(30)}\n|${"---|".repeat(30)}\n|${" b |".repeat(30)}`,
    ],
    ["a list of 2,000 items", "1. item\n".repeat(2000)],
    ["a list with an enormous item", `- a\n- ${"word ".repeat(10_000)}\n\n  second\n- b`],
    ["a quote as long as a book", "> word word word word\n>\n".repeat(3000)],
    ["sixty quotes within each other", `${">".repeat(60)} deep`],
    ["a thousand quotes within each other", `${">".repeat(1000)} deep`],
    [
      "a list of fifty levels",
      Array.from({ length: 50 }, (_, at) => `${"  ".repeat(at)}- level ${at}`).join("\n"),
    ],
    ["a link as long as a message", `[${"word ".repeat(8000)}](https://example.com/)`],
    ["more marks than a message has", "**a** _b_ ".repeat(300)],
    ["emojis only", "👨‍👩‍👧".repeat(5000)],
    ["letters that are one letter", `a${"\u0301".repeat(10_000)}`],
  ])("%s", (_, markdown) => {
    expectAllWell(markdown);
  });
});
