import type {
  ChatPlatform,
  IncomingEdit,
  IncomingJoin,
  IncomingMessage,
  Place,
  Sender,
  Update,
} from "#core/chat.ts";
import { terminalPlatform } from "#core/chat.ts";
import type { Clock } from "#core/clock.ts";
import type {
  Admitted,
  CodePurpose,
  NamedAccount,
  People,
  PeopleStore,
  Removal,
  Standing,
} from "#core/people.ts";
import { owner } from "#core/person.ts";
import type { ChatPolicy } from "#core/settings.ts";

import { createDesk } from "./people-desk.ts";
import { createPairing, digitsIn, type Pairing } from "./pairing.ts";
import { accountKey, createGuesses, createHints, createRecent, whisper } from "./strangers.ts";

/** What the owner's settings say of a platform. */
export interface PlatformRules {
  /** The owner's numbers. */
  readonly owners: readonly number[];
  /** What holds in a group, by its number. */
  readonly chats: Readonly<Record<string, ChatPolicy>>;
}

/** What people are kept with. */
export interface PeopleDeps {
  readonly store: PeopleStore;
  readonly clock: Clock;
  readonly platforms: Readonly<Record<string, PlatformRules>>;
}

/** Purposes of codes that are typed in a chat. */
const typed: readonly CodePurpose[] = ["pair", "link", "invite"];

/** So many accounts are remembered; beyond that the memory begins afresh. */
const remembered = 10_000;

const stranger: Standing = { role: "stranger" };

/** What is known of accounts, without a query a message. */
function createStandings({ store, platforms }: PeopleDeps) {
  const known = new Map<string, Standing>();
  const state = { changes: 0 };

  /** Whoever can use this machine's data directory owns it; of other accounts the settings name the owner's. */
  function isOwners({ platform, accountId }: Sender): boolean {
    if (platform === terminalPlatform) return true;
    return platforms[platform]?.owners.some((number) => String(number) === accountId) === true;
  }

  async function look(from: Sender, key: string): Promise<Standing> {
    const before = state.changes;
    const person = await store.personOf(from);
    const standing: Standing =
      person === undefined ? stranger : { role: person.role, personId: person.id };
    if (known.size >= remembered) known.clear();
    // What was read before somebody was removed must not be remembered after it.
    if (before === state.changes) known.set(key, standing);
    return standing;
  }

  return {
    forget(accounts: readonly Pick<Sender, "platform" | "accountId">[]): void {
      state.changes += 1;
      for (const account of accounts) known.delete(accountKey(account));
    },
    async of(from: Sender): Promise<Standing> {
      if (from.kind !== "person") return stranger;
      if (isOwners(from)) return { role: "owner", personId: owner };
      const key = accountKey(from);
      return known.get(key) ?? look(from, key);
    },
  };
}

/** What holds in groups. A topic has its group's policy; a group that nobody opened is closed. */
function createPolicies({ platforms, clock }: PeopleDeps) {
  const told = createRecent(clock);
  const groupOf = ({ address }: Place): string => address.split("/", 1)[0] ?? address;

  function policyOf(place: Place): ChatPolicy | undefined {
    return platforms[place.platform]?.chats[groupOf(place)];
  }

  return {
    policyOf,
    allows(place: Place, standing: Standing): boolean {
      if (standing.role === "stranger") return false;
      if (place.kind === "direct") return true;
      const allow = policyOf(place)?.allow ?? "nobody";
      return allow === "people" || (allow === "owner" && standing.role === "owner");
    },
    /** How the owner opens a group that no setting names; told once. */
    async explain(platform: ChatPlatform, place: Place): Promise<void> {
      const group = `${place.platform}:${groupOf(place)}`;
      if (told.ever(group)) return;
      told.note(group);
      const command = `agent config set bots.${place.platform}.chats.${groupOf(place)} people`;
      const line = `I answer nobody in this group until you open it on my machine with ${command} and start the service again.`;
      await whisper(platform, place, line);
    },
  };
}

type Standings = ReturnType<typeof createStandings>;

/** Finds codes in what people write, before it is stored. */
function createScreen({ clock }: PeopleDeps, standings: Standings, pairing: Pairing) {
  const guesses = createGuesses(clock);

  async function codeOf(
    from: Sender,
    digits: string,
  ): Promise<Exclude<IncomingMessage["code"], undefined> | undefined> {
    const isStranger = (await standings.of(from)).role === "stranger";
    if (isStranger && guesses.isSpent(from)) return "ignored";
    const found = await pairing.find(digits, typed);
    if (found !== undefined) return found.id;
    // Six digits of one of our people that are no code are a message like any other.
    if (!isStranger) return undefined;
    guesses.note(from);
    return "wrong";
  }

  async function screened(event: IncomingMessage | IncomingEdit, digits: string) {
    if (event.type === "message") {
      const code = await codeOf(event.from, digits);
      return code === undefined ? event : { ...event, text: "", code };
    }
    const { role } = await standings.of(event.from);
    return role === "stranger" ? { ...event, text: "" } : event;
  }

  return async (update: Update): Promise<Update> => {
    const { event, updateId } = update;
    if (event.type !== "message" && event.type !== "edit") return update;
    if (event.place.kind !== "direct" || event.from.kind !== "person") return update;
    const digits = digitsIn(event.text);
    return digits === undefined ? update : { updateId, event: await screened(event, digits) };
  };
}

const wrongLine =
  "That code is wrong or too old. After five wrong ones a new one has to be made, and I am silent for ten minutes.";

/** Uses a code that was found, and says what came of it. */
function createCodes({ store }: PeopleDeps, standings: Standings) {
  async function outcome({ code, from }: IncomingMessage): Promise<string> {
    if (typeof code !== "number") {
      await Promise.all(typed.map((purpose) => store.missCodes(purpose)));
      return wrongLine;
    }
    const { platform, accountId, name } = from;
    const person = await store.useCode(code, { platform, accountId, name });
    standings.forget([from]);
    if (person !== undefined) {
      const greeting = person.role === "owner" ? "Connected." : `Welcome, ${person.name ?? name}.`;
      return `${greeting} Write to me, and I answer; /help says what else there is.`;
    }
    const { role } = await standings.of(from);
    return role === "stranger" ? wrongLine : "This account is connected already.";
  }

  return async (platform: ChatPlatform, message: IncomingMessage): Promise<void> => {
    if (message.code !== "ignored") await whisper(platform, message.place, await outcome(message));
  };
}

/** The owner's accounts that the settings name. */
function configuredOwners({ platforms }: PeopleDeps): NamedAccount[] {
  return Object.entries(platforms).flatMap(([platform, { owners }]) => {
    const name = `${platform}.owners in config/bots.yaml`;
    return owners.map((number) => ({ platform, accountId: String(number), name }));
  });
}

/** Decides whose message is to be answered. */
function createAdmission(deps: PeopleDeps, standings: Standings, pairing: Pairing) {
  const policies = createPolicies(deps);
  const takeCode = createCodes(deps, standings);
  const hint = createHints(deps, pairing);

  async function inGroup(
    platform: ChatPlatform,
    message: IncomingMessage,
    standing: Admitted,
  ): Promise<Admitted | undefined> {
    const { place, addressed } = message;
    const policy = policies.policyOf(place);
    if (policy === undefined && standing.role === "owner" && addressed) {
      await policies.explain(platform, place);
    }
    const isMeant = addressed || policy?.answer === "all";
    return isMeant && policies.allows(place, standing) ? standing : undefined;
  }

  return {
    async authorise(from: Sender, place?: Place): Promise<Standing> {
      const standing = await standings.of(from);
      return place === undefined || policies.allows(place, standing) ? standing : stranger;
    },
    async admit(platform: ChatPlatform, message: IncomingMessage): Promise<Admitted | undefined> {
      if (message.code !== undefined) {
        await takeCode(platform, message);
        return undefined;
      }
      const standing = await standings.of(message.from);
      if (standing.role !== "stranger") {
        return message.place.kind === "direct" ? standing : inGroup(platform, message, standing);
      }
      await hint(platform, message);
      return undefined;
    },
    async welcome(platform: ChatPlatform, { place, from }: IncomingJoin): Promise<void> {
      const standing = await standings.of(from);
      if (policies.allows(place, standing)) {
        const line = platform.groupHint?.();
        if (line !== undefined) await whisper(platform, place, line);
      } else if (standing.role === "owner" && policies.policyOf(place) === undefined) {
        await policies.explain(platform, place);
      }
    },
  };
}

/** People over their store and the owner's settings. */
export function createPeople(deps: PeopleDeps): People {
  const { store } = deps;
  const pairing = createPairing(deps);
  const standings = createStandings(deps);
  const screen = createScreen(deps, standings, pairing);
  const listeners = new Array<(running: readonly string[]) => void>();

  function onChange(accounts: readonly NamedAccount[], removal?: Removal): void {
    standings.forget(accounts);
    const running = removal?.running ?? [];
    if (running.length > 0) for (const stop of listeners) stop(running);
  }

  return {
    ...createDesk({ store, pairing, configured: configuredOwners(deps), onChange }),
    ...createAdmission(deps, standings, pairing),
    async screen(updates) {
      const screened: Update[] = [];
      // One after the other: so many guesses in one batch are no more than so many one by one.
      for (const update of updates) screened.push(await screen(update));
      return screened;
    },
    onRemoved: (stop) => void listeners.push(stop),
  };
}
