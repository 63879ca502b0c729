import { describe, expect, test } from "vitest";

import { createOracle, htmlOf } from "../fakes/telegram/tdlib.ts";

import { ann, opened, saidTo } from "./stand-in-api.ts";

async function talking() {
  const stand = await opened();
  stand.telegram.write({ from: ann, text: "hello" });
  return stand;
}

describe("entities", () => {
  test.each([
    [
      "inside the text",
      "hello",
      [
        ["bold", 0, 5],
        ["italic", 1, 2],
      ],
      "taken",
    ],
    ["beyond its end", "hello", [["bold", 2, 9]], "ends after the end of the text"],
    ["in half a pair", "h😀o", [["bold", 0, 2]], "in a middle of a UTF-16 symbol"],
    [
      "across each other",
      "hello",
      [
        ["bold", 0, 3],
        ["italic", 2, 3],
      ],
      "entities overlap",
    ],
    ["escaped on the way", 'a < b & "c"', [["code", 0, 5]], "taken"],
    ["a link to nowhere", "hello", [["text_link", 0, 5, "nope"]], "is invalid"],
  ] as const)("%s", async (_, text, places, said) => {
    const { telegram, api } = await talking();
    const entities = places.map(([type, offset, length, url]) =>
      type === "text_link" ? { type, offset, length, url } : { type, offset, length },
    );
    const call = api.sendMessage(ann, text, {
      entities,
      link_preview_options: { is_disabled: true },
    });
    expect(await saidTo(call)).toContain(said);
    expect(telegram.violations).toHaveLength(said === "taken" ? 0 : 1);
  });

  test("move with the words when white space is taken away, and are part of what an edit changes", async () => {
    const { telegram, api } = await talking();
    const bold = (offset: number, length: number) => ({
      entities: [{ type: "bold" as const, offset, length }],
    });
    const { message_id: id } = await api.sendMessage(ann, "  hello ", bold(2, 5));
    expect(telegram.seen(ann)[0]?.looks).toMatchObject([
      { text: "hello", entities: [{ offset: 0 }] },
    ]);
    expect(await saidTo(api.editMessageText(ann, id, "hello", bold(0, 5)))).toContain(
      "not modified",
    );
    expect(await saidTo(api.editMessageText(ann, id, "hello"))).toBe("taken");
    expect(await saidTo(api.sendMessage(ann, " \n "))).toBe(
      "400 Bad Request: message text is empty",
    );
  });

  test("are written as HTML that Telegram reads back", async () => {
    const entities = [
      { type: "blockquote", offset: 0, length: 8 },
      { type: "bold", offset: 0, length: 4 },
      { type: "text_link", offset: 5, length: 3, url: "https://a.example/?a=1&b=2" },
      { type: "pre", offset: 9, length: 3, language: "c" },
    ];
    const text = "Some <x>\na&b";
    expect(htmlOf(text, entities)).toBe(
      '<blockquote><b>Some</b> <a href="https://a.example/?a=1&amp;b=2">&lt;x&gt;</a></blockquote>\n<pre><code class="language-c">a&amp;b</code></pre>',
    );
    expect((await createOracle()()).judge(text, entities)).toBeUndefined();
  });

  test("a link must not hide where it leads", async () => {
    const { telegram, api } = await talking();
    const link = (text: string, length: number, url = "https://evil.example/x") =>
      api.sendMessage(ann, text, {
        entities: [{ type: "text_link", offset: 0, length, url }],
        link_preview_options: { is_disabled: true },
      });
    await link("bank (https://evil.example/x)", 4);
    await link("https://good.example", 20, "https://good.example/");
    expect(telegram.violations).toEqual([]);
    await link("https://good.example.org", 24, "https://good.example/");
    expect(telegram.violations).toHaveLength(1);
    await link("bank.example", 12);
    expect(telegram.violations.join()).toContain("hides that it leads to https://evil.example/x");
  });
});

describe("rich messages", () => {
  test("are read as a person does", async () => {
    const { telegram, api } = await talking();
    const markdown = [
      "# Plan",
      "Some **bold** words\non one line, \\<3\\>",
      "- one\n- two\n  1. deep",
      "```js\nlet a;\n```",
      "| a | b |\n|---|---|\n| 1 | 2 |",
      "> quoted",
    ].join("\n\n");
    const { message_id: id } = await api.sendRichMessage(ann, { markdown });
    expect(telegram.seen(ann)[0]?.texts).toEqual([
      "Plan\n\nSome bold words on one line, <3>\n• one\n• two\n1. deep\n\nlet a;\n\na | b\n1 | 2\n\nquoted",
    ]);
    const edit = (words: string) =>
      saidTo(
        api.raw.editMessageText({
          chat_id: ann,
          message_id: id,
          rich_message: { markdown: words },
        }),
      );
    expect(await edit(markdown)).toContain("not modified");
    expect(await edit("done")).toBe("taken");
    expect(telegram.seen(ann)[0]?.looks.at(-1)?.rich?.markdown).toBe("done");
  });

  const limits = {
    characters: "a".repeat(32_769),
    blocks: Array.from({ length: 501 }, () => "a").join("\n\n"),
    levels: `${"> ".repeat(17)}a`,
    columns: `${"|a".repeat(21)}|\n${"|-".repeat(21)}|`,
    media: Array.from({ length: 51 }, (_, i) => `![](tg://photo?id=${i})`).join("\n"),
  };
  test.each(Object.entries(limits))("are refused beyond the limit of %s", async (_, markdown) => {
    const { api } = await talking();
    expect(await saidTo(api.sendRichMessage(ann, { markdown }))).toMatch(/^400 /);
  });
  const within = {
    characters: "a".repeat(32_768),
    blocks: Array.from({ length: 500 }, () => "a").join("\n\n"),
    levels: `${"> ".repeat(16)}a`,
    columns: `${"|a".repeat(20)}|\n${"|-".repeat(20)}|`,
    media: Array.from({ length: 50 }, (_, i) => `![](tg://photo?id=${i})`).join("\n"),
  };
  test.each(Object.entries(within))("are taken up to the limit of %s", async (_, markdown) => {
    const { api, telegram } = await talking();
    expect(await saidTo(api.sendRichMessage(ann, { markdown }))).toBe("taken");
    expect(telegram.violations).toEqual([]);
  });

  test.each([
    ["a picture", "![](https://a.example/i.png?data=1)", "a media address"],
    ["a picture by HTML", '<img src="https://a.example/i.png">', "a media address"],
    [
      "a button in the text",
      '<tg-button type="url" url="https://a.example">x</tg-button>',
      "<tg-button>",
    ],
    ["a link that lies", "[bank.example](https://evil.example)", "hides"],
    ["a link that lies, by reference", "[bank][1]\n\n[1]: https://evil.example", "hides"],
    ["a link in HTML", '<a href="https://evil.example">bank</a>', "<a>"],
    ["a script", "a <script>x</script>", "<script>"],
    ["an address in turned text", "\u202Eelpmaxe.a//:sptth", "turn the text around"],
    ["a tg link", "[tg://user?id=1](tg://user?id=1)", "a link to tg:"],
  ])("with %s fail the test", async (_, markdown, violation) => {
    const { telegram, api } = await talking();
    await api.sendRichMessage(ann, { markdown });
    expect(telegram.violations.join()).toContain(violation);
  });

  test("with what is escaped, in code, or shown are fine", async () => {
    const { telegram, api } = await talking();
    const code = '```html\n<img src="https://a.example/i.png">\n```\n\n`<tg-button>`';
    const shown = "\\<tg-button\\> \\!\\[\\](no) [x](https://a.example) (https://a.example)";
    await api.sendRichMessage(ann, { markdown: `${code}\n\n${shown}` });
    expect(telegram.violations).toEqual([]);
  });

  test("have exactly one source, and something in it", async () => {
    const { api } = await talking();
    expect(await saidTo(api.sendRichMessage(ann, { markdown: "a", html: "a" }))).toContain(
      "exactly one",
    );
    expect(await saidTo(api.sendRichMessage(ann, {}))).toContain("exactly one");
    expect(await saidTo(api.sendRichMessage(ann, { markdown: " " }))).toContain("text is empty");
  });
});
