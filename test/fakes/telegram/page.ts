import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";

import { z } from "zod";

import { openServer } from "../open-server.ts";
import { bodyOf } from "../play.ts";

import type { FakeTelegram } from "./server.ts";
import { drawPlaces } from "./view.ts";

const place = z.object({ chat: z.number(), topic: z.number().optional(), from: z.number() });
const deedSchema = z.discriminatedUnion("deed", [
  place.extend({
    deed: z.literal("write"),
    text: z.string(),
    replyTo: z.number().optional(),
    file: z.object({ name: z.string(), mime: z.string(), base64: z.string() }).optional(),
  }),
  place.extend({ deed: z.literal("change"), text: z.string(), messageId: z.number() }),
  place.extend({ deed: z.literal("press"), messageId: z.number(), button: z.string() }),
  place.extend({ deed: z.literal("react"), messageId: z.number(), marks: z.array(z.string()) }),
  place.extend({ deed: z.literal("stop") }),
  place.extend({ deed: z.literal("topic"), name: z.string() }),
]);
type Deed = z.infer<typeof deedSchema>;

/** How long changes are gathered before the page hears of them. */
const gatherMs = 30;

function fileOf(file: Extract<Deed, { deed: "write" }>["file"]) {
  if (file === undefined) return {};
  const { name, mime, base64 } = file;
  const kind = mime.startsWith("image/") ? "photo" : "document";
  return { file: { kind, name, mime, bytes: Buffer.from(base64, "base64") } } as const;
}

function act(telegram: FakeTelegram, deed: Deed): void {
  const { chat, topic, from } = deed;
  const where = { from, ...(chat === from ? {} : { group: chat }) };
  const there = topic === undefined ? {} : { topic };
  if (deed.deed === "write") {
    const reply = deed.replyTo === undefined ? {} : { replyTo: deed.replyTo };
    telegram.write({ ...where, ...there, ...reply, text: deed.text, ...fileOf(deed.file) });
  } else if (deed.deed === "change") {
    telegram.change({ ...where, messageId: deed.messageId, text: deed.text });
  } else if (deed.deed === "press") telegram.press(chat, deed.messageId, deed.button, from);
  else if (deed.deed === "react") telegram.react(chat, deed.messageId, deed.marks, from);
  else if (deed.deed === "stop") telegram.pressStop(chat, topic);
  else {
    telegram.openTopic({
      chatId: chat,
      from,
      ...(deed.name === "" ? {} : { name: deed.name }),
    });
  }
}

/** The page's own script may run, and nothing is loaded from anywhere else. */
function sendPage(response: ServerResponse): void {
  const nonce = randomBytes(16).toString("base64");
  const page = readFileSync(path.join(import.meta.dirname, "page.html"), "utf8");
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    "style-src 'unsafe-inline'",
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ];
  response
    .writeHead(200, {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy.join("; "),
    })
    .end(page.replace("<script>", `<script nonce="${nonce}">`));
}

function sendFile(telegram: FakeTelegram, id: string, response: ServerResponse): void {
  const file = telegram.world.files.get(id);
  if (file?.bytes === undefined) {
    response.writeHead(404).end();
    return;
  }
  const name = encodeURIComponent(file.name);
  response
    .writeHead(200, {
      "content-type": "application/octet-stream",
      "content-disposition": `attachment; filename*=UTF-8''${name}`,
      "x-content-type-options": "nosniff",
    })
    .end(file.bytes);
}

/** Tells pages what there is to see, whenever it has changed. */
function createStream(telegram: FakeTelegram) {
  const pages = new Set<ServerResponse>();
  let timer: NodeJS.Timeout | undefined;
  const send = (to: Iterable<ServerResponse>, message: object): void => {
    for (const page of to) page.write(`data: ${JSON.stringify(message)}\n\n`);
  };
  const state = (): object => ({
    places: drawPlaces(telegram),
    people: [...telegram.world.people.values()],
    violations: telegram.violations.slice(-5),
  });
  const later = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      send(pages, state());
    }, gatherMs);
  };
  telegram.world.watchers.add(later);
  telegram.onCall((stage, method, { text }) => {
    if (stage === "taken" && method === "answerCallbackQuery") send(pages, { toast: text ?? "" });
  });
  return (response: ServerResponse): void => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    pages.add(response);
    response.on("close", () => pages.delete(response));
    send([response], state());
  };
}

async function doDeed(
  telegram: FakeTelegram,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    act(telegram, deedSchema.parse(await bodyOf(request)));
    response.writeHead(204).end();
  } catch (error) {
    const reason = error instanceof Error ? error.message : "it did not work";
    response.writeHead(409, { "content-type": "text/plain" }).end(reason);
  }
}

/** Only a page of this origin may act: another site's requests come without JSON, or from another origin. */
function isOurs({ headers, method }: IncomingMessage): boolean {
  const isHere = /^(?:127\.0\.0\.1|localhost):\d+$/.test(headers.host ?? "");
  if (method === "GET") return isHere;
  const isSame = headers.origin === undefined || headers.origin === `http://${headers.host}`;
  return isHere && isSame && headers["content-type"] === "application/json";
}

/** Serves the page on which a person talks to the bot; gives its address. */
export async function openPage(
  telegram: FakeTelegram,
): Promise<{ readonly url: string; close(): void }> {
  const stream = createStream(telegram);
  return openServer((request, response) => {
    const url = request.url ?? "/";
    if (!isOurs(request)) response.writeHead(403).end();
    else if (url === "/") sendPage(response);
    else if (url === "/events") stream(response);
    else if (url.startsWith("/file/")) sendFile(telegram, url.slice("/file/".length), response);
    else if (url === "/do" && request.method === "POST") void doDeed(telegram, request, response);
    else response.writeHead(404).end();
  });
}
