import type { Update as TelegramUpdate } from "grammy/types";
import { toUpdate } from "../../bots/telegram/events.ts";
import type { ChatEvent } from "../../src/core/chat.ts";

/** The bot that updates are for. */
export const me = { id: 4242, username: "Heron_Bot", readsGroups: false };
/** A person. */
export const ann = { id: 77, is_bot: false, first_name: "Ann", last_name: "Lee" };
/** Her private chat. */
export const direct = { id: 77, type: "private", first_name: "Ann" } as const;
/** A group with topics. */
export const group = { id: -100500, type: "supergroup", title: "Birds" } as const;
/** The bot as others see it. */
export const heron = { id: me.id, is_bot: true, first_name: "Heron" };

/** An update as it comes over the wire, where types promise nothing. */
export function update(content: object): TelegramUpdate {
  return JSON.parse(JSON.stringify({ update_id: 9, ...content }));
}

/** What an update means. */
export function eventOf(content: object): ChatEvent {
  return toUpdate(update(content), me).event;
}

/** What a message of the private chat means, with these fields of its own. */
export function said(own: object): ChatEvent {
  return eventOf({ message: { message_id: 5, date: 1, chat: direct, from: ann, ...own } });
}

/** The same in the group. */
export function inGroup(own: object): ChatEvent {
  return said({ chat: group, ...own });
}

/** Telegram's mark of the bot's name. */
export const mention = (offset: number) => [{ type: "mention", offset, length: 10 }];
/** Telegram's mark of a command. */
export const command = (length: number) => [{ type: "bot_command", offset: 0, length }];
