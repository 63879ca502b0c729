import { describe, expect, test } from "vitest";

import { type Body, bodyOf } from "../../bots/telegram/body.ts";
import { chunksOf } from "../../bots/telegram/chunks.ts";
import { safeName } from "../../bots/telegram/code-files.ts";
import { createRenderer } from "../../bots/telegram/render.ts";
import type { Card, Saying } from "../../src/core/chat.ts";

const renderer = createRenderer({ rich: true });
const plain = createRenderer({ rich: false });

function bodies(saying: Saying, maker = renderer): readonly Body[] {
  return maker.render(saying).map(bodyOf);
}

function answer(markdown: string): readonly Body[] {
  return bodies({ type: "answer", markdown });
}

function card(made: Card): readonly Body[] {
  return bodies({ type: "card", card: made });
}

/** The forms that a body takes when each before it was refused. */
function simplerThan(body: Body | undefined): readonly Body[] {
  if (body === undefined) return [];
  return (renderer.simpler({ body: JSON.stringify(body) }) ?? []).map(bodyOf);
}

const markdown = `# Title

Some **bold**, *italic*, ~~old~~ and \`code\`
on two lines, see [docs](https://docs.example/a).

1. one
   - nested
2. two

- [ ] open
- [x] done

> quoted

| name | size |
| :-- | --: |
| a | 10 |

\`\`\`ts
const x = 1 < 2;
\`\`\``;

describe("an answer", () => {
  test("is written as Markdown of ours, from the tree", () => {
    expect(answer(markdown)).toEqual([
      {
        form: "rich",
        markdown: `# Title

Some **bold**, _italic_, ~~old~~ and \`code\`  
on two lines, see [docs (https://docs.example/a)](https://docs.example/a).

1. one
   - nested
2. two

- [ ] open
- [x] done

> quoted

| name | size |
| :-- | --: |
| a | 10 |

\`\`\`ts
const x = 1 < 2;
\`\`\``,
      },
    ]);
  });

  test("that is refused becomes text with marks, then text, then nothing", () => {
    const [text, ...none] = simplerThan(answer(markdown)[0]);
    expect(none).toEqual([]);
    expect(text).toEqual({
      form: "text",
      text: `Title

Some bold, italic, old and code
on two lines, see docs (https://docs.example/a).

1. one
   ◦ nested
2. two

☐ open
☑ done

quoted

name │ size
─────┼─────
a    │   10

const x = 1 < 2;`,
      entities: [
        { type: "bold", offset: 0, length: 5 },
        { type: "bold", offset: 12, length: 4 },
        { type: "italic", offset: 18, length: 6 },
        { type: "strikethrough", offset: 26, length: 3 },
        { type: "code", offset: 34, length: 4 },
        { type: "text_link", url: "https://docs.example/a", offset: 57, length: 29 },
        { type: "blockquote", offset: 131, length: 6 },
        { type: "pre", offset: 139, length: 35 },
        { type: "pre", language: "ts", offset: 176, length: 16 },
      ],
    });
    const [words] = simplerThan(text);
    expect(words).toEqual({ ...text, entities: [] });
    expect(renderer.simpler({ body: JSON.stringify(words) })).toBeUndefined();
  });

  test("of nothing is a sign that it is one", () => {
    for (const empty of ["", "  \n", "\u200B", "```\n```"]) {
      expect(answer(empty)).toEqual([{ form: "text", text: "…", entities: [] }]);
    }
  });

  test("has its small lines and its buttons under its last message, in as many messages as without", () => {
    const long = "word ".repeat(14_000);
    const buttons = [[{ id: "b1", label: "Again" }]];
    const footer = "local · 12 tokens * 0.1 s";
    for (const maker of [renderer, plain]) {
      const without = bodies({ type: "answer", markdown: long, buttons }, maker);
      const all = bodies({ type: "answer", markdown: long, buttons, footer }, maker);
      expect(all.slice(0, -1)).toEqual(without.slice(0, -1));
      expect(all).toHaveLength(without.length);
      expect(all.map((body) => body.buttons)).toEqual([
        ...all.slice(1).map(() => undefined),
        buttons,
      ]);
      const last = all.at(-1);
      if (last?.form === "rich")
        expect(last.markdown).toMatch(/\n\n_local · 12 tokens \\\* 0\.1 s_$/);
      else if (last?.form === "text") {
        expect(last.text).toMatch(/\n\nlocal · 12 tokens \* 0\.1 s$/);
        expect(last.entities.at(-1)).toMatchObject({ type: "italic", length: footer.length });
      }
    }
  });

  test("keeps its buttons in every simpler form", () => {
    const buttons = [[{ id: "b1", label: "Again" }]];
    const [rich] = bodies({ type: "answer", markdown: "**a** `b`", buttons });
    const [text] = simplerThan(rich);
    expect([text?.buttons, simplerThan(text)[0]?.buttons]).toEqual([buttons, buttons]);
  });

  test("carries long code as files, with a line in the place of each", () => {
    const code = (lines: number, indent = ""): string => `${indent}let x = \`a\`;\n`.repeat(lines);
    const [text, ...files] = answer(
      `Here:\n\n\`\`\`ts\n${code(121)}\`\`\`\n\n- and\n\n  \`\`\`\n${code(500, "  ")}  \`\`\`\n\n\`\`\`ts\n${code(5)}\`\`\``,
    );
    expect(text).toMatchObject({
      form: "rich",
      markdown: expect.stringMatching(
        /^Here:\n\n📎 `code-1\.ts` \(121 lines\)\n\n- and\n\n {2}📎 `code-2\.txt`/,
      ),
    });
    expect(files).toEqual([
      { form: "file", name: "code-1.ts", content: { text: code(121) }, photo: false },
      {
        form: "file",
        name: "code-2.txt",
        content: { text: expect.stringContaining("let x") },
        photo: false,
      },
    ]);
    // Refused as a file, it is read as text.
    const chunks = simplerThan(files[0]);
    expect(chunks[0]).toMatchObject({ form: "text", text: expect.stringContaining("let x") });
  });

  test("a table too long for one message has its head in each", () => {
    const rows = "| cell with words | 2 |\n".repeat(2000);
    const parts = answer(`| first | second |\n|---|---|\n${rows}`);
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) {
      expect(part).toMatchObject({ markdown: expect.stringMatching(/^\| first \| second \|\n/) });
    }
  });

  test("a list too long for one message goes on counting", () => {
    const parts = answer(Array.from({ length: 900 }, (_, at) => `${at + 1}. item`).join("\n"));
    const last = parts.at(-1);
    expect(parts.length).toBeGreaterThan(1);
    expect(last?.form === "rich" && last.markdown.split("\n").at(-1)).toBe("900. item");
  });

  test.each([
    ["a literal sign", "2 * 3 * 4, a_b_c, x < y, #1, [x], 5$ and 6$, ||a||"],
    ["a line that looks like a list", "\\- a\n\\1. b\n1\\. c\n\\# d"],
    ["words without spaces around marks", "**“你好”**吗 a**b**c"],
  ])("%s stays what it is when it is read again", (_, text) => {
    const [body] = answer(text);
    expect(body?.form === "rich" && answer(body.markdown)).toEqual([body]);
  });
});

describe("cutting", () => {
  test("is between lines or words, and never in a character", () => {
    const chunks = chunksOf({
      text: `${"word ".repeat(1000)}\n${"👨‍👩‍👧".repeat(2000)}`,
      entities: [],
    });
    for (const { text } of chunks) {
      expect(text.length).toBeLessThanOrEqual(4096);
      expect(text).toMatch(/^(word ?)*\n?(👨‍👩‍👧)*$/u);
    }
  });

  test("keeps every mark on what it marks, with a fence's language", () => {
    const text = "x = 1;\n".repeat(1200).trimEnd();
    const whole = { type: "pre", language: "ts", offset: 0, length: text.length } as const;
    const chunks = chunksOf({ text, entities: [whole] });
    expect(chunks.length).toBeGreaterThan(2);
    for (const chunk of chunks) {
      expect(chunk.entities).toEqual([{ ...whole, length: chunk.text.length }]);
    }
    expect(chunks.map((chunk) => chunk.text).join("\n")).toBe(text);
  });

  test("leaves a message no more marks than Telegram takes", () => {
    const text = "a ".repeat(250);
    const entities = Array.from({ length: 250 }, (_, at) => ({
      type: "bold" as const,
      offset: at * 2,
      length: 1,
    }));
    expect(chunksOf({ text, entities }).map((chunk) => chunk.entities.length)).toEqual([
      100, 100, 50,
    ]);
  });
});

describe("a card", () => {
  test("is its title in bold, its words as they are, and its buttons", () => {
    const buttons = [
      [
        { id: "y", label: "Yes", tone: "good" },
        { id: "n", label: "No", tone: "bad" },
      ],
    ] as const;
    expect(card({ title: "Really?", text: "It is **not** bold\u202E.", buttons })).toEqual([
      {
        form: "text",
        text: "Really?\n\nIt is **not** bold.",
        entities: [{ type: "bold", offset: 0, length: 7 }],
        buttons,
      },
    ]);
  });

  test("that asks for words says how they are given, unless it has buttons", () => {
    expect(card({ text: "Which?", wantsWords: true })[0]).toMatchObject({
      text: "Which?\n\nReply to this message to answer.",
    });
    const buttons = [[{ id: "a", label: "A" }]];
    expect(card({ text: "Which?", wantsWords: true, buttons })[0]).toMatchObject({
      text: "Which?",
    });
  });

  test("brings its files behind it, a photo as one; a refused photo is a document, a refused document words", () => {
    const [, photo, text] = card({
      text: "Files",
      files: [
        { name: "a.png", sha256: "ab", mediaType: "image/png" },
        { name: "notes.txt", text: "hello" },
      ],
    });
    expect([photo, text]).toMatchObject([
      { photo: true, content: { sha256: "ab" } },
      { photo: false },
    ]);
    const [document] = simplerThan(photo);
    expect(document).toMatchObject({ form: "file", photo: false });
    expect(simplerThan(document)[0]).toMatchObject({
      text: "📎 a.png could not be sent as a file.",
    });
  });

  test("longer than a message is several, with the buttons under the last", () => {
    const parts = card({ text: "word ".repeat(2000), buttons: [[{ id: "a", label: "A" }]] });
    expect(parts.map((part) => part.buttons?.length)).toEqual([undefined, undefined, 1]);
  });
});

describe("a draft", () => {
  test.each([
    ["Hello **wor", "Hello **wor**"],
    ["~~old", "~~old~~"],
    ["use `npm", "use `npm`"],
    ["see [the docs](https://exa", "see the docs"],
    ["see ![the pic", "see the pic"],
    ["text **", "text"],
    ["a\n\n```ts\nconst x", "a\n\n```ts\nconst x\n```"],
    ["- a\n- b **c", "- a\n- b **c**"],
    ["`**` is a sign", "`**` is a sign"],
    ["**done** and more", "**done** and more"],
  ])("of %j is shown as %j", (unfinished, shown) => {
    expect(renderer.draft(unfinished)).toEqual({ form: "rich", markdown: shown });
  });

  test("looks like the answer that it becomes, and of a long one shows the end", () => {
    expect([renderer.draft(markdown)]).toEqual(answer(markdown));
    const long = renderer.draft(`${"word ".repeat(20_000)}the end`);
    expect(long.form === "rich" && long.markdown.endsWith("the end")).toBe(true);
    expect(plain.draft("**a** b")).toMatchObject({ form: "text", text: "a b" });
  });
});

test.each([
  ["../../etc/passwd", "passwd"],
  ['a "b";c\r\nd.txt', "a_b_c_d.txt"],
  ["отчёт.pdf", "отчёт.pdf"],
  ["..", "file"],
])("a file named %j is sent as %s", (name, sent) => {
  expect(safeName(name)).toBe(sent);
});
