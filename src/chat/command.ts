import type { ChatPlatform } from "#core/chat.ts";
import type { Chat } from "#core/chat-store.ts";

/** A command as it was written. */
export interface CommandCall {
  readonly name: string;
  /** What follows the name. */
  readonly words: string;
}

/** Where a command was given, and by whom. */
export interface CommandPlace {
  readonly platform: ChatPlatform;
  readonly chat: Chat;
  readonly personId: string;
  readonly role: "owner" | "member";
}

/** A command: what it is for, who is shown it, and what it says. */
export interface Command {
  readonly name: string;
  readonly about: string;
  readonly shownTo: "all" | "direct" | "owner";
  readonly run: (call: CommandCall, place: CommandPlace) => Promise<string>;
}
