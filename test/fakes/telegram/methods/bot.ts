import { botUser, chatOf, userOf } from "../draw.ts";
import { bad } from "../refusal.ts";
import { bot, type Chat, personIn, type World } from "../world.ts";

import { chatFor } from "./checks.ts";
import { type Context, type Handler, type Input, on, type Result } from "./context.ts";

function getMe({ world }: Context): Result {
  const { topics, privacy } = world.settings;
  return {
    ...botUser,
    can_join_groups: true,
    can_read_all_group_messages: !privacy,
    supports_inline_queries: false,
    can_connect_to_business: false,
    has_main_web_app: false,
    has_topics_enabled: topics,
    allows_users_to_create_topics: topics,
    can_manage_bots: false,
    supports_join_request_queries: false,
  };
}

const mostCommands = 100;

function scopeOf(input: { readonly scope?: object; readonly language_code?: string }): string {
  return JSON.stringify([input.scope ?? { type: "default" }, input.language_code ?? ""]);
}

function setMyCommands({ world }: Context, input: Input<"setMyCommands">): Result {
  const { commands, scope } = input;
  if (scope !== undefined && "chat_id" in scope) chatFor(world, scope.chat_id);
  if (commands.length > mostCommands) throw bad("BOT_COMMANDS_TOO_MUCH");
  for (const { command } of commands) {
    if (!/^[a-z0-9_]{1,32}$/.test(command)) throw bad("BOT_COMMAND_INVALID");
  }
  world.commands.set(scopeOf(input), commands);
  return true;
}

function deleteMyCommands({ world }: Context, input: Input<"deleteMyCommands">): Result {
  world.commands.delete(scopeOf(input));
  return true;
}

function getChat({ world }: Context, input: Input<"getChat">): Result {
  const chat = chatFor(world, input.chat_id);
  const noGifts = {
    unlimited_gifts: false,
    limited_gifts: false,
    unique_gifts: false,
    premium_subscription: false,
  };
  return {
    ...chatOf(world, chat),
    accent_color_id: 0,
    max_reaction_count: 11,
    accepted_gift_types: noGifts,
  };
}

function memberOf(world: World, chat: Chat, id: number): object {
  if (id === bot.id) return { status: chat.bot, user: botUser };
  const isThere = chat.members.has(id) || chat.id === id;
  return { status: isThere ? "member" : "left", user: userOf(personIn(world, id)) };
}

function getChatMember({ world }: Context, input: Input<"getChatMember">): Result {
  const chat = chatFor(world, input.chat_id);
  if (input.user_id !== bot.id && !world.people.has(input.user_id))
    throw bad("PARTICIPANT_ID_INVALID");
  return memberOf(world, chat, input.user_id);
}

function leaveChat({ world }: Context, input: Input<"leaveChat">): Result {
  chatFor(world, input.chat_id).bot = "left";
  return true;
}

/** The bot itself, and what it asks about chats. */
export const botMethods: readonly Handler[] = [
  on("getMe", getMe),
  on("getUpdates", ({ updates, gone }, input) => updates.poll(input, gone)),
  on("deleteWebhook", () => true),
  on("getWebhookInfo", ({ updates }) => ({
    url: "",
    has_custom_certificate: false,
    pending_update_count: updates.waiting(),
  })),
  on("setMyCommands", setMyCommands),
  on("getMyCommands", ({ world }, input) => [...(world.commands.get(scopeOf(input)) ?? [])]),
  on("deleteMyCommands", deleteMyCommands),
  on("getChat", getChat),
  on("getChatMember", getChatMember),
  on("leaveChat", leaveChat),
];
