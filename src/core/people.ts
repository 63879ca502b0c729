import type { Sender } from "./chat.ts";

/** What a sender is to us. */
export type Standing =
  | { readonly role: "owner" | "member"; readonly personId: string }
  | { readonly role: "stranger" };

/** Who may talk. */
export interface People {
  /** Asked for every event before anything else; bots and those that cannot be told are strangers. */
  authorise(sender: Sender): Promise<Standing>;
}
