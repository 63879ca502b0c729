import type { Api } from "grammy";

import { reasonOf } from "#core/errors.ts";
import type { Log } from "#core/log.ts";

import type { Me } from "./events.ts";

/** A command for Telegram's menu. */
export interface MenuCommand {
  readonly name: string;
  readonly about: string;
  /** Who is shown it: everybody, everybody in a private chat, or the owner in the private chat. */
  readonly shownTo: "all" | "direct" | "owner";
}

/** More would hide those that are used; /help has all. */
const mostCommands = 12;
const longestAbout = 256;

type Scope =
  | { readonly type: "all_private_chats" | "all_group_chats" }
  | { readonly type: "chat"; readonly chat_id: number };

/** Telegram takes lower-case names alone, and shows the first line of a long list. */
function entriesOf(commands: readonly MenuCommand[]) {
  return commands
    .filter(({ name }) => /^[a-z0-9_]{1,32}$/.test(name))
    .slice(0, mostCommands)
    .map(({ name, about }) => ({
      command: name,
      description: about.slice(0, longestAbout).toWellFormed() || name,
    }));
}

/** The menus, each with where it is shown; the most particular one that fits a chat is the one that Telegram shows there. */
function menusOf(commands: readonly MenuCommand[], owners: readonly number[]) {
  const shown = (...to: readonly MenuCommand["shownTo"][]) =>
    entriesOf(commands.filter(({ shownTo }) => to.includes(shownTo)));
  const own = shown("all", "direct", "owner");
  const menus: { readonly scope: Scope; readonly entries: ReturnType<typeof entriesOf> }[] = [
    { scope: { type: "all_private_chats" }, entries: shown("all", "direct") },
    { scope: { type: "all_group_chats" }, entries: shown("all") },
    ...owners.map((id) => ({ scope: { type: "chat", chat_id: id } as const, entries: own })),
  ];
  return menus;
}

/**
 * Keeps Telegram's menu of commands as it should be. What it gives sends the commands, those used most first, where they are others
 * than those it sent before; it never rejects, since a menu is only a help, and a refused one is tried again the next time.
 */
export function createCommandMenu(api: Pick<Api, "setMyCommands">, log: Log) {
  const sent = new Map<string, string>();
  return async (commands: readonly MenuCommand[], owners: readonly number[]): Promise<void> => {
    for (const { scope, entries } of menusOf(commands, owners)) {
      const [place, menu] = [JSON.stringify(scope), JSON.stringify(entries)];
      if (sent.get(place) === menu) continue;
      try {
        await api.setMyCommands(entries, { scope });
        sent.set(place, menu);
      } catch (error) {
        log.warn("commands not shown in Telegram's menu", {
          scope: place,
          reason: reasonOf(error),
        });
      }
    }
  };
}

/** What people are told in a group in which Telegram hands over only some messages; undefined where the bot is given all of them. */
export function explainPrivacy({ username, readsGroups }: Me): string | undefined {
  if (readsGroups) return undefined;
  return (
    `In groups Telegram hands me only messages that name @${username}, replies to mine, and commands: begin with @${username}, ` +
    "or answer one of my messages. To let me read everything, turn privacy mode off at @BotFather (/setprivacy), then remove me " +
    "from the group and add me again."
  );
}
