import type {
  Account,
  ChatPlatform,
  IncomingJoin,
  IncomingMessage,
  Place,
  Sender,
  Update,
} from "./chat.ts";

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
  /** Stores a code; earlier ones for the same purpose, person, account and name are used no more. */
  addCode(code: NewCode): Promise<void>;
  /** Codes for this purpose that have not expired and have tries left. */
  openCodes(purpose: CodePurpose): Promise<OpenCode[]>;
  /** A wrong code was typed: every open code of this purpose loses a try. */
  missCodes(purpose: CodePurpose): Promise<void>;
  /**
   * Uses a code: the account becomes that person's, or a new member's, in one commit; a direct chat that was another person's begins
   * afresh. The code is gone in any case. Undefined where it was gone before or is for another account, where the account is
   * somebody's, and where the person to be linked to has no account any more.
   */
  useCode(id: number, account: Account & Pick<Sender, "name">): Promise<KnownPerson | undefined>;
  /**
   * The account is a stranger's again, in one commit with all that ends by it: the person's open questions and tasks in its chats
   * end, what was to be sent of them is not sent, and the buttons there do nothing. A task that is being worked is cancelled in the
   * store too, so that it does not go on after a crash; whoever works it stops it.
   */
  removeAccount(account: Account): Promise<Removal>;
  /** Removes a member with all accounts; the tasks stay as history. The owner cannot be removed. */
  removePerson(personId: string): Promise<Removal>;
}

/** What came of removing an account or a person. */
export interface Removal {
  /** False where it was nobody's, or cannot be removed. */
  readonly removed: boolean;
  /** Tasks that were being worked: they are to be stopped. */
  readonly running: readonly string[];
}

/** What a sender is to us. */
export type Standing =
  | { readonly role: "owner" | "member"; readonly personId: string }
  | { readonly role: "stranger" };

/** One of our people, where they may talk. */
export type Admitted = Exclude<Standing, { readonly role: "stranger" }>;

/** A code as a person reads it; it is shown once and kept nowhere. */
export interface ShownCode {
  readonly code: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** An account with the name it came with. */
export type NamedAccount = Account & Pick<Sender, "name">;

/** What the owner does about people; each rejects with an AppError `people.…` that says what is wrong. */
export interface PeopleDesk {
  /** Everybody, the owner first, with the accounts that the settings name. */
  list(): Promise<KnownPerson[]>;
  /** A code that makes whoever types it a member of this name. */
  invite(name: string): Promise<ShownCode>;
  /** A code that makes the account it is typed in the owner's. */
  pairCode(): Promise<ShownCode>;
  /** A code that makes the account it is typed in this person's. */
  linkCode(personId: string): Promise<ShownCode>;
  /** Takes the code that the bot showed to a stranger: that account is the owner's now. */
  claim(code: string): Promise<NamedAccount>;
  /** Removes a member by name. */
  remove(name: string): Promise<KnownPerson>;
  /** Removes an account, written as telegram:99 or 99; gives whose it was. */
  unlink(account: string): Promise<KnownPerson>;
}

/** Who may talk, and how they come and go. One process holds it at a time, so what it remembers is true. */
export interface People extends PeopleDesk {
  /**
   * What a sender is to us; bots and those who cannot be told are strangers. With a place, everybody is a stranger in a group that
   * the owner has not opened to them. Asks the store once for an account.
   */
  authorise(from: Sender, place?: Place): Promise<Standing>;
  /**
   * Takes codes out of messages before they are stored: the message then says in `code` what was found, and its words are gone.
   * Everything else is given back as it came.
   */
  screen(updates: readonly Update[]): Promise<Update[]>;
  /**
   * Whose message is to be answered; undefined where none is. A code is used, a stranger is told how to get in, and the owner how a
   * group is opened.
   */
  admit(platform: ChatPlatform, message: IncomingMessage): Promise<Admitted | undefined>;
  /** Tells one of our people who brought us into a group what holds there: how it is opened, or what is heard in it. */
  welcome(platform: ChatPlatform, join: IncomingJoin): Promise<void>;
  /** Hears of tasks that are to be stopped, because their person was removed. */
  onRemoved(stop: (running: readonly string[]) => void): void;
}
