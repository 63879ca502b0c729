import type { Selectable } from "kysely";
import { sql } from "kysely";

import type { Account } from "#core/chat.ts";
import { newId } from "#core/ids.ts";
import type {
  CodePurpose,
  KnownPerson,
  NamedAccount,
  NewCode,
  OpenCode,
  PeopleStore,
  Removal,
} from "#core/people.ts";
import { owner } from "#core/person.ts";

import type { Commit } from "./commit.ts";
import type { Queries } from "./queries.ts";
import type { Read } from "./reads.ts";
import { openStates } from "./rows.ts";
import type { Schema } from "./schema.ts";
import { ensurePerson } from "./writes.ts";
import type { Writer } from "./writer.ts";

type PersonRow = Pick<Selectable<Schema["people"]>, "id" | "role" | "name">;

const notRemoved: Removal = { removed: false, running: [] };

function accountsOf({ build, all }: Queries, personId: string): NamedAccount[] {
  const mine = build
    .selectFrom("accounts")
    .select(["platform", "account_id as accountId", "name"])
    .where("person_id", "=", personId);
  return all(mine.orderBy("created_at").orderBy("account_id"));
}

function withAccounts(queries: Queries, { id, role, name }: PersonRow): KnownPerson {
  return { id, role, name, accounts: accountsOf(queries, id) };
}

function rowOf({ build, first }: Queries, personId: string): PersonRow | undefined {
  return first(
    build.selectFrom("people").select(["id", "role", "name"]).where("id", "=", personId),
  );
}

/** A member without an account is history only. */
function everybody(queries: Queries): KnownPerson[] {
  const { build, all } = queries;
  const rows = all(build.selectFrom("people").select(["id", "role", "name"]).orderBy("created_at"));
  const known = rows.map((row) => withAccounts(queries, row));
  const there = known.filter(({ role, accounts }) => role === "owner" || accounts.length > 0);
  return there.toSorted((a, b) => Number(b.role === "owner") - Number(a.role === "owner"));
}

function personOf(queries: Queries, { platform, accountId }: Account): KnownPerson | undefined {
  const { build, first } = queries;
  const found = build
    .selectFrom("accounts")
    .innerJoin("people", "people.id", "accounts.person_id")
    .select(["people.id", "people.role", "people.name"])
    .where("accounts.platform", "=", platform)
    .where("accounts.account_id", "=", accountId);
  const row = first(found);
  return row === undefined ? undefined : withAccounts(queries, row);
}

function toCode(row: Selectable<Schema["codes"]>): OpenCode {
  const { id, purpose, salt, hash, platform, account_id: accountId, name } = row;
  const isClaim = platform !== null && accountId !== null;
  return {
    id,
    purpose,
    personId: row.person_id,
    account: isClaim ? { platform, accountId, name: name ?? "" } : null,
    name: isClaim ? null : name,
    salt,
    hash,
    expiresAt: row.expires_at,
    triesLeft: row.tries_left,
  };
}

function addCode(commit: Commit, code: NewCode): void {
  const { build, run, clock } = commit;
  const { purpose, personId, account, salt, hash } = code;
  const name = account?.name ?? code.name;
  const head = {
    purpose,
    person_id: personId,
    platform: account?.platform ?? null,
    account_id: account?.accountId ?? null,
  };
  const earlier = build
    .deleteFrom("codes")
    .where("purpose", "=", purpose)
    .where("person_id", "is", personId)
    .where("platform", "is", head.platform)
    .where("account_id", "is", head.account_id);
  run(account === null ? earlier.where("name", "is", name) : earlier);
  run(build.deleteFrom("codes").where("expires_at", "<=", clock.now()));
  if (personId !== null) ensurePerson(commit, personId);
  const row = { ...head, name, salt, hash, tries_left: code.triesLeft };
  const times = { expires_at: code.expiresAt, created_at: clock.now() };
  run(build.insertInto("codes").values({ ...row, ...times }));
}

function openCodes({ build, all, clock }: Commit, purpose: CodePurpose): OpenCode[] {
  const open = build.selectFrom("codes").selectAll().where("purpose", "=", purpose);
  const usable = open.where("expires_at", ">", clock.now()).where("tries_left", ">", 0);
  return all(usable.orderBy("id")).map(toCode);
}

/** The code of this id, which is gone with this. */
function takeCode({ build, first, run, clock }: Commit, id: number): OpenCode | undefined {
  const row = first(build.selectFrom("codes").selectAll().where("id", "=", id));
  run(build.deleteFrom("codes").where("id", "=", id));
  const usable = row !== undefined && row.expires_at > clock.now() && row.tries_left > 0;
  return usable ? toCode(row) : undefined;
}

/** Whose the account of a used code becomes; undefined where nobody is there any more. */
function personFor(commit: Commit, { purpose, personId, name }: OpenCode): string | undefined {
  if (purpose === "invite") {
    const id = newId(commit.clock.now());
    ensurePerson(commit, id, name);
    return id;
  }
  const id = personId ?? owner;
  if (id === owner) ensurePerson(commit, owner);
  // A member without an account was removed since the code was made.
  else if (accountsOf(commit, id).length === 0) return undefined;
  return id;
}

function isFor({ account }: OpenCode, { platform, accountId }: Account): boolean {
  return account === null || (account.platform === platform && account.accountId === accountId);
}

/** A direct chat of this account has its number as address, or its number and a topic's. */
function ownAddress({ accountId }: Account) {
  const topics = `${accountId}/`;
  return sql<boolean>`(chats.kind = 'direct' AND (chats.address = ${accountId} OR substr(chats.address, 1, ${topics.length}) = ${topics}))`;
}

/** What was said in a direct chat belongs to whom it was said to: another person begins afresh there. */
function beginAfresh({ build, run }: Commit, personId: string, account: Account): void {
  const next = sql<number>`conversation + 1`;
  const fresh = { person_id: personId, conversation: next, agent: null, tier: null };
  const mine = build.updateTable("chats").set(fresh).where("platform", "=", account.platform);
  run(mine.where(ownAddress(account)).where("person_id", "!=", personId));
}

function useCode(commit: Commit, id: number, account: NamedAccount): KnownPerson | undefined {
  const code = takeCode(commit, id);
  if (code === undefined || !isFor(code, account)) return undefined;
  if (personOf(commit, account) !== undefined) return undefined;
  const personId = personFor(commit, code);
  if (personId === undefined) return undefined;
  const { build, run, clock } = commit;
  const { platform, accountId, name } = account;
  const row = { platform, account_id: accountId, person_id: personId, name };
  run(build.insertInto("accounts").values({ ...row, created_at: clock.now() }));
  beginAfresh(commit, personId, account);
  return personOf(commit, account);
}

/** Ends the open tasks of a person with their questions and what was to be sent of them; gives those that are being worked. */
function endTasks({ build, all, run, clock }: Commit, taskIds: readonly string[]): string[] {
  if (taskIds.length === 0) return [];
  const closed = build.updateTable("questions").set({ state: "closed" });
  run(closed.where("task_id", "in", taskIds).where("state", "=", "open"));
  const problem = "its person was removed";
  const unsent = build.updateTable("outbox").set({ state: "dead", body: "", problem });
  run(unsent.where("task_id", "in", taskIds).where("state", "=", "open"));
  const running = build.selectFrom("tasks").select("id").where("id", "in", taskIds);
  const ids = all(running.where("state", "=", "running")).map(({ id }) => id);
  const ended = { state: "cancelled", finished_at: clock.now() } as const;
  run(build.updateTable("tasks").set(ended).where("id", "in", taskIds));
  return ids;
}

/** What ends with an account: in its own direct chats, and everywhere on its platform when it was a member's last one there. */
function endChats(commit: Commit, person: KnownPerson, account: Account): string[] {
  const { build, all, run } = commit;
  const { platform } = account;
  const isLast = !person.accounts.some(
    (other) => other.platform === platform && other.accountId !== account.accountId,
  );
  const isOwn = ownAddress(account);
  // The settings may name another account of the owner, so only groups are as good as gone with the last one that is known here.
  const everywhere =
    person.role === "member" ? sql<boolean>`TRUE` : sql<boolean>`chats.kind = 'group'`;
  const where = isLast ? sql<boolean>`(${isOwn} OR ${everywhere})` : isOwn;
  const open = build
    .selectFrom("tasks")
    .innerJoin("chats", "chats.id", "tasks.chat_id")
    .select("tasks.id")
    .where("tasks.person_id", "=", person.id)
    .where("tasks.state", "in", openStates)
    .where("chats.platform", "=", platform);
  const running = endTasks(
    commit,
    all(open.where(where)).map(({ id }) => id),
  );
  const direct = build.selectFrom("chats").select("id").where("platform", "=", platform);
  run(build.deleteFrom("buttons").where("chat_id", "in", direct.where(isOwn)));
  return running;
}

function removeAccount(commit: Commit, account: Account): Removal {
  const { build, run } = commit;
  const person = personOf(commit, account);
  if (person === undefined) return notRemoved;
  const running = endChats(commit, person, account);
  const { platform, accountId } = account;
  const gone = build.deleteFrom("accounts").where("platform", "=", platform);
  run(gone.where("account_id", "=", accountId));
  return { removed: true, running };
}

function removePerson(commit: Commit, personId: string): Removal {
  const row = rowOf(commit, personId);
  if (row === undefined || row.role === "owner") return notRemoved;
  const { accounts } = withAccounts(commit, row);
  const removals = accounts.map((account) => removeAccount(commit, account));
  commit.run(commit.build.deleteFrom("codes").where("person_id", "=", personId));
  const running = removals.flatMap((removal) => removal.running);
  return { removed: accounts.length > 0, running };
}

/** People, accounts and codes in the store. */
export function createPeopleStore(commit: Commit, writer: Writer, read: Read): PeopleStore {
  const { build, run } = commit;
  return {
    people: () => read(() => everybody(commit)),
    personOf: (account) => read(() => personOf(commit, account)),
    addCode: (code) => writer.write(() => addCode(commit, code)),
    openCodes: (purpose) => read(() => openCodes(commit, purpose)),
    missCodes: (purpose) =>
      writer.write(() => {
        const fewer = { tries_left: sql<number>`tries_left - 1` };
        run(build.updateTable("codes").set(fewer).where("purpose", "=", purpose));
        run(build.deleteFrom("codes").where("tries_left", "<=", 0));
      }),
    useCode: (id, account) => writer.write(() => useCode(commit, id, account)),
    removeAccount: (account) => writer.write(() => removeAccount(commit, account)),
    removePerson: (personId) => writer.write(() => removePerson(commit, personId)),
  };
}
