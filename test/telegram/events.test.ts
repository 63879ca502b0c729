import { describe, expect, test } from "vitest";

import { toUpdate } from "../../bots/telegram/events.ts";
import {
  ann,
  command,
  direct,
  eventOf,
  group,
  heron,
  inGroup,
  me,
  mention,
  said,
  update,
} from "./sample-updates.ts";

describe("a message", () => {
  test("of a private chat is for us, with its sender by number", () => {
    expect(said({ text: "hello" })).toEqual({
      type: "message",
      place: { platform: "telegram", address: "77", kind: "direct" },
      from: { platform: "telegram", accountId: "77", name: "Ann Lee", kind: "person" },
      messageId: "5",
      text: "hello",
      replyTo: null,
      addressed: true,
      forwarded: false,
      attachments: [],
    });
    expect(toUpdate(update({}), me).updateId).toBe("9");
  });

  test("in a topic is in a chat of its own, and in General or in a mere thread it is not", () => {
    const topic = { text: "x", message_thread_id: 12 };
    const addressOf = (own: object) => {
      const event = inGroup(own);
      return event.type === "message" ? event.place.address : event.type;
    };
    expect(addressOf({ ...topic, is_topic_message: true })).toBe("-100500/12");
    expect(addressOf(topic)).toBe("-100500");
    expect(addressOf({ ...topic, message_thread_id: 1, is_topic_message: true })).toBe("-100500");
    expect(said({ ...topic, is_topic_message: true })).toMatchObject({
      place: { address: "77/12", kind: "direct" },
    });
  });

  test("in a topic is no reply to the topic's first message, also where we opened it", () => {
    const topic = { text: "x", message_thread_id: 12, is_topic_message: true };
    const head = { message_id: 12, from: heron, forum_topic_created: { name: "Task" } };
    const heads = [head, { ...head, message_id: 11 }, { message_id: 12, from: heron }];
    for (const reply_to_message of heads) {
      expect(inGroup({ ...topic, reply_to_message })).toMatchObject({
        replyTo: null,
        addressed: false,
      });
    }
    expect(inGroup({ ...topic, reply_to_message: { message_id: 13, from: heron } })).toMatchObject({
      replyTo: "13",
      addressed: true,
    });
  });

  test.each([
    ["plain words", { text: "nothing for you" }, false],
    [
      "a mention anywhere, in any case",
      { text: "so @HERON_bot, what?", entities: mention(3) },
      true,
    ],
    ["a mention in a caption", { caption: "@heron_bot", caption_entities: mention(0) }, true],
    [
      "a mention by number",
      { text: "Heron?", entities: [{ type: "text_mention", offset: 0, length: 5, user: heron }] },
      true,
    ],
    [
      "a mention of somebody else by number",
      { text: "Bob?", entities: [{ type: "text_mention", offset: 0, length: 3, user: ann }] },
      false,
    ],
    [
      "another name that begins alike",
      { text: "@heron_bot2 x", entities: [{ type: "mention", offset: 0, length: 11 }] },
      false,
    ],
    ["words that Telegram did not mark", { text: "@heron_bot", entities: [] }, true],
    ["a reply to us", { text: "why?", reply_to_message: { message_id: 3, from: heron } }, true],
    ["a reply to another", { text: "why?", reply_to_message: { message_id: 3, from: ann } }, false],
    ["a command", { text: "/status", entities: command(7) }, true],
    ["a command for us", { text: "/status@heron_BOT", entities: command(17) }, true],
    ["a command for another", { text: "/status@other_bot", entities: command(17) }, false],
    [
      "a command for another, as a reply to us",
      {
        text: "/status@other_bot",
        entities: command(17),
        reply_to_message: { message_id: 3, from: heron },
      },
      false,
    ],
    [
      "a command in the middle",
      { text: "try /status", entities: [{ type: "bot_command", offset: 4, length: 7 }] },
      false,
    ],
    [
      "a mention in a rich message",
      {
        rich_message: {
          blocks: [{ type: "paragraph", text: ["so ", { type: "mention", text: "@heron_bot" }] }],
        },
      },
      true,
    ],
  ])("of a group with %s", (_, own, addressed) => {
    expect(inGroup(own)).toMatchObject({ type: "message", addressed });
  });

  test("loses the mention at its beginning, and no more than that", () => {
    expect(inGroup({ text: "@heron_bot, what?", entities: mention(0) })).toMatchObject({
      text: "what?",
    });
    expect(inGroup({ text: "@heron_bot", entities: mention(0) })).toMatchObject({ text: "" });
    const other = [{ type: "mention", offset: 0, length: 11 }];
    expect(inGroup({ text: "@heron_bot2 x", entities: other })).toMatchObject({
      text: "@heron_bot2 x",
    });
  });

  test("that somebody else wrote first is forwarded, also where another bot put it in", () => {
    const origin = { type: "hidden_user", sender_user_name: "Somebody", date: 1 };
    expect(said({ text: "/stop", forward_origin: origin })).toMatchObject({ forwarded: true });
    expect(said({ text: "/stop", via_bot: { id: 1, is_bot: true } })).toMatchObject({
      forwarded: true,
    });
    expect(said({ text: "/stop", via_bot: heron })).toMatchObject({ forwarded: false });
  });

  test("of an anonymous admin or a channel is of nobody who can be told, and one of a bot is a bot's", () => {
    const stand = { id: 1087968824, is_bot: true, first_name: "Group" };
    const nobody = { from: { accountId: "0", kind: "unknown", name: "" } };
    expect(inGroup({ text: "x", from: stand, sender_chat: group })).toMatchObject(nobody);
    expect(inGroup({ text: "x", from: undefined })).toMatchObject(nobody);
    expect(inGroup({ text: "x", from: { ...stand, id: 8 } })).toMatchObject({
      from: { accountId: "8", kind: "bot" },
    });
  });

  test.each([
    ["a channel post", { channel_post: { message_id: 1, chat: { id: -1, type: "channel" } } }],
    [
      "a message in a channel",
      { message: { message_id: 1, chat: { id: -1, type: "channel" }, text: "x" } },
    ],
    ["a guest's message", { guest_message: { message_id: 1, chat: group, text: "x" } }],
    [
      "a guest's message as a message",
      { message: { message_id: 1, chat: group, text: "x", guest_query_id: "q" } },
    ],
    [
      "a business account's message",
      { business_message: { message_id: 1, chat: direct, text: "x" } },
    ],
    [
      "the same as a message",
      { message: { message_id: 1, chat: direct, text: "x", business_connection_id: "b" } },
    ],
    [
      "a channel's inbox",
      { message: { message_id: 1, chat: { ...group, is_direct_messages: true }, text: "x" } },
    ],
    [
      "a message that only its receiver sees",
      { message: { message_id: 0, chat: group, text: "x" } },
    ],
    [
      "a pinned message",
      {
        message: {
          message_id: 1,
          chat: direct,
          pinned_message: { message_id: 2, chat: direct, date: 0 },
        },
      },
    ],
    ["a new member", { message: { message_id: 1, chat: group, new_chat_members: [ann] } }],
    [
      "an edited service message",
      { edited_message: { message_id: 1, chat: group, new_chat_title: "x" } },
    ],
    ["a poll that goes on", { poll: { id: "1" } }],
    ["a kind from the future", { something_new: { message_id: 1 } }],
    ["nothing at all", {}],
  ])("of no meaning to us: %s", (_, content) => {
    expect(eventOf(content)).toEqual({ type: "nothing" });
  });
});
