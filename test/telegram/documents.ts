import fc from "fast-check";

const word = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      "word",
      "the",
      "R&D",
      "snake_case",
      "C++",
      "a.b",
      "1.",
      "2)",
      "x=y",
      "5%",
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "привет",
      "你好",
      "“你好”",
      "שלום",
      "مرحبا",
      "👍🏽",
      "👨‍👩‍👧",
      "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
      "e\u0301",
      "a\u030A",
      "\u202Eabc",
      "\u200B",
      "\u00A0",
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "*",
      "_",
      "**",
      "__",
      "~~",
      "~",
      "`",
      "``",
      "[",
      "]",
      "(",
      ")",
      "<",
      ">",
      "!",
      "#",
      "|",
      "||",
      "==",
      "$",
      "$$",
      "\\",
      "&amp;",
      "&#42;",
      "&lt;b&gt;",
      "^",
      "[^1]",
      "-",
      "+",
      ":",
      "---",
      "===",
      "&nbsp;",
      "&#x202e;",
      "\\*",
      "\\",
      "\u0000",
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "https://example.com/a_b_c?x=1&y=2",
      "<https://example.org/>",
      "<b>",
      "</b>",
      "<br>",
      '<img src="http://x.y/z.png">',
      "user@example.com",
      "http://nas:5000/x",
      "@name",
      "/start",
      "#tag",
      "tg://user?id=1",
      "www.example.com",
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 8 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 4 }) },
);

const target = fc.constantFrom(
  "https://example.com/",
  "http://a.b/c_(d)",
  "javascript:alert(1)",
  "tg://resolve?domain=x",
  "mailto:a@b.cd",
  "/relative",
  "#part",
  "<https://a.b/c d>",
  "https://user:pw@evil.com/a",
  "https://пример.рф/",
  "data:text/html,x",
  "",
);

const line = fc.array(word, { minLength: 1, maxLength: 12 }).chain((words) =>
  fc
    .array(fc.constantFrom(" ", " ", " ", "", "  ", "\t"), {
      minLength: words.length,
      maxLength: words.length,
    })
    .map((gaps) => words.map((one, at) => one + (gaps[at] ?? "")).join("")),
);

function wrapped(inner: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(
    inner.map((text) => `**${text}**`),
    inner.map((text) => `*${text}*`),
    inner.map((text) => `_${text}_`),
    inner.map((text) => `~~${text}~~`),
    inner.map((text) => `\`${text}\``),
    fc.tuple(inner, target).map(([text, to]) => `[${text}](${to})`),
    fc.tuple(inner, target).map(([text, to]) => `![${text}](${to} "title")`),
  );
}

const inline = fc.oneof(
  line,
  wrapped(line),
  wrapped(wrapped(line)),
  fc.tuple(line, wrapped(line), line).map((all) => all.join("")),
  fc.tuple(wrapped(line), wrapped(line)).map((all) => all.join("")),
);

const lines = fc
  .tuple(fc.array(inline, { minLength: 1, maxLength: 4 }), fc.constantFrom("\n", "  \n", "\\\n"))
  .map(([all, end]) => all.join(end));

const code = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "  const x = `a`;",
        "\tif (a < b) {",
        "}",
        "",
        "```",
        "~~~~",
        "# no heading",
        "| a | b |",
        "* no",
        "\\",
      ),
      line,
    ),
    { minLength: 0, maxLength: 30 },
  )
  .map((all) => all.join("\n"));

const fence = fc
  .tuple(
    code,
    fc.constantFrom("```", "~~~", "````", "`````ts", "```python", "```math", "~~~ c++ extra"),
  )
  .map(([text, open]) => `${open}\n${text}\n${/^[`~]+/.exec(open)?.[0] ?? ""}`);

const cell = inline.map((text) => text.replaceAll("\n", " "));

const table = fc.integer({ min: 1, max: 6 }).chain((columns) => {
  const row = fc
    .array(cell, { minLength: columns, maxLength: columns })
    .map((cells) => `| ${cells.join(" | ")} |`);
  return fc
    .tuple(
      row,
      fc.array(fc.constantFrom("---", ":-", "-:", ":-:"), {
        minLength: columns,
        maxLength: columns,
      }),
      fc.array(row, { maxLength: 5 }),
    )
    .map(([head, sides, rows]) => [head, `|${sides.join("|")}|`, ...rows].join("\n"));
});

function behind(text: string, first: string, rest: string): string {
  return text
    .split("\n")
    .map((one, at) => (at === 0 ? first : rest) + one)
    .join("\n");
}

const leaf = fc.oneof(
  { weight: 4, arbitrary: lines },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 7 }), inline)
      .map(([level, text]) => `${"#".repeat(level)} ${text}`),
  },
  { weight: 1, arbitrary: lines.map((text) => `${text}\n===`) },
  { weight: 2, arbitrary: fence },
  { weight: 1, arbitrary: code.map((text) => behind(text, "    ", "    ")) },
  { weight: 2, arbitrary: table },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "---",
      "***",
      "- ***",
      "<div>\nraw\n</div>",
      "<!-- c -->",
      "[ref]: https://example.com 'x'",
      "[^1]: A note.",
      "<details><summary>s</summary>",
      "$$\nx\n$$",
      "-",
      "1.",
      ">",
      "",
    ),
  },
);

const { block } = fc.letrec<{ block: string; list: string; quote: string }>((tie) => ({
  block: fc.oneof(
    { maxDepth: 4, depthIdentifier: "block" },
    leaf,
    leaf,
    leaf,
    tie("list"),
    tie("quote"),
  ),
  quote: fc
    .array(tie("block"), { minLength: 1, maxLength: 3 })
    .map((all) => behind(all.join("\n\n"), "> ", "> ")),
  list: fc
    .tuple(
      fc.array(fc.tuple(tie("block"), fc.constantFrom("", "", "[ ] ", "[x] ")), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.constantFrom("-", "*", "+", "1.", "7)", "123."),
      fc.constantFrom("\n", "\n\n"),
    )
    .map(([items, sign, gap]) =>
      items
        .map(([text, task]) => behind(text, `${sign} ${task}`, " ".repeat(sign.length + 1)))
        .join(gap),
    ),
}));

const whole = fc
  .tuple(fc.array(block, { minLength: 1, maxLength: 8 }), fc.constantFrom("\n\n", "\n"))
  .map(([blocks, gap]) => blocks.join(gap));

/** Markdown of every shape: whole documents, and the same cut off anywhere, as a model leaves them. */
export const documents: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: whole },
  {
    weight: 1,
    arbitrary: fc
      .tuple(whole, fc.double({ min: 0, max: 1, noNaN: true }))
      .map(([text, share]) => text.slice(0, Math.ceil(text.length * share))),
  },
);

/** Documents far longer than one message. */
export const longDocuments: fc.Arbitrary<string> = fc
  .tuple(whole, fc.array(block, { minLength: 3, maxLength: 8 }), fc.integer({ min: 20, max: 200 }))
  .map(([first, blocks, times]) =>
    [first, ...Array.from({ length: times }, (_, at) => blocks[at % blocks.length] ?? "")].join(
      "\n\n",
    ),
  );
