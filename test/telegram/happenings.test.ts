import { describe, expect, test } from "vitest";

import { ann, direct, eventOf, group, heron, inGroup, mention, said } from "./sample-updates.ts";

describe("what else happens", () => {
  test("an edit changes a message, by its number", () => {
    const edited = {
      message_id: 5,
      chat: group,
      from: ann,
      edit_date: 2,
      text: "@heron_bot better",
      entities: mention(0),
    };
    expect(eventOf({ edited_message: edited })).toMatchObject({
      type: "edit",
      place: { address: "-100500" },
      messageId: "5",
      text: "better",
      from: { accountId: "77" },
    });
  });

  test("a press names its button, its message and its topic", () => {
    const message = {
      message_id: 8,
      date: 1,
      chat: group,
      message_thread_id: 12,
      is_topic_message: true,
    };
    expect(eventOf({ callback_query: { id: "q", from: ann, data: "b1", message } })).toEqual({
      type: "press",
      place: { platform: "telegram", address: "-100500/12", kind: "group" },
      from: { platform: "telegram", accountId: "77", name: "Ann Lee", kind: "person" },
      pressId: "q",
      messageId: "8",
      button: "b1",
    });
  });

  test("a press of what is not there, or none of ours, is acknowledged all the same", () => {
    const gone = { message_id: 8, date: 0, chat: group };
    const base = { id: "q", from: ann };
    expect(eventOf({ callback_query: { ...base, data: "old", message: gone } })).toMatchObject({
      type: "press",
      place: { address: "-100500" },
      button: "old",
    });
    expect(
      eventOf({ callback_query: { ...base, game_short_name: "g", message: gone } }),
    ).toMatchObject({
      button: "",
    });
    expect(
      eventOf({ callback_query: { ...base, data: "x", inline_message_id: "i" } }),
    ).toMatchObject({
      type: "press",
      pressId: "q",
      place: { address: "77", kind: "direct" },
      button: "",
    });
  });

  test("a reaction is its emojis; an anonymous one is of nobody", () => {
    const changed = { chat: group, message_id: 8, date: 1, old_reaction: [] };
    const new_reaction = [
      { type: "emoji", emoji: "👍" },
      { type: "custom_emoji", custom_emoji_id: "55" },
      { type: "paid" },
    ];
    expect(eventOf({ message_reaction: { ...changed, user: ann, new_reaction } })).toMatchObject({
      type: "reaction",
      from: { accountId: "77" },
      messageId: "8",
      reactions: ["👍", "custom:55", "paid"],
    });
    expect(
      eventOf({ message_reaction: { ...changed, actor_chat: group, new_reaction: [] } }),
    ).toMatchObject({ from: { kind: "unknown" }, reactions: [] });
  });

  const member = (status: string, own: object = {}) => ({ user: heron, status, ...own });
  const restricted = (is_member: boolean) => member("restricted", { is_member });

  test.each([
    ["added to a group", member("left"), member("member")],
    ["added again after it was removed", member("kicked"), member("administrator")],
    ["added without the right to write", member("left"), restricted(true)],
  ])("the bot was %s", (_, before, now) => {
    const change = { chat: group, from: ann, date: 1, old_chat_member: before };
    expect(eventOf({ my_chat_member: { ...change, new_chat_member: now } })).toEqual({
      type: "join",
      place: { platform: "telegram", address: String(group.id), kind: "group" },
      from: expect.objectContaining({ accountId: "77" }),
    });
  });

  test.each([
    ["blocked", direct, member("member"), member("kicked")],
    ["unblocked", direct, member("kicked"), member("member")],
    ["removed from a group", group, member("member"), member("kicked")],
    ["made an admin of it", group, member("member"), member("administrator")],
    ["given the right to write", group, restricted(true), member("member")],
    ["restricted and outside", group, member("left"), restricted(false)],
  ])("that the bot was %s means nothing", (_, chat, before, now) => {
    const change = { chat, from: ann, date: 1, old_chat_member: before, new_chat_member: now };
    expect(eventOf({ my_chat_member: change })).toEqual({ type: "nothing" });
  });

  test("a group that became a supergroup is told of twice, and means the same", () => {
    const old = { id: -500, type: "group", title: "Birds" };
    const move = { type: "move", place: { address: "-500", kind: "group" }, to: "-100500" };
    expect(inGroup({ chat: old, migrate_to_chat_id: -100500 })).toMatchObject(move);
    expect(inGroup({ migrate_from_chat_id: -500 })).toMatchObject(move);
  });

  test("a topic is opened, with a name of somebody's or one that was made up", () => {
    const opened = { message_thread_id: 12, is_topic_message: true };
    expect(
      said({ ...opened, forum_topic_created: { name: "New", is_name_implicit: true } }),
    ).toMatchObject({
      type: "topic",
      place: { address: "77/12" },
      named: false,
    });
    expect(said({ ...opened, forum_topic_created: { name: "Trip" } })).toMatchObject({
      named: true,
    });
  });

  test("the stop button of a draft stops what is written in its topic", () => {
    const stopped = { chat: direct, draft_id: 3, message_thread_id: 12 };
    expect(eventOf({ stopped_message_generation: stopped })).toEqual({
      type: "stop",
      place: { platform: "telegram", address: "77/12", kind: "direct" },
      from: { platform: "telegram", accountId: "77", name: "Ann", kind: "person" },
    });
  });
});
