import { InputFile } from "grammy";
import { describe, expect, test } from "vitest";

import { ann, opened, saidTo } from "./stand-in-api.ts";

const forum = -1_000_000_000_500;
const keyboard = (data: string) => ({
  reply_markup: { inline_keyboard: [[{ text: "Approve", callback_data: data }]] },
});

describe("drafts", () => {
  test("stream in private chats, and a message ends them", async () => {
    const { telegram, api, clock } = await opened();
    telegram.write({ from: ann, text: "hello" });
    telegram.write({ from: ann, group: -5, text: "hello" });
    expect(await saidTo(api.sendMessageDraft(-5, 3, "a"))).toContain("400");
    expect(await saidTo(api.sendMessageDraft(ann, 0, "a"))).toBe(
      "400 Bad Request: DRAFT_ID_INVALID",
    );
    await api.sendMessageDraft(ann, 3, "");
    await api.sendMessageDraft(ann, 3, "wor");
    expect(telegram.drafts(ann)).toMatchObject([
      { looks: [{ text: "" }, { text: "wor" }], ended: undefined },
    ]);
    await api.sendMessage(ann, "words");
    expect(telegram.drafts(ann)).toMatchObject([{ ended: "message" }]);
    await api.sendRichMessageDraft(ann, 4, { markdown: "a" });
    clock.pass(30_000);
    await api.sendRichMessageDraft(ann, 4, { markdown: "b" });
    expect(telegram.drafts(ann)).toHaveLength(3);
  });

  test("Stop is there only where it was offered", async () => {
    const { telegram, api } = await opened();
    telegram.write({ from: ann, text: "hello" });
    await api.sendMessageDraft(ann, 3, "a");
    expect(() => telegram.pressStop(ann)).toThrow("no draft that can be stopped");
    await api.sendMessageDraft(ann, 3, "ab", { can_stop: true });
    telegram.pressStop(ann);
    expect((await api.getUpdates()).at(-1)).toMatchObject({
      stopped_message_generation: { chat: { id: ann }, draft_id: 3 },
    });
    expect(() => telegram.pressStop(ann)).toThrow("no draft");
  });
});

describe("buttons", () => {
  test("are pressed by label or data, answered once and within 15 seconds", async () => {
    const { telegram, api, clock } = await opened();
    telegram.write({ from: ann, text: "hello" });
    const { message_id: id } = await api.sendMessage(ann, "Go on?", keyboard("x1"));
    const press = telegram.press(ann, id, "Approve");
    expect((await api.getUpdates()).at(-1)).toMatchObject({
      callback_query: { id: press, data: "x1", from: { id: ann }, message: { message_id: id } },
    });
    await api.answerCallbackQuery(press, { text: "Done" });
    expect(telegram.answered(press)).toEqual({ text: "Done", alert: false });
    const old =
      "400 Bad Request: query is too old and response timeout expired or query ID is invalid";
    expect(await saidTo(api.answerCallbackQuery(press))).toBe(old);
    const late = telegram.press(ann, id, "x1");
    clock.pass(15_001);
    expect(await saidTo(api.answerCallbackQuery(late))).toBe(old);
    expect(telegram.buttons(ann, id)).toEqual(["Approve"]);
    expect(() => telegram.press(ann, id, "Reject")).toThrow("it has: Approve");
    await api.editMessageText(ann, id, "Gone on.");
    expect(() => telegram.press(ann, id, "Approve")).toThrow("it has: none");
  });

  test("carry 64 bytes, and lead nowhere", async () => {
    const { telegram, api } = await opened();
    telegram.write({ from: ann, text: "hello" });
    expect(await saidTo(api.sendMessage(ann, "a", keyboard("ü".repeat(32))))).toBe("taken");
    expect(telegram.violations).toEqual([]);
    expect(await saidTo(api.sendMessage(ann, "a", keyboard("ü".repeat(33))))).toBe(
      "400 Bad Request: BUTTON_DATA_INVALID",
    );
    const leads = { inline_keyboard: [[{ text: "Open", url: "https://a.example" }]] };
    await api.sendMessage(ann, "a", { reply_markup: leads });
    expect(telegram.violations.at(-1)).toBe("a button with url");
  });

  test("one that is made up comes as an unknown press", async () => {
    const { telegram, api } = await opened();
    const press = telegram.forgePress({ chatId: ann, messageId: 9, data: "old" });
    expect(await api.getUpdates()).toMatchObject([
      { callback_query: { id: press, data: "old", message: { message_id: 9, date: 0 } } },
    ]);
  });
});

describe("topics", () => {
  test("in a forum: messages land in them, a closed or deleted one refuses", async () => {
    const { telegram, api } = await opened();
    telegram.addBot({ group: forum, from: ann, forum: true });
    const topic = telegram.openTopic({ chatId: forum, from: ann, name: "Plans" });
    telegram.write({ from: ann, group: forum, topic, text: "here" });
    const updates = await api.getUpdates();
    expect(updates.at(-2)?.message).toMatchObject({ forum_topic_created: { name: "Plans" } });
    expect(updates.at(-1)?.message).toMatchObject({
      message_thread_id: topic,
      is_topic_message: true,
      reply_to_message: { message_id: topic },
    });
    const there = { message_thread_id: topic };
    expect(await api.sendMessage(forum, "a", there)).toMatchObject(there);
    const lost = "400 Bad Request: message thread not found";
    expect(await saidTo(api.sendMessage(forum, "a", { message_thread_id: 1 }))).toBe(lost);
    expect(await saidTo(api.createForumTopic(forum, "Mine"))).toContain("not enough rights");
    telegram.closeTopic(forum, topic);
    expect(await saidTo(api.sendMessage(forum, "a", there))).toBe("400 Bad Request: TOPIC_CLOSED");
    telegram.deleteTopic(forum, topic);
    expect(await saidTo(api.sendMessage(forum, "a", there))).toBe(lost);
    expect(telegram.seen(forum)).toEqual([]);
  });

  test("in a private chat: a name of its own, and nobody tells of a deleted one", async () => {
    const { telegram, api } = await opened();
    const topic = telegram.openTopic({ chatId: ann, from: ann });
    expect((await api.getUpdates())[0]?.message).toMatchObject({
      message_thread_id: topic,
      is_topic_message: true,
      forum_topic_created: { is_name_implicit: true },
    });
    await api.editForumTopic(ann, topic, { name: "Weather" });
    expect(telegram.world.chats.get(ann)?.topics.get(topic)).toMatchObject({
      name: "Weather",
      implicit: false,
    });
    const made = await api.createForumTopic(ann, "Report");
    expect(made.name).toBe("Report");
    telegram.deleteTopic(ann, topic);
    await api.sendMessage(ann, "a", { message_thread_id: topic });
    expect(telegram.seen(ann)).toMatchObject([{ texts: ["a"], topic: undefined }]);
  });

  test("a bot without topic mode has none, and a plain group neither", async () => {
    const { telegram, api } = await opened({ topics: false });
    telegram.write({ from: ann, text: "hello" });
    telegram.addBot({ group: -5, from: ann });
    expect(await api.getMe()).toMatchObject({ has_topics_enabled: false });
    for (const chat of [ann, -5]) {
      expect(await saidTo(api.createForumTopic(chat, "A"))).toBe(
        "400 Bad Request: the chat is not a forum",
      );
    }
  });
});

describe("groups", () => {
  test("with privacy mode the bot hears what is meant for it", async () => {
    const { telegram, api } = await opened({ privacy: true });
    telegram.addBot({ group: -5, from: ann });
    const { message_id: mine } = await api.sendMessage(-5, "I am here");
    telegram.write({ from: ann, group: -5, text: "among us" });
    telegram.write({ from: ann, group: -5, text: "/stop" });
    telegram.write({ from: ann, group: -5, text: "hey @heron_bot" });
    telegram.write({ from: ann, group: -5, text: "yes", replyTo: mine });
    const texts = (await api.getUpdates()).flatMap(({ message }) => message?.text ?? []);
    expect(texts).toEqual(["/stop", "hey @heron_bot", "yes"]);
    expect(await api.getMe()).toMatchObject({ can_read_all_group_messages: false });
  });

  test("anonymous admins, other bots, channels, forwards and edits are what they are", async () => {
    const { telegram, api } = await opened();
    telegram.addBot({ group: -5, from: ann });
    telegram.write({ from: ann, group: -5, text: "a", as: "anonymous" });
    telegram.write({ from: 900, group: -5, text: "b", as: "bot" });
    telegram.post(-1_000_000_000_900, "news");
    const messageId = telegram.write({ from: ann, text: "/stop", forwarded: true });
    telegram.change({ from: ann, messageId, text: "/stop all" });
    expect((await api.getUpdates()).slice(2)).toMatchObject([
      { message: { text: "a", sender_chat: { id: -5 } } },
      { message: { text: "b", from: { id: 900, is_bot: true } } },
      { channel_post: { text: "news", chat: { type: "channel" } } },
      { message: { text: "/stop", forward_origin: { type: "hidden_user" } } },
      { edited_message: { text: "/stop all", edit_date: 1000 } },
    ]);
    expect(await api.getChatMember(-5, ann)).toMatchObject({ status: "member" });
    expect(await api.getChat(-5)).toMatchObject({ type: "group" });
  });
});

describe("files", () => {
  test("come in, and are fetched up to 20 MB", async () => {
    const { telegram, api } = await opened();
    const bytes = new TextEncoder().encode("one,two");
    telegram.write({ from: ann, text: "look", file: { kind: "document", name: "a.csv", bytes } });
    telegram.write({
      from: ann,
      text: "",
      file: { kind: "video", name: "a.mp4", bytes: 100 * 1024 * 1024 },
    });
    const [first, second] = await api.getUpdates();
    const { document, caption } = first?.message ?? {};
    expect([document?.file_name, caption]).toEqual(["a.csv", "look"]);
    const { file_path: path } = await api.getFile(document?.file_id ?? "");
    const response = await fetch(`${telegram.url}/file/bot${telegram.token}/${path}`);
    expect(await response.text()).toBe("one,two");
    telegram.fail({ method: "download", kind: "lost" });
    const half = fetch(`${telegram.url}/file/bot${telegram.token}/${path}`);
    await expect(half.then((taken) => taken.text())).rejects.toThrow("terminated");
    const large = second?.message?.video?.file_id ?? "";
    expect(await saidTo(api.getFile(large))).toBe("400 Bad Request: file is too big");
    expect(await saidTo(api.getFile("nothing"))).toContain("wrong file_id");
  });

  test("go out by upload, and once more by their number", async () => {
    const { telegram, api } = await opened();
    const first = telegram.write({ from: ann, text: "hello" });
    const sent = await api.sendDocument(ann, new InputFile(Buffer.from("code"), "main.ts"), {
      caption: "The code",
      reply_parameters: { message_id: first },
      ...keyboard("x"),
    });
    expect(telegram.seen(ann)).toMatchObject([
      { texts: ["The code"], replyTo: first, looks: [{ file: { name: "main.ts", size: 4 } }] },
    ]);
    await api.sendDocument(ann, sent.document.file_id);
    expect(await saidTo(api.sendPhoto(ann, sent.document.file_id))).toContain("can't use file");
    await api.editMessageMedia(ann, sent.message_id, {
      type: "photo",
      media: new InputFile(Buffer.from("png"), "a.png"),
    });
    expect(telegram.seen(ann)[0]?.looks.map(({ file }) => file?.kind)).toEqual([
      "document",
      "photo",
    ]);
    const words = { caption: "a".repeat(1025) };
    expect(await saidTo(api.sendDocument(ann, sent.document.file_id, words))).toBe(
      "400 Bad Request: message caption is too long",
    );
    const huge = new InputFile(Buffer.alloc(11 * 1024 * 1024), "a.png");
    expect(await saidTo(api.sendPhoto(ann, huge))).toBe("413 Request Entity Too Large");
  });
});

test("commands are kept by scope", async () => {
  const { telegram, api } = await opened();
  const help = [{ command: "help", description: "What I can do" }];
  await api.setMyCommands(help, { scope: { type: "all_private_chats" } });
  expect(await api.getMyCommands({ scope: { type: "all_private_chats" } })).toEqual(help);
  expect(await api.getMyCommands()).toEqual([]);
  telegram.write({ from: ann, text: "hello" });
  await api.sendChatAction(ann, "typing");
  expect(telegram.world.actions).toMatchObject([{ chatId: ann, topic: undefined }]);
});
