import type { Buttons, Card, OutgoingFile, Part, Saying } from "#core/chat.ts";

import { type Body, bodyOf, toPart } from "./body.ts";
import { chunksOf, longestText } from "./chunks.ts";
import { cleanText } from "./clean.ts";
import { type Marked, toEntities } from "./entities.ts";
import { safeName, withoutLongCode } from "./code-files.ts";
import { finished } from "./finish.ts";
import { createReader } from "./markdown.ts";
import { piecesOf } from "./pieces.ts";
import { toRich } from "./rich.ts";
import type { Block, Inline } from "./tree.ts";

/** What is said, in Telegram's messages. Everything is pure and fails at nothing. */
export interface Renderer {
  readonly render: (saying: Saying) => readonly Part[];
  readonly simpler: (part: Part) => readonly Part[] | undefined;
  /** The end of an unfinished answer, as far as a draft shows it. */
  readonly draft: (markdown: string) => Body;
}

/** Small lines stay small, so that there is always room for them. */
const longestFooter = 400;
const longestCaption = 1024;
const photos: ReadonlySet<string> = new Set(["image/jpeg", "image/png"]);

const nothing: Body = { form: "text", text: "…", entities: [] };

/** Lines of ours as words; they are meant literally. */
function linesOf(text: string): readonly Inline[] {
  return cleanText(text)
    .trim()
    .split("\n")
    .flatMap((line, at): Inline[] => [
      ...(at === 0 ? [] : [{ type: "break" as const }]),
      { type: "text", text: line },
    ]);
}

function footerOf(footer: string | undefined): string {
  const text = cleanText(footer ?? "").trim();
  return text.length > longestFooter ? `${text.slice(0, longestFooter).toWellFormed()}…` : text;
}

/** Small lines under a message; it is made so that there is room for them. */
function withFooter(body: Body, footer: string): Body {
  if (footer === "") return body;
  if (body.form === "file") return { ...body, caption: footer.slice(0, longestCaption) };
  if (body.form === "text") {
    const text = `${body.text}\n\n${footer}`;
    const offset = body.text.length + 2;
    const small = { type: "italic" as const, offset, length: footer.length };
    return { ...body, text, entities: [...body.entities, small] };
  }
  const children = [{ type: "italic" as const, children: linesOf(footer) }];
  return { ...body, markdown: `${body.markdown}\n\n${toRich([{ type: "paragraph", children }])}` };
}

function textBodies(marked: Marked, most = longestText): readonly Body[] {
  return chunksOf(marked, most).map(({ text, entities }) => ({ form: "text", text, entities }));
}

/** The buttons go under the last message. */
function withButtons(bodies: readonly Body[], buttons: Buttons | undefined): readonly Body[] {
  const last = bodies.at(-1);
  if (last === undefined || buttons === undefined || buttons.length === 0) return bodies;
  return [...bodies.slice(0, -1), { ...last, buttons }];
}

function fileBody(file: OutgoingFile): Body {
  const name = safeName(file.name);
  if ("text" in file) return { form: "file", name, content: { text: file.text }, photo: false };
  const { sha256, mediaType } = file;
  return { form: "file", name, content: { sha256 }, photo: photos.has(mediaType) };
}

/** A card in text and marks: its words are no markup, and nothing of them is lost. */
function cardBodies({ title, text, buttons, files = [], wantsWords }: Card): readonly Body[] {
  const head = cleanText(title ?? "").trim();
  const body = cleanText(text).trim();
  const asks = wantsWords === true && (buttons ?? []).length === 0;
  const hint = asks ? "Reply to this message to answer." : "";
  const parts = [head, body, hint].filter((words) => words !== "");
  const all = parts.join("\n\n");
  const entities = [
    ...(head === "" ? [] : [{ type: "bold" as const, offset: 0, length: head.length }]),
    ...(hint === ""
      ? []
      : [{ type: "italic" as const, offset: all.length - hint.length, length: hint.length }]),
  ];
  const texts = withButtons(textBodies({ text: all === "" ? "…" : all, entities }), buttons);
  return [...texts, ...files.map(fileBody)];
}

/** The parts of a file that was refused as what it is: a picture goes as a document, a text as itself. */
function withoutFile(body: Extract<Body, { form: "file" }>): readonly Body[] {
  const { name, content, caption = "" } = body;
  if (body.photo) return [{ ...body, photo: false }];
  const code: Block = {
    type: "code",
    language: "",
    text: "text" in content ? content.text.trimEnd() : "",
  };
  const note: Block = {
    type: "paragraph",
    children: linesOf(`📎 ${name} could not be sent as a file.`),
  };
  const words: Block = { type: "paragraph", children: linesOf(caption) };
  const blocks = [note, ...(code.text === "" ? [] : [code]), ...(caption === "" ? [] : [words])];
  return withButtons(textBodies(toEntities(blocks)), body.buttons);
}

function simplerBodies(body: Body, read: (markdown: string) => readonly Block[]) {
  if (body.form === "file") return withoutFile(body);
  if (body.form === "rich")
    return withButtons(textBodies(toEntities(read(body.markdown))), body.buttons);
  return body.entities.length === 0 ? undefined : [{ ...body, entities: [] }];
}

/** The renderer; without `rich` answers are sent as text and marks from the beginning. */
export function createRenderer({ rich }: { readonly rich: boolean }): Renderer {
  const read = createReader();

  function bodiesOf(blocks: readonly Block[]): readonly Body[] {
    if (!rich) return textBodies(toEntities(blocks), longestText - longestFooter - 4);
    return piecesOf(blocks).map((piece) => ({ form: "rich", markdown: toRich(piece) }));
  }

  function answerBodies({ markdown, buttons, footer }: Extract<Saying, { type: "answer" }>) {
    const { blocks, files } = withoutLongCode(read(markdown));
    const bodies = [...bodiesOf(blocks), ...files.map(fileBody)];
    const some: readonly Body[] = bodies.length === 0 ? [nothing] : bodies;
    const last = some.slice(-1).map((body) => withFooter(body, footerOf(footer)));
    return withButtons([...some.slice(0, -1), ...last], buttons);
  }

  return {
    render: (saying) =>
      (saying.type === "answer" ? answerBodies(saying) : cardBodies(saying.card)).map(toPart),
    simpler: (part) => simplerBodies(bodyOf(part), read)?.map(toPart),
    draft: (markdown) => bodiesOf(read(finished(markdown))).at(-1) ?? nothing,
  };
}
