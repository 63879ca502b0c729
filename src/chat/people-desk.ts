import { AppError } from "#core/errors.ts";
import type {
  KnownPerson,
  NamedAccount,
  PeopleDesk,
  PeopleStore,
  Removal,
  ShownCode,
} from "#core/people.ts";
import { owner } from "#core/person.ts";

import { digitsIn, type Pairing } from "./pairing.ts";
import { accountKey } from "./strangers.ts";

/** What the desk works with. */
export interface DeskDeps {
  readonly store: PeopleStore;
  readonly pairing: Pairing;
  /** The owner's accounts that the settings name. */
  readonly configured: readonly NamedAccount[];
  /** Something changed about these accounts; tasks that are to be stopped come with it. */
  readonly onChange: (accounts: readonly NamedAccount[], removal?: Removal) => void;
}

const longestName = 40;

function checkName(text: string): string {
  const name = text.replaceAll(/\s+/g, " ").trim();
  if (/^[\p{L}\p{N}][\p{L}\p{M}\p{N} .'’-]*$/u.test(name) && name.length <= longestName)
    return name;
  throw new AppError("people.name", { limit: longestName });
}

function named(people: readonly KnownPerson[], name: string): KnownPerson[] {
  const same = (one: string | null): boolean => one?.toLowerCase() === name.trim().toLowerCase();
  return people.filter((person) => same(person.name) || same(person.id));
}

/** The owner with the accounts that the settings name, first of all. */
function withConfigured(
  people: readonly KnownPerson[],
  configured: readonly NamedAccount[],
): KnownPerson[] {
  const others = people.filter(({ role }) => role !== "owner");
  const found = people.find(({ role }) => role === "owner");
  const own = found?.accounts ?? [];
  const more = configured.filter(
    (one) => !own.some((mine) => accountKey(mine) === accountKey(one)),
  );
  const { id, name } = found ?? { id: owner, name: null };
  return [{ id, role: "owner", name, accounts: [...own, ...more] }, ...others];
}

/** The one account that telegram:99, or 99 alone, means. */
function findAccount(
  people: readonly KnownPerson[],
  text: string,
): { readonly person: KnownPerson; readonly account: NamedAccount } {
  const wanted = text.trim();
  const found = people.flatMap((person) =>
    person.accounts
      .filter((account) => wanted === accountKey(account) || wanted === account.accountId)
      .map((account) => ({ person, account })),
  );
  const [only, ...more] = found;
  if (only !== undefined && more.length === 0) return only;
  throw new AppError("people.no-account", { account: wanted });
}

/** How people go. */
function createLeaving({ store, configured, onChange }: DeskDeps, list: PeopleDesk["list"]) {
  return {
    async remove(name: string): Promise<KnownPerson> {
      const people = await list();
      const [person, ...more] = named(people, name);
      if (person === undefined) throw new AppError("people.unknown", { name: name.trim() });
      if (person.role === "owner") throw new AppError("people.owner");
      if (more.length > 0) throw new AppError("people.ambiguous", { name: name.trim() });
      onChange(person.accounts, await store.removePerson(person.id));
      return person;
    },
    async unlink(text: string): Promise<KnownPerson> {
      const { person, account } = findAccount(await list(), text);
      const removal = await store.removeAccount(account);
      onChange([account], removal);
      const number = accountKey(account);
      if (configured.some((one) => accountKey(one) === number)) {
        const { platform, accountId } = account;
        throw new AppError("people.configured", { account: number, platform, accountId });
      }
      return person;
    },
  };
}

/** What the owner does about people, over the store. */
export function createDesk(deps: DeskDeps): PeopleDesk {
  const { store, pairing, configured, onChange } = deps;

  async function list(): Promise<KnownPerson[]> {
    return withConfigured(await store.people(), configured);
  }

  async function invite(text: string): Promise<ShownCode> {
    const name = checkName(text);
    if (named(await list(), name).length > 0) throw new AppError("people.name-taken", { name });
    return pairing.make({ purpose: "invite", name });
  }

  async function claim(text: string): Promise<NamedAccount> {
    const digits = digitsIn(text);
    if (digits === undefined) throw new AppError("people.no-code");
    const code = await pairing.find(digits, ["claim"]);
    if (code === undefined) await store.missCodes("claim");
    if (code === undefined || code.account === null) throw new AppError("people.wrong-code");
    const { account } = code;
    const person = await store.useCode(code.id, account);
    if (person === undefined) throw new AppError("people.wrong-code");
    onChange([account]);
    return account;
  }

  return {
    list,
    invite,
    claim,
    pairCode: () => pairing.make({ purpose: "pair", personId: owner }),
    linkCode: (personId) => pairing.make({ purpose: "link", personId }),
    ...createLeaving(deps, list),
  };
}
