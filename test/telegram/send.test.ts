import type { IncomingMessage } from "node:http";

import { describe, expect, onTestFinished, test } from "vitest";

import { createApi } from "../../bots/telegram/api.ts";
import { createTelegramPlatform } from "../../bots/telegram/platform.ts";
import type { Card, ChatPlatform, Sent, Target } from "../../src/core/chat.ts";
import { AppError } from "../../src/core/errors.ts";
import { createSecret } from "../../src/core/secret.ts";
import { openDoor } from "../fakes/receipts.ts";
import { closedOrigin, startServer } from "../fakes/server.ts";

/** What Telegram answers to a call: a result, or a refusal. */
interface Answer {
  readonly result?: unknown;
  readonly code?: number;
  readonly description?: string;
  readonly parameters?: object;
}

interface Call {
  readonly method: string;
  /** The fields of JSON, or the text of an upload. */
  readonly input: unknown;
}

const ann: Target = { address: "77", replyTo: null };
const unmodified = { code: 400, description: "Bad Request: message is not modified: same" };
const picture = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2]);

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

/** The platform over a server that answers as it is told, and remembers what it was asked. */
async function telegram(
  answer: (call: Call) => Answer = () => ({}),
  rich = true,
): Promise<{ readonly platform: ChatPlatform; readonly calls: readonly Call[] }> {
  const calls: Call[] = [];
  const origin = await startServer((request, response) => {
    void bytesOf(request).then((bytes) => {
      const method = (request.url ?? "").split("/").at(-1) ?? "";
      const isJson = request.headers["content-type"] === "application/json";
      const call: Call = {
        method,
        input: isJson ? JSON.parse(bytes.toString()) : bytes.toString("latin1"),
      };
      calls.push(call);
      const { result = { message_id: 5 }, code, description, parameters } = answer(call);
      response.end(
        JSON.stringify(
          code === undefined
            ? { ok: true, result }
            : { ok: false, error_code: code, description, parameters },
        ),
      );
    });
  });
  return { platform: over(origin, rich), calls };
}

function over(origin: string, rich = true): ChatPlatform {
  const { door } = openDoor([{ purpose: "chat", origin, linksOut: false, platform: true }], {
    network: {
      resolve: () => Promise.resolve([{ address: "10.0.0.1", family: 4 }]),
      dial: (address) => address,
    },
  });
  onTestFinished(() => door.close());
  const fetch = door.open({ purpose: "chat", taskId: null });
  const api = createApi(createSecret("TELEGRAM_BOT_TOKEN", "1:token"), { root: origin, fetch });
  return createTelegramPlatform(api, {
    rich,
    readFile: (sha256) =>
      sha256 === "there"
        ? Promise.resolve(picture)
        : Promise.reject(new AppError("door.unreachable", { host: "x", problem: "no such file" })),
  });
}

function answered(platform: ChatPlatform, markdown: string) {
  const [part] = platform.render({ type: "answer", markdown });
  if (part === undefined) throw new Error("nothing was rendered");
  return part;
}

function cardPart(platform: ChatPlatform, card: Card) {
  const part = platform.render({ type: "card", card }).at(-1);
  if (part === undefined) throw new Error("nothing was rendered");
  return part;
}

const done: Sent = { ok: true, messageId: "5" };

describe("an edit", () => {
  test("sends a rich message in which Telegram looks for nothing of its own", async () => {
    const { platform, calls } = await telegram();
    expect(await platform.edit(ann, "5", answered(platform, "**a** @b"))).toEqual(done);
    expect(calls).toEqual([
      {
        method: "editMessageText",
        input: {
          chat_id: 77,
          message_id: 5,
          rich_message: { markdown: "**a** @b", skip_entity_detection: true },
        },
      },
    ]);
  });

  test("sends text with marks and without a preview, and buttons in their colours", async () => {
    const { platform, calls } = await telegram();
    const buttons = [
      [
        { id: "y", label: "Yes", tone: "good" },
        { id: "n", label: "No", tone: "bad" },
        { id: "m", label: "More\u202E\nof it" },
      ],
    ] as const;
    await platform.edit(ann, "5", cardPart(platform, { title: "T", text: "x", buttons }));
    expect(calls[0]?.input).toEqual({
      chat_id: 77,
      message_id: 5,
      text: "T\n\nx",
      entities: [{ type: "bold", offset: 0, length: 1 }],
      link_preview_options: { is_disabled: true },
      reply_markup: {
        inline_keyboard: [
          [
            { text: "Yes", callback_data: "y", style: "success" },
            { text: "No", callback_data: "n", style: "danger" },
            { text: "More of it", callback_data: "m" },
          ],
        ],
      },
    });
  });

  test("that changes nothing has succeeded", async () => {
    const { platform } = await telegram(() => unmodified);
    expect(await platform.edit(ann, "5", answered(platform, "a"))).toEqual(done);
  });

  test("uploads a stored photo, and a text of ours as a document", async () => {
    const { platform, calls } = await telegram();
    const photo = { name: "a b.png", sha256: "there", mediaType: "image/png" };
    await platform.edit(ann, "5", cardPart(platform, { text: "x", files: [photo] }));
    const notes = { name: "notes.txt", text: "the words" };
    await platform.edit(ann, "5", cardPart(platform, { text: "x", files: [notes] }));
    expect(calls.map(({ method }) => method)).toEqual(["editMessageMedia", "editMessageMedia"]);
    expect(calls[0]?.input).toContain('"type":"photo"');
    expect(calls[0]?.input).toContain(`filename=a_b.png\r\n`);
    expect(calls[0]?.input).toContain(picture.toString("latin1"));
    expect(calls[1]?.input).toContain('"type":"document"');
    expect(calls[1]?.input).toContain("the words");
  });

  test("of a file that is gone is unfit, so that words take its place", async () => {
    const { platform, calls } = await telegram();
    const file = { name: "a.pdf", sha256: "gone", mediaType: "application/pdf" };
    const part = cardPart(platform, { text: "x", files: [file] });
    expect(await platform.edit(ann, "5", part)).toMatchObject({
      ok: false,
      why: { type: "unfit" },
    });
    expect(calls).toEqual([]);
    expect(platform.simpler(part)?.[0]?.body).toContain("could not be sent");
  });

  test.each([
    [400, "Bad Request: can't parse entities: x", { type: "unfit" }],
    [400, "Bad Request: rich message is invalid", { type: "unfit" }],
    [400, "Bad Request: MESSAGE_TOO_LONG", { type: "unfit" }],
    [400, "Bad Request: not enough rights to send documents to the chat", { type: "unfit" }],
    [400, "Bad Request: not enough rights to send text messages to the chat", { type: "closed" }],
    [413, "Request Entity Too Large", { type: "unfit" }],
    [400, "Bad Request: message to edit not found", { type: "missing" }],
    [400, "Bad Request: message thread not found", { type: "closed" }],
    [400, "Bad Request: TOPIC_CLOSED", { type: "closed" }],
    [400, "Bad Request: topic deleted", { type: "closed" }],
    [403, "Forbidden: bot was blocked by the user", { type: "closed" }],
    [429, "Too Many Requests", { type: "later", waitMs: 7000, everywhere: false }],
    [401, "Unauthorized", { type: "later", everywhere: true }],
    [404, "Not Found", { type: "later", everywhere: true }],
    [502, "Bad Gateway", { type: "unknown" }],
    [400, "Bad Request: group chat was upgraded", { type: "moved", to: "-100" }],
  ])("refused with %i %s is understood", async (code, description, why) => {
    const parameters = {
      ...(code === 429 ? { retry_after: 7 } : {}),
      ...(description.includes("upgraded") ? { migrate_to_chat_id: -100 } : {}),
    };
    const { platform } = await telegram(() => ({ code, description, parameters }));
    const sent = await platform.edit(ann, "5", answered(platform, "a"));
    expect(sent).toMatchObject({ ok: false, why });
  });

  test("that reaches nobody was not taken, even an upload", async () => {
    const file = { name: "a.txt", text: "x" };
    // Nobody there, and a name that leads into the home network.
    for (const platform of [over(await closedOrigin()), over("http://telegram.example")]) {
      const parts = [answered(platform, "a"), cardPart(platform, { text: "x", files: [file] })];
      for (const part of parts) {
        expect(await platform.edit(ann, "5", part)).toMatchObject({
          ok: false,
          why: { type: "unreached" },
        });
      }
    }
  });
});

describe("a placeholder", () => {
  test("goes to its topic as a reply, and must be found there", async () => {
    const { platform, calls } = await telegram(({ input }) =>
      JSON.stringify(input).includes('"message_thread_id":9')
        ? { result: { message_id: 5, message_thread_id: 9 } }
        : { result: { message_id: 6 } },
    );
    expect(await platform.place({ address: "-5/9", replyTo: "3" })).toEqual(done);
    expect(await platform.place({ address: "-5/8", replyTo: null })).toEqual({
      ok: false,
      why: { type: "closed", reason: "its topic is gone" },
    });
    expect(calls[0]?.input).toEqual({
      chat_id: -5,
      text: "…",
      message_thread_id: 9,
      reply_parameters: { message_id: 3, allow_sending_without_reply: true },
    });
  });

  test("without a number is found by an edit that changes nothing, and only in a private chat", async () => {
    const { platform, calls } = await telegram(({ input }) =>
      JSON.stringify(input).includes('"message_id":14')
        ? unmodified
        : { code: 400, description: "Bad Request: message can't be edited" },
    );
    const known = new Set(["11", "13"]);
    expect(await platform.findPlaced?.(ann, { floor: "10", known })).toBe("14");
    expect(calls).toEqual([
      { method: "editMessageReplyMarkup", input: { chat_id: 77, message_id: 12 } },
      { method: "editMessageReplyMarkup", input: { chat_id: 77, message_id: 14 } },
    ]);
    const group = { address: "-5", replyTo: null };
    expect(await platform.findPlaced?.(group, { floor: "10", known })).toBeUndefined();
    expect(calls).toHaveLength(2);
  });

  test("is looked for ten times at most, and not at all when Telegram wants us to wait", async () => {
    const nowhere = await telegram(() => ({ code: 400, description: "message can't be edited" }));
    const among = { floor: "10", known: new Set<string>() };
    expect(await nowhere.platform.findPlaced?.(ann, among)).toBeUndefined();
    expect(nowhere.calls).toHaveLength(10);
    const busy = await telegram(() => ({ code: 429, description: "Too Many Requests" }));
    expect(await busy.platform.findPlaced?.(ann, among)).toBeUndefined();
    expect(busy.calls).toHaveLength(1);
  });
});

describe("a draft", () => {
  test("is a rich one with a button to stop it, in a private chat alone", async () => {
    const { platform, calls } = await telegram(() => ({ result: true }));
    await platform.draft?.({ address: "77/4", replyTo: null }, "task-1", "**unfin");
    await platform.draft?.({ address: "-5", replyTo: null }, "task-1", "x");
    expect(calls).toMatchObject([
      {
        method: "sendRichMessageDraft",
        input: {
          chat_id: 77,
          message_thread_id: 4,
          can_stop: true,
          rich_message: { markdown: "**unfin**", skip_entity_detection: true },
        },
      },
    ]);
  });

  test("is text with marks where rich messages are off", async () => {
    const { platform, calls } = await telegram(() => ({ result: true }), false);
    await platform.draft?.(ann, "task-1", "**a**");
    expect(calls).toMatchObject([
      { method: "sendMessageDraft", input: { text: "a", entities: [{ type: "bold" }] } },
    ]);
  });
});

test("a group is paced by twenty a minute, a private chat only when Telegram asks for it", async () => {
  const { platform } = await telegram();
  expect([platform.manners("77/4"), platform.manners("-5")]).toMatchObject([
    { live: "draft", liveEveryMs: 800, burst: 30, everyMs: 0 },
    { live: "edit", liveEveryMs: 3000, burst: 20, everyMs: 3000 },
  ]);
});
