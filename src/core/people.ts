import type { Account, Sender } from "./chat.ts";

/** A person who may talk to the agent. */
export interface KnownPerson {
  readonly id: string;
  readonly role: "owner" | "member";
  /** What the person is called; only for people to read. */
  readonly name: string | null;
  readonly accounts: readonly (Account & { readonly name: string })[];
}

/**
 * What a six-digit code is for: `pair` is shown in the terminal and makes an account the owner's; `claim` is shown by the bot to a
 * stranger and does the same when the owner types it at the terminal; `link` is asked for in a paired chat and adds an account to
 * that person; `invite` makes a new member.
 */
export type CodePurpose = "pair" | "claim" | "link" | "invite";

/** A code that was made; it is stored as a salted hash only. */
export interface NewCode {
  readonly purpose: CodePurpose;
  /** Whose account it will be; null where a new member is made. */
  readonly personId: string | null;
  /** The account that a `claim` is for. */
  readonly account: (Account & { readonly name: string }) | null;
  /** The new member's name. */
  readonly name: string | null;
  readonly salt: string;
  readonly hash: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  readonly triesLeft: number;
}

/** A code that may still be used. */
export interface OpenCode extends NewCode {
  readonly id: number;
}

/** People, their accounts and the codes that connect the two. Promises resolve after the commit. */
export interface PeopleStore {
  /** Everybody, the owner first, then by when they came. */
  people(): Promise<KnownPerson[]>;
  /** Whose account it is; undefined is a stranger. */
  personOf(account: Account): Promise<KnownPerson | undefined>;
  /** Stores a code; earlier ones for the same purpose, person and account are used no more. */
  addCode(code: NewCode): Promise<void>;
  /** Codes for this purpose that have not expired and have tries left. */
  openCodes(purpose: CodePurpose): Promise<OpenCode[]>;
  /** A wrong code was typed: every open code of this purpose loses a try. */
  missCodes(purpose: CodePurpose): Promise<void>;
  /**
   * Uses a code: the account becomes that person's, or a new member's, and the code is gone, in one commit. Undefined, and nothing
   * changed, where the code is gone already or the account is somebody's.
   */
  useCode(id: number, account: Account & Pick<Sender, "name">): Promise<KnownPerson | undefined>;
  /**
   * The account is a stranger's again, in one commit with all that ends by it: the person's open questions in its chats close.
   * False where it was nobody's.
   */
  removeAccount(account: Account): Promise<boolean>;
  /** Removes a member with all accounts; the tasks stay as history. The owner cannot be removed: false. */
  removePerson(personId: string): Promise<boolean>;
}

/** What a sender is to us. */
export type Standing =
  | { readonly role: "owner" | "member"; readonly personId: string }
  | { readonly role: "stranger" };

/** Who may talk, and how somebody comes to. */
export interface People {
  /** Asked for every event before anything else; bots and those that cannot be told are strangers. */
  authorise(sender: Sender): Promise<Standing>;
}
