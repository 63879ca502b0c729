import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { createTaken } from "../../../src/models/routing/identifiers.ts";

function take(text: string): string {
  return createTaken().take(text);
}

const pem = [
  "-----BEGIN RSA PRIVATE KEY-----",
  "Proc-Type: 4,ENCRYPTED",
  "",
  "MIIEpAIBAAKCAQEA7bq+/9Zk3fJm0w==",
  "-----END RSA PRIVATE KEY-----",
].join("\n");

// Made up, in the forms that services give out. In pieces, so that nothing takes them for keys that leaked.
const key = {
  openai: ["sk", "proj", "T3BlbkFJ0a1b2c3d4e5f6g7h8i9j"].join("-"),
  anthropic: ["sk", "ant", "api03", "aB3dE5fG7hI9jK1lM3nO5pQ7rS9t"].join("-"),
  openrouter: ["sk", "or", "v1", "0123456789abcdef0123456789abcdef"].join("-"),
  github: ["ghp", "16C7e42F292c6912E7710c838347Ae178B4a"].join("_"),
  githubFine: ["github", "pat", "11ABCDEFG0abcdefghijkl", "mnopqrstuvwxyz0123456789ABCDEF"].join(
    "_",
  ),
  gitlab: ["glpat", "zYxWvUtSrQpOnMlKjIhG"].join("-"),
  slack: ["xoxb", "17653672481", "19874698323", "pdFZKVeTuE8sk7oOcHrzqqgy"].join("-"),
  aws: ["AKIA", "IOSFODNN7EXAMPLE"].join(""),
  google: ["AIza", "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"].join(""),
  hub: ["hf", "AbCdEfGhIjKlMnOpQrStUvWxYz01234567"].join("_"),
  npm: ["npm", "0123456789abcdefghijABCDEFGHIJ012345"].join("_"),
  stripe: ["sk", "live", "51H8xYzAbCdEfGhIjKlMnOpQr"].join("_"),
  stripeTest: ["pk", "test", "51H8xYzAbCdEfGhIjKlMnOpQr"].join("_"),
  bot: ["123456789:", "AAF9kz3Qx7mNpRsTuVwXyZ0123456789abc"].join(""),
  groq: ["gsk", "0a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t"].join("_"),
  mail: ["SG", "aB3dE5fG7hI9jK1lM3nO5p", "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9d"].join("."),
  jwt: [
    "eyJhbGciOiJIUzI1NiJ9",
    "eyJzdWIiOiIxMjM0NTY3ODkwIn0",
    "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
  ].join("."),
};

describe("an identifier is taken out of a text", () => {
  test.each([
    ["a card with spaces of print", "4111\u00a01111\u202f1111\u00a01111", "[card 1]"],
    ["a card with hyphens of print", "4111\u20111111\u20111111\u20111111", "[card 1]"],
    ["a phone with spaces of print", "+43\u00a0660\u00a01234567", "[phone 1]"],
    ["a card that is emphasised", "_4111111111111111_", "_[card 1]_"],
    ["an address that is emphasised", "_anna@example.com_", "[e-mail 1]_"],
  ])("%s", (_, text, taken) => {
    expect(take(text)).toBe(taken);
  });

  test.each([
    ["Visa", "4111 1111 1111 1111"],
    ["Visa in one piece", "4111111111111111"],
    ["Visa with hyphens", "4111-1111-1111-1111"],
    ["Mastercard", "5555 5555 5555 4444"],
    ["Mastercard of the second series", "2223 0031 2200 3222"],
    ["American Express", "3782 822463 10005"],
    ["Diners Club", "3056 930902 5904"],
    ["Discover", "6011 1111 1111 1117"],
    ["JCB", "3530 1113 3330 0000"],
  ])("a card's number: %s", (_, number) => {
    expect(take(`Pay with ${number}, please.`)).toBe("Pay with [card 1], please.");
    expect(take(`card:${number}`)).toBe("card:[card 1]");
  });

  test.each([
    ["4111 1111 1111 1111 12/27 123", "[card 1] 12/27 123"],
    ["4111 1111 1111 1111 123", "[card 1] 123"],
    ["exp 12 27 4111 1111 1111 1111", "exp 12 27 [card 1]"],
    ["2 4111111111111111 3", "2 [card 1] 3"],
  ])("a card's number among others: %s", (text, left) => {
    expect(take(text)).toBe(left);
  });

  test.each([
    ["Dutch", "NL91 ABNA 0417 1643 00"],
    ["German", "DE89 3704 0044 0532 0130 00"],
    ["Belgian", "BE68 5390 0754 7034"],
    ["British", "GB29 NWBK 6016 1331 9268 19"],
    ["French", "FR14 2004 1010 0505 0001 3M02 606"],
    ["Spanish", "ES91 2100 0418 4502 0005 1332"],
    ["Norwegian", "NO93 8601 1117 947"],
    ["Maltese", "MT84 MALT 0110 0001 2345 MTLC AST0 01S"],
  ])("an account's number: %s", (_, number) => {
    expect(take(`Send it to ${number} EUR 20.`)).toBe("Send it to [account 1] EUR 20.");
    expect(take(`IBAN ${number.replaceAll(" ", "")}.`)).toBe("IBAN [account 1].");
    expect(take(`${number.toLowerCase()} today`)).toBe("[account 1] today");
  });

  test.each([
    "me@example.com",
    "first.last+tag@mail.example.co.uk",
    "o_k-1@sub-domain.example.museum",
    "jörg.müller@bücher.example",
    "a@b.de",
    "me@a.b.example.org",
  ])("an e-mail address: %s", (address) => {
    expect(take(`Write to ${address}.`)).toBe("Write to [e-mail 1].");
    expect(take(`<${address}>, mailto:${address}`)).toBe("<[e-mail 1]>, mailto:[e-mail 1]");
  });

  test.each([
    ["Dutch", "06-12345678"],
    ["Dutch, in one piece", "0612345678"],
    ["Dutch, of a town", "(020) 123 45 67"],
    ["Dutch, from abroad", "+31 6 1234 5678"],
    ["from abroad, the old way", "0031 6 12345678"],
    ["German", "030 / 12345678"],
    ["German, mobile", "0151 23456789"],
    ["German, with the zero", "+49 (0) 30 123456"],
    ["British", "020 7946 0958"],
    ["British, mobile", "07700 900123"],
    ["British, with the zero", "+44 (0)20 7946 0958"],
    ["French", "06 12 34 56 78"],
    ["French, with dots", "06.12.34.56.78"],
    ["French, from abroad", "+33 6 12 34 56 78"],
    ["Italian", "06 1234 5678"],
    ["Spanish", "+34 612 345 678"],
    ["Polish", "+48 601 234 567"],
    ["Norwegian", "+47 22 33 44 55"],
    ["North American", "(415) 555-2671"],
    ["North American, with hyphens", "415-555-2671"],
    ["North American, with dots", "415.555.2671"],
    ["North American, long distance", "1-800-555-0199"],
    ["North American, from abroad", "+1 415 555 2671"],
    ["North American, all of it", "+1 (415) 555-2671"],
    ["Indian", "+91 98765 43210"],
    ["Japanese", "090-1234-5678"],
    ["Chinese", "+86 138 0013 8000"],
    ["Brazilian", "+55 (11) 91234-5678"],
    ["Australian", "0412 345 678"],
    ["E.164", "+4915123456789"],
  ])("a phone's number: %s", (_, number) => {
    expect(take(`Call ${number}.`)).toBe("Call [phone 1].");
    expect(take(`tel:${number}, or write`)).toBe("tel:[phone 1], or write");
  });

  test.each(Object.entries(key))("a key: %s", (_, value) => {
    expect(take(`The key is ${value}.`)).toBe("The key is [key 1].");
    expect(take(`KEY="${value}"`)).toBe('KEY="[key 1]"');
    expect(take(`Authorization: Bearer ${value}\n`)).toBe("Authorization: Bearer [key 1]\n");
  });

  test("a private key in a file, as it is and within JSON", () => {
    expect(take(`Here:\n${pem}\nThanks.`)).toBe("Here:\n[key 1]\nThanks.");
    expect(take(JSON.stringify({ pem }))).toBe('{"pem":"[key 1]"}');
    const open = pem.replaceAll("RSA", "OPENSSH");
    expect(take(`${pem}\n${open}`)).toBe("[key 1]\n[key 2]");
  });

  test("several of them, each by its kind and number, counted as often as they are met", () => {
    const taken = createTaken();
    const text = "me@x.org or you@x.org, 06-12345678, 4111111111111111, me@x.org";
    expect(taken.take(text)).toBe("[e-mail 1] or [e-mail 2], [phone 1], [card 1], [e-mail 1]");
    expect(taken.take("you@x.org")).toBe("[e-mail 2]");
    expect(taken.count()).toBe(6);
  });
});

describe("no identifier is", () => {
  test.each([
    ["a date", "On 01-02-2024 10:30, 03/04/2025 12:00 and 05.06.2024 08:15."],
    ["an ISO date", "2024-01-02T03:04:05.678+0200, 2024-01-02 03:04:05 and 20240102030405"],
    ["a file's name with a date", "report-2024-01-02-153045.pdf"],
    ["a moment in milliseconds", "1732345678901 1700000000004 1732345678"],
    ["a version", "1.2.3, v0.10.1234, node@24.21.0, vite@5.10.12-beta.1, 0.0.0-20240102"],
    ["an ISBN", "ISBN 978-3-16-148410-0, 9780306406157, 0-306-40615-2, ISBN 0306406152"],
    ["an order's number", "Order #0012345678, invoice 2024-000123456, RMA-00123456789"],
    ["a long number", "12345678901234567890123 and 1234567890123"],
    ["an IP address", "10.0.0.138, 192.168.100.200:8080, 127.000.000.001, 010.020.030.040"],
    ["an IPv6 address", "fe80::0216:3eff:fe01:0203, 2001:0db8:0000:0000:0000:0000:0000:0001"],
    ["a UUID", "550e8400-e29b-41d4-a716-446655440000 00000000-0000-0000-0000-000000000000"],
    ["a hash", "sha256:b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"],
    ["code", "const skillfulness_of_everything = npm_config_ignore_scripts_value - 0x0123456789;"],
    [
      "a name in code",
      "sketching-of-the-old-house-by-the-river pkcs12-certificate-store hf-transfer",
    ],
    ["a command", "npm-run-all --parallel build:* && git clone --depth 1 --branch v1.2.3"],
    ["a decorator or a scope", "@types/node, @app.route('/x'), a @ b, user@localhost"],
    [
      "maths",
      "3.14159265358979, 0.3333333333333333, 2^64 = 18446744073709551616, 1e-10, 6.02214076e23",
    ],
    ["a sum", "1 234 567 890 + 1234567890 = 2,469,135,780; 0.1 + 0.2; x = -0.000001234567"],
    ["binary", "0100 1000 0110 0101 0110 1100 and 0b0101010101010101"],
    ["a size", "1024x768, 00:01:02,345 --> 00:03:04,567, 100 000 000 bytes, 640-480"],
    ["coordinates", "52.3702157, 4.8951679; 40.712776, -74.005974"],
    ["markdown", "| --- | ---- |\n- [ ] 0. one\n- [x] 1. two\n## 2.10 three"],
    ["a line of hyphens", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"],
    ["capitals", "THIS IS AB12 THAT WERE HERE FROM NL91 WITH MANY MORE WORDS"],
  ])("%s", (_, text) => {
    expect(take(text)).toBe(text);
  });
});

describe("what was taken", () => {
  const texts = [
    "me@example.com",
    "4111 1111 1111 1111",
    "NL91 ABNA 0417 1643 00",
    "+31 6 1234 5678",
    key.github,
    pem,
  ];

  test("is put back, and what merely looks like a placeholder stays", () => {
    const taken = createTaken();
    taken.take(texts.join(" and "));
    expect(taken.restore("[e-mail 1], [card 1], [account 1], [phone 1], [key 1], [key 2]")).toBe(
      [...texts.slice(0, 4), key.github, pem].join(", "),
    );
    for (const text of ["[e-mail 9]", "[card]", "[1]", "[x] [ ]", "[key 1", "a[0]"]) {
      expect(taken.restore(text)).toBe(text);
    }
  });

  const sample = fc
    .array(
      fc.oneof(
        fc.constantFrom(...texts),
        fc.constantFrom("[", "]", "[card 7]", "[e-mail", "- [ ] ", "a[i]", "\n", "[[", "漢字"),
        fc.string({ unit: "binary" }),
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join(" "));

  test("comes back whole from any text", () => {
    fc.assert(
      fc.property(sample, (text) => {
        const taken = createTaken();
        // A text that holds a placeholder of its own is told apart from what was taken by nobody.
        fc.pre(!/\[(card|e-mail|account|phone|key) \d+\]/.test(text.replaceAll("[card 7]", "")));
        expect(taken.restore(taken.take(text))).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  test("comes back from an answer however that is cut into pieces", () => {
    const pieces = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(sample, pieces, (text, sizes) => {
        const taken = createTaken();
        taken.take(texts.join(" "));
        const answer = taken.take(text);
        const stream = taken.stream();
        let heard = "";
        for (let at = 0, i = 0; at < answer.length; i += 1) {
          const end = at + (sizes[i % sizes.length] ?? 1);
          heard += stream.push(answer.slice(at, end));
          at = end;
        }
        expect(heard + stream.end()).toBe(taken.restore(answer));
        expect(stream.end()).toBe("");
      }),
      { numRuns: 300 },
    );
  });

  test("is not held back for longer than a placeholder could be, and not at all where nothing was taken", () => {
    const taken = createTaken();
    expect(taken.stream().push("see [")).toBe("see [");
    taken.take("me@example.com");
    const stream = taken.stream();
    expect(stream.push("see [e-mail 1")).toBe("see ");
    expect(stream.push("] and [a link that is far too long")).toBe(
      "me@example.com and [a link that is far too long",
    );
  });
});

describe("texts within a value", () => {
  const input = {
    to: "me@example.com",
    card: 4_111_111_111_111_111,
    at: 1_732_345_678_901,
    files: [{ name: "key.pem", text: pem }, null, true],
    "06-12345678": "a key of the value",
  };

  test("are taken out, and put back into what a model makes of them", () => {
    const taken = createTaken();
    expect(taken.takeValue(input)).toEqual({
      to: "[e-mail 1]",
      card: "[card 1]",
      at: 1_732_345_678_901,
      files: [{ name: "key.pem", text: "[key 1]" }, null, true],
      "[phone 1]": "a key of the value",
    });
    expect(taken.take(`${pem} me@example.com`)).toBe("[key 1] [e-mail 1]");
    expect(taken.restoreValue({ text: "Mine:\n[key 1]", to: ["[e-mail 1]"], n: 1 })).toEqual({
      text: `Mine:\n${pem}`,
      to: ["me@example.com"],
      n: 1,
    });
  });

  test("come back whole from any value, with the spaces and hyphens of a keyboard", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
        const taken = createTaken();
        const text = JSON.stringify({ value, pem });
        fc.pre(!/\[(card|e-mail|account|phone|key) \d+\]/.test(text));
        const plain = text.replaceAll(/[\u00a0\u2007-\u200a\u202f]/g, " ");
        // As a model's input comes: JSON knows no negative zero.
        const given: unknown = JSON.parse(text);
        expect(taken.restoreValue(taken.takeValue(given))).toEqual(
          JSON.parse(plain.replaceAll(/[\u2010-\u2012]/g, "-")),
        );
      }),
      { examples: [[[{ "": "\u00a0" }]], [{ "\u2011": 1 }]] },
    );
  });
});
