import { z } from "zod";

import { privacyRules } from "./privacy.ts";

const days = z.int().min(1).max(36_500);
const id = z.string().min(1).max(200);
const terminalChat = z.string().regex(/^terminal:[a-z0-9][a-z0-9-]{0,30}$/);
const nothing = z.strictObject({});

/** The schema of each operation's input. */
export const operationInputs = {
  status: nothing,
  /** Stores a request and works it. `taskId` is the id it gets: asked again with the same one, nothing is done twice. */
  ask: z.strictObject({
    taskId: z
      .string()
      .regex(/^[0-9A-HJKMNP-TV-Z]{16}$/)
      .optional(),
    chatId: id,
    personId: id,
    words: z.string().min(1),
    agent: z.string().optional(),
    tier: z.string().optional(),
    newConversation: z.boolean().optional(),
    localOnly: z.boolean().optional(),
  }),
  /** Shows a chat of the terminal until its watcher leaves; what came while nobody was there comes first. */
  attend: z.strictObject({ chatId: terminalChat }),
  /**
   * Says something in a chat of the terminal; resolves when all that follows from it is answered and shown, or waits for a person.
   * Said again with the same `sayId` it is said once.
   */
  say: z.strictObject({
    sayId: id.optional(),
    chatId: terminalChat,
    words: z.string().min(1),
  }),
  /** Newest first. */
  tasks: z.strictObject({
    limit: z.int().min(1).max(10_000),
    search: z.string().optional(),
    personId: id.optional(),
  }),
  /** The one task whose id ends with these characters. */
  task: z.strictObject({ ending: z.string().min(1).max(100) }),
  /** Oldest first, those after the task `after`. */
  export: z.strictObject({ after: id.nullable(), limit: z.int().min(1).max(1000) }),
  stats: z.strictObject({ days }),
  models: nothing,
  /** The candidates of a tier, or of a word that means one, in the order they would be tried. */
  explain: z.strictObject({ tier: z.string() }),
  /** Whose these words are, by every stage; `is` is the owner's word, which is stored. */
  votes: z.strictObject({ words: z.string().min(1), is: z.string().optional() }),
  pull: z.strictObject({ name: z.string().min(1) }),
  doctor: nothing,
  person: z.strictObject({ personId: id }),
  setPerson: z.strictObject({
    personId: id,
    timeZone: z.string().nullable().optional(),
    language: z.string().nullable().optional(),
  }),
  people: nothing,
  /** A code that makes whoever types it a member of this name. */
  invite: z.strictObject({ name: z.string().min(1).max(200) }),
  removePerson: z.strictObject({ name: z.string().min(1).max(200) }),
  /** Removes one account, such as telegram:99. */
  unlink: z.strictObject({ account: id }),
  /** A code that makes the account it is typed in the owner's. */
  pairCode: nothing,
  /** Makes the account that the bot showed this code to the owner's. */
  claim: z.strictObject({ code: z.string().min(1).max(40) }),
  /** Asks Telegram whose token this is. */
  checkBot: z.strictObject({ token: z.string().min(1).max(200) }),
  privacy: nothing,
  /** Makes a rule hold, or not any more; null is everywhere. */
  setPrivacy: z.strictObject({
    rule: z.enum(privacyRules),
    holds: z.boolean(),
    chatId: id.nullable(),
  }),
  checkPrivacy: nothing,
  /** Ends a service: what runs is finished, or parked after ten seconds. False where the holder is no service. */
  shutdown: nothing,
};
