import { Readable } from "node:stream";

import { describe, expect, test } from "vitest";

import { readWords, type WordSource } from "../../src/cli/words.ts";

function piped(...pieces: (string | Buffer)[]): WordSource {
  return Object.assign(Readable.from(pieces), { isTTY: false });
}

const terminal: WordSource = Object.assign(Readable.from([]), { isTTY: true });

describe("the words of a request", () => {
  test("arguments are joined", async () => {
    expect(await readWords(["What", "day", "is it?"], terminal)).toBe("What day is it?");
  });

  test("standard input is read where there are no words", async () => {
    expect(await readWords([], piped("Grüße\n"))).toBe("Grüße");
  });

  test("a dash adds standard input to the words", async () => {
    expect(await readWords(["Explain", "-"], piped("diff"))).toBe("Explain\n\ndiff");
  });

  test("words alone never wait for standard input", async () => {
    const open: WordSource = Object.assign(new Readable({ read() {} }), { isTTY: false });
    expect(await readWords(["Hello"], open)).toBe("Hello");
  });

  test.each([[[]], [[" "]], [["-"]]])("nothing to answer is one sentence (%j)", async (args) => {
    await expect(readWords(args, piped(" \n"))).rejects.toThrow("There is nothing to answer");
  });

  test("10 MB are refused", async () => {
    const megabyte = "x".repeat(1_000_000);
    const input = piped(...Array.from({ length: 10 }, () => megabyte));
    await expect(readWords([], input)).rejects.toThrow("at most 1 MB fit");
  });

  test.each([
    ["a NUL", Buffer.from("ab\0c"), 2],
    ["broken UTF-8", Buffer.from([0x61, 0xc3, 0x28]), 1],
    ["a PNG", Buffer.from([0x89, 0x50, 0x4e, 0x47]), 0],
  ])("%s is not text", async (_, bytes, offset) => {
    await expect(readWords([], piped(bytes))).rejects.toThrow(`byte ${offset} is not UTF-8`);
  });
});
