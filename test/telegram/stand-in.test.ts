import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { generateSchema, schemaFile } from "../../scripts/telegram-schema.ts";

import { ann, apiOf, opened, saidTo } from "./stand-in-api.ts";

const quiet = { link_preview_options: { is_disabled: true } };
const unmodified =
  "400 Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message";

/** A call that grammY's types would not let through. */
async function raw(telegram: { url: string; token: string }, method: string, input: object) {
  const response = await fetch(`${telegram.url}/bot${telegram.token}/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(input),
  });
  return response.json();
}

test("the schema is that of the installed types", () => {
  expect(generateSchema() === readFileSync(schemaFile, "utf8")).toBe(true);
});

describe("every call is checked", () => {
  test.each([
    ["sendMesage", {}, { error_code: 404 }, "unknown method sendMesage"],
    [
      "sendPoll",
      { chat_id: ann, question: "?", options: [] },
      { error_code: 501 },
      "does not have",
    ],
    [
      "sendMessage",
      { chat_id: ann, text: "a", reply_to: 3 },
      { error_code: 400 },
      "unknown reply_to",
    ],
    [
      "sendMessage",
      { text: "a" },
      { description: "Bad Request: chat_id is empty" },
      "missing chat_id",
    ],
    ["sendMessage", { chat_id: ann, text: 3 }, { error_code: 400 }, "type text"],
    ["sendMessage", { chat_id: 7.5, text: "a" }, { error_code: 400 }, "type chat_id"],
    [
      "sendMessage",
      { chat_id: ann, text: "" },
      { description: "Bad Request: message text is empty" },
      "text",
    ],
    [
      "sendMessage",
      { chat_id: ann, text: "a".repeat(4097) },
      { description: "Bad Request: message is too long" },
      "text",
    ],
    [
      "sendMessage",
      { chat_id: ann, text: "<b>a</b>", parse_mode: "HTML" },
      { ok: true },
      "parse_mode HTML",
    ],
    ["sendMessage", { chat_id: ann, text: "see a.example" }, { ok: true }, "link preview"],
    [
      "answerCallbackQuery",
      { callback_query_id: "1", text: "a".repeat(201) },
      { error_code: 400 },
      "text",
    ],
    [
      "setMyCommands",
      { commands: [{ command: "Help", description: "d" }] },
      { description: "Bad Request: BOT_COMMAND_INVALID" },
      "",
    ],
    [
      "sendPhoto",
      { chat_id: ann, photo: "https://a.example/i.png" },
      { error_code: 400 },
      "media address",
    ],
  ])("%s %o", async (method, input, said, violation) => {
    const { telegram } = await opened();
    telegram.write({ from: ann, text: "hello" });
    expect(await raw(telegram, method, input)).toMatchObject(said);
    expect(telegram.violations.join()).toContain(violation);
    expect(telegram.violations).toHaveLength(violation === "" ? 0 : 1);
  });

  test("another token is refused, and ours when its owner has taken it back", async () => {
    const { telegram, api } = await opened();
    const other = apiOf({ url: telegram.url, token: "1:other" });
    expect(await saidTo(other.getMe())).toBe("401 Unauthorized");
    expect(await api.getMe()).toMatchObject({ has_topics_enabled: true, is_bot: true });
    telegram.refuseToken(true);
    expect(await saidTo(api.getMe())).toBe("401 Unauthorized");
  });
});

describe("messages", () => {
  test("only those who have written can be written to", async () => {
    const { telegram, api } = await opened();
    expect(await saidTo(api.sendMessage(ann, "a"))).toBe("400 Bad Request: chat not found");
    telegram.write({ from: ann, text: "hello" });
    expect(await saidTo(api.sendMessage(ann, "a"))).toBe("taken");
    expect(telegram.seen(ann)).toMatchObject([{ messageId: 2, texts: ["a"] }]);
  });

  test("private chats count their messages together, supergroups for themselves", async () => {
    const { telegram } = await opened();
    const forum = -1_000_000_000_500;
    telegram.addBot({ group: forum, from: ann });
    expect(telegram.write({ from: ann, text: "a" })).toBe(1);
    expect(telegram.write({ from: 78, text: "a" })).toBe(2);
    expect(telegram.write({ from: ann, group: forum, text: "a" })).toBe(2);
    expect(telegram.write({ from: ann, text: "b" })).toBe(3);
  });

  test("an edit must change something of the bot's own", async () => {
    const { telegram, api } = await opened();
    const theirs = telegram.write({ from: ann, text: "hello" });
    const { message_id: mine } = await api.sendMessage(ann, "…");
    expect(await saidTo(api.editMessageText(ann, mine, "…", quiet))).toBe(unmodified);
    expect(await saidTo(api.editMessageText(ann, mine, "done", quiet))).toBe("taken");
    expect(await saidTo(api.editMessageText(ann, theirs, "x", quiet))).toBe(
      "400 Bad Request: message can't be edited",
    );
    const missing = "400 Bad Request: message to edit not found";
    expect(await saidTo(api.editMessageText(ann, 99, "x", quiet))).toBe(missing);
    expect(await saidTo(api.deleteMessage(ann, mine))).toBe("taken");
    expect(await saidTo(api.editMessageText(ann, mine, "x", quiet))).toBe(missing);
    expect(telegram.seen(ann)).toEqual([]);
    expect(telegram.all(ann).at(-1)).toMatchObject({ texts: ["…", "done"], gone: true });
  });

  test("a reply to what is gone needs leave", async () => {
    const { telegram, api } = await opened();
    const first = telegram.write({ from: ann, text: "hello" });
    telegram.remove(ann, first);
    const reply = (allow: boolean) =>
      saidTo(
        api.sendMessage(ann, "a", {
          reply_parameters: { message_id: first, allow_sending_without_reply: allow },
        }),
      );
    expect(await reply(false)).toBe("400 Bad Request: message to be replied not found");
    expect(await reply(true)).toBe("taken");
    expect(telegram.seen(ann)).toMatchObject([{ replyTo: undefined }]);
  });

  test("one reaction of the bot's, and only to what is there", async () => {
    const { telegram, api } = await opened();
    const first = telegram.write({ from: ann, text: "hello" });
    await api.setMessageReaction(ann, first, [{ type: "emoji", emoji: "👀" }]);
    expect(telegram.all(ann)[0]?.reactions.get(4242)).toEqual(["👀"]);
    const two = [
      { type: "emoji", emoji: "👀" },
      { type: "emoji", emoji: "👍" },
    ] as const;
    expect(await saidTo(api.setMessageReaction(ann, first, [...two]))).toBe(
      "400 Bad Request: REACTIONS_TOO_MANY",
    );
    expect(await saidTo(api.setMessageReaction(ann, 9, []))).toBe(
      "400 Bad Request: message to react not found",
    );
  });
});

describe("who is not there for the bot", () => {
  test("blocked, let in again, and gone", async () => {
    const { telegram, api } = await opened();
    telegram.write({ from: ann, text: "hello" });
    telegram.block(ann);
    expect(await saidTo(api.sendMessage(ann, "a"))).toBe(
      "403 Forbidden: bot was blocked by the user",
    );
    expect(() => telegram.write({ from: ann, text: "a" })).toThrow("blocked");
    telegram.unblock(ann);
    expect(await saidTo(api.sendMessage(ann, "a"))).toBe("taken");
    telegram.deactivate(ann);
    expect(await saidTo(api.sendMessage(ann, "a"))).toBe("403 Forbidden: user is deactivated");
    const updates = await api.getUpdates();
    expect(updates.map((update) => Object.keys(update)[1])).toEqual([
      "message",
      "my_chat_member",
      "my_chat_member",
    ]);
  });

  test("a group that moves, throws the bot out or lets it not write", async () => {
    const { telegram, api } = await opened();
    telegram.addBot({ group: -5, from: ann });
    telegram.mute(-5, true);
    expect(await saidTo(api.sendMessage(-5, "a"))).toBe(
      "400 Bad Request: not enough rights to send text messages to the chat",
    );
    telegram.mute(-5, false);
    const moved = telegram.migrate(-5);
    await expect(api.sendMessage(-5, "a")).rejects.toMatchObject({
      description: "Bad Request: group chat was upgraded to a supergroup chat",
      parameters: { migrate_to_chat_id: moved },
    });
    expect(await saidTo(api.sendMessage(moved, "a"))).toBe("taken");
    telegram.kick(moved, ann);
    expect(await saidTo(api.sendMessage(moved, "a"))).toBe(
      "403 Forbidden: bot was kicked from the supergroup chat",
    );
    const messages = (await api.getUpdates()).map(({ message }) => message);
    expect(messages).toMatchObject([
      undefined,
      { new_chat_members: [{ id: 4242 }] },
      { migrate_to_chat_id: moved },
      { migrate_from_chat_id: -5 },
      undefined,
    ]);
  });
});
