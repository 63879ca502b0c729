import { inspect } from "node:util";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { createRedactor } from "../../src/core/redact.ts";
import { createSecret } from "../../src/core/secret.ts";

const value = 'pa"ss/wörd+1 ?';

function redactorOf(...values: string[]) {
  const redactor = createRedactor();
  for (const one of values) redactor.add(createSecret("TEST_KEY", one));
  return redactor;
}

describe("a secret", () => {
  const secret = createSecret("TEST_KEY", value);

  test.each([
    ["text", () => String(secret)],
    ["a call of toString", () => secret.toString()],
    ["a sum", () => ["", secret].join("+")],
    ["JSON", () => JSON.stringify({ secret })],
    ["an inspection", () => inspect(secret, { showHidden: true, depth: 9 })],
    ["an inspection of its holder", () => inspect({ deep: { secret } }, { depth: 9 })],
    ["an error's cause", () => inspect(new Error("failed", { cause: secret }))],
    ["its entries", () => inspect(Object.entries({ ...secret }).map(String))],
    ["a table of an object", () => inspect(structuredCloneOf(secret))],
  ])("is not seen in %s", (_, print) => {
    expect(print()).not.toContain("ss/w");
  });

  test("is given to who asks for it", () => {
    expect(secret.reveal()).toBe(value);
  });
});

/** What a copy of its plain data has. */
function structuredCloneOf(secret: object): unknown {
  return JSON.parse(JSON.stringify(secret));
}

describe("the redactor", () => {
  const encodings: readonly [string, (text: string) => string][] = [
    ["as it is", (text) => text],
    ["in JSON", (text) => JSON.stringify(text)],
    ["in JSON within JSON", (text) => JSON.stringify(JSON.stringify(text))],
    ["in an address", (text) => `https://host/?key=${encodeURIComponent(text)}`],
    ["in a form", (text) => new URLSearchParams({ key: text }).toString()],
    ["in hexadecimal", (text) => Buffer.from(text).toString("hex")],
    ["in base64", (text) => Buffer.from(text).toString("base64")],
    ["in base64 after one byte", (text) => Buffer.from(`x${text}y`).toString("base64")],
    ["in base64 after two bytes", (text) => Buffer.from(`xx${text}`).toString("base64")],
    ["in base64url", (text) => Buffer.from(text).toString("base64url")],
    [
      "with a user's name in basic authentication",
      (text) => btoa(`me:${unescape(encodeURIComponent(text))}`),
    ],
  ];

  test.each(encodings)("finds a value %s", (_, encode) => {
    const clean = redactorOf(value).redact(`before ${encode(value)} after`);
    expect(clean).toContain("[secret]");
    expect(clean).not.toContain(encode(value).slice(-9, -2));
  });

  test("finds each line of a key of several lines", () => {
    const pem =
      "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\n9w0BAQEFAASCBKcwggSj\n-----END KEY-----";
    const redactor = redactorOf(pem);
    expect(redactor.redact(pem)).toBe("[secret]");
    expect(redactor.redact("it says 9w0BAQEFAASCBKcwggSj here")).toBe("it says [secret] here");
  });

  test("takes the longer of two values of which one holds the other", () => {
    expect(redactorOf("abcdef", "abcdefghij").redact("abcdefghij")).toBe("[secret]");
  });

  test("looks for no value that is shorter than six characters", () => {
    expect(redactorOf("on").redact("on and on")).toBe("on and on");
  });

  test("redacts keys and values of data, however deep", () => {
    const data = { a: [{ [value]: `x ${value}` }], n: 1, none: null };
    expect(redactorOf(value).redactValue(data)).toEqual({
      a: [{ "[secret]": "x [secret]" }],
      n: 1,
      none: null,
    });
  });

  test("finds a value in a stream however it is cut, and loses nothing else", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.array(fc.nat(30), { maxLength: 40 }),
        (a, b, cuts) => {
          const redactor = redactorOf(value, "sk-ant-1234567890");
          const text = `${a}${value}${b}sk-ant-1234567890${a}`;
          const stream = redactor.stream();
          let [at, clean] = [0, ""];
          for (const cut of cuts) {
            clean += stream.push(text.slice(at, at + cut));
            at += cut;
          }
          clean += stream.push(text.slice(at)) + stream.end();
          expect(clean).toBe(redactor.redact(text));
        },
      ),
    );
  });

  test.each([
    [
      "one is the beginning of another",
      ["abcdef", "abcdefghij"],
      ["see abcdef", "ghij!"],
      "see [secret]!",
    ],
    [
      "the end of one begins another",
      ["xxxabc", "abcdefgh"],
      ["see xxxabc", " only"],
      "see [secret] only",
    ],
    ["a beginning comes to nothing", ["abcdefgh"], ["see abcd", "xyz"], "see abcdxyz"],
    ["the stream ends within one", ["abcdef", "abcdefghij"], ["see abcdef"], "see [secret]"],
    ["a stream is broken off within one", ["abcdefghijkl"], ["see abcd", "efgh"], "see [secret]"],
  ])("in a stream nothing is shown where %s", (_, values, pieces, clean) => {
    const stream = redactorOf(...values).stream();
    expect(pieces.map((piece) => stream.push(piece)).join("") + stream.end()).toBe(clean);
  });

  test("without a secret, text goes through a stream as it comes", () => {
    const stream = createRedactor().stream();
    expect([stream.push("a"), stream.push("b"), stream.end()]).toEqual(["a", "b", ""]);
  });
});
